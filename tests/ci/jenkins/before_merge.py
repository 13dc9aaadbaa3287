"""`tagline plan`, `run`, `ci --env` and `--report` by `tagline ci`: goes away with `MERGED` in test_story.py."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

TAGLINE = os.environ.get("TAGLINE_TODAY", "tagline")


def main() -> int:
    args = sys.argv[1:]
    if args[0] == "plan":
        return _plan(args)
    if args[0] == "run":
        return subprocess.call([TAGLINE, "ci", *_said()])
    if args[0] == "ci":
        return subprocess.call([TAGLINE, "ci", "--event", "schedule"])
    return subprocess.call([TAGLINE, *args])


def _said() -> list[str]:
    """The event as Jenkins' variables tell it."""
    return ["--event", "pr" if "CHANGE_ID" in os.environ else "merge"]


def _plan(args: list[str]) -> int:
    event = ["--event", args[args.index("--event") + 1]] if "--event" in args else _said()
    said = subprocess.run([TAGLINE, "ci", *event, "--dry-run", "--json"], stdout=subprocess.PIPE, text=True)
    if said.returncode:
        return said.returncode
    plan: dict[str, Any] = json.loads(said.stdout)
    asked = [step["promotion"] for step in plan["steps"] if step.get("promotion")]
    plan["environments"] = sorted(
        {one.split("/")[1] if isinstance(one, str) else one["env"] for one in asked}
    )
    if "-o" in args:
        Path(args[args.index("-o") + 1]).write_text(json.dumps(plan))
    print(json.dumps(plan))
    return 0


if __name__ == "__main__":
    sys.exit(main())
