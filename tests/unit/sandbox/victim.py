"""A stand-in for the tagline process: holds a credential and starts a child, with the guards or without.

victim.py open|guarded ROOT ARGV…     the child's output on stdout
victim.py protected ROOT ARGV…        the same, with `protect_parent` as the only guard
victim.py gaps ROOT                   what the sandbox says it cannot shut, as JSON
"""

import json
import os
import subprocess
import sys
from pathlib import Path

from tagline.engines import Command, gaps, sandbox


def main(mode: str, root: Path, argv: list[str]) -> None:
    argv = [word.replace("PID", str(os.getpid())) for word in argv]
    held = os.open(root / "credential", os.O_RDONLY)
    os.set_inheritable(held, True)
    if mode != "open":
        sandbox.protect_parent()
    if mode in ("open", "protected"):
        done = subprocess.run(argv, close_fds=False, stdout=subprocess.PIPE, check=True, cwd=root / "tree")
        sys.stdout.buffer.write(done.stdout)
        return
    if mode == "gaps":
        print(json.dumps(gaps.gaps()))
        return
    log = root / f"log-{os.getpid()}"
    code = sandbox.run(Command(argv, root / "copy", log, timeout=60.0, hide=[root / "tree/.git"]))
    sys.stdout.write(log.read_text())
    sys.exit(code)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
