"""A rig for races on one ledger: real processes that start together, and a git that can be made careless."""

import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

_WORKER = """
import json, sys, time
from pathlib import Path
from tagline.git import facts as git_facts, ledger
from tagline.git.events import Released
from tagline.git.ledger import Author, Batch
from tagline.git.objects import NewTag
from tagline.git.repo import Repo
from tagline.words import Release

path, gate, run = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
repo = Repo.open(path)
seen = git_facts.read(repo)
author = Author("racer", run=run) if run else Author("racer")

def make(state):
    mine = [one for one in state.releases.values() if one.run == author.run]
    if mine:
        return Batch()
    release = Release(0, 1 + len(state.releases), 0)
    event = Released(pipeline="wine", version=str(release), commit=seen.head, identity="env:x")
    return Batch([event], [NewTag(release.tag, seen.head, f"wine {release}")])

Path(str(gate) + "." + path.name).touch()
while not gate.exists():
    time.sleep(0.002)
added = ledger.append(repo, seen, make, author)
print(json.dumps([event.version for event in added.events]))
"""


def race(clones: Sequence[Path], gate: Path, *, run: str = "", path: str = "") -> list[list[str]]:
    """Append one release from each clone at the same moment; returns the versions that each says it made.

    `run` gives all the same run id (None of them is random then); `path` is put before PATH.
    """
    env = os.environ | {"PATH": f"{path}:{os.environ['PATH']}" if path else os.environ["PATH"]}
    pipe = subprocess.PIPE
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", _WORKER, str(clone), str(gate), run],
            env=env,
            stdout=pipe,
            stderr=pipe,
            text=True,
        )
        for clone in clones
    ]
    until = time.monotonic() + 60
    while not all(Path(f"{gate}.{clone.name}").exists() for clone in clones) and time.monotonic() < until:
        time.sleep(0.01)
    gate.touch()
    said = [worker.communicate(timeout=120) for worker in workers]
    for worker, (_, error) in zip(workers, said, strict=True):
        if worker.returncode:
            raise AssertionError(error)
    return [json.loads(out) for out, _ in said]


def careless_git(folder: Path) -> str:
    """A folder with a `git` that drops the leases of a push and forces it: the guard taken away."""
    real = subprocess.run(
        ["sh", "-c", "command -v git"], capture_output=True, text=True, check=True
    ).stdout.strip()
    script = f"""#!{sys.executable}
import os, sys
args = [a for a in sys.argv[1:] if not a.startswith("--force-with-lease")]
if "push" in args:
    args.insert(args.index("push") + 1, "--force")
os.execv({real!r}, [{real!r}, *args])
"""
    folder.mkdir()
    path = folder / "git"
    path.write_text(script)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(folder)
