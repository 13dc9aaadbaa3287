"""A `tagline` that keeps to the contract of its command line and does what a scenario says: for the call alone.

TAGLINE_SCENARIO names a JSON file: `environments`, `needs` (what the steps need, in order), `has_not` (what agents
turn out to lack), `codes` (exit code by command), `says` (what the project's own
code prints), `slow` (a command that runs until it is told to stop or go on).
Each call is told in TAGLINE_CALLS, a line when it begins and one when it ends.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

HANDED_OVER = 111
CANCELLED = 143


def main() -> int:
    args = sys.argv[1:]
    if args == ["--version"]:
        print("tagline 0.1.0")
        return 0
    scenario = json.loads(Path(os.environ["TAGLINE_SCENARIO"]).read_text())
    name = " ".join([args[0], *_option(args, "--env")])
    _tell(args, begun=name)
    if scenario.get("slow") == name:
        _until_stopped(name)
    code = {"plan": _plan, "run": _run, "ci": _ci, "comment": _comment}[args[0]](args, scenario)
    code = scenario.get("codes", {}).get(name, code)
    _report(args, code)
    _tell(args, ended=name)
    return code


def _option(args: list[str], name: str) -> list[str]:
    return [args[args.index(name) + 1]] if name in args else []


def _tell(args: list[str], **more: str) -> None:
    row = {"args": args, "at": time.monotonic(), "env": dict(os.environ), "cwd": os.getcwd(), **more}
    with Path(os.environ["TAGLINE_CALLS"]).open("a") as file:
        file.write(json.dumps(row) + "\n")


def _until_stopped(name: str) -> None:
    """Tidy up for a second once told, as a canary is put down, and say so."""

    def stop(*_: object) -> None:
        print("putting the canary down", flush=True)
        time.sleep(1)
        print("put down", flush=True)
        Path(os.environ["TAGLINE_CALLS"]).with_name("stopped").write_text(name)
        sys.exit(CANCELLED)

    signal.signal(signal.SIGTERM, stop)
    Path(os.environ["TAGLINE_CALLS"]).with_name("running").touch()
    until = time.monotonic() + 60
    release = Path(os.environ["TAGLINE_CALLS"]).with_name("go on")
    while not release.exists() and time.monotonic() < until:
        time.sleep(0.02)


def _plan(args: list[str], scenario: dict[str, Any]) -> int:
    made = {
        "environments": scenario.get("environments", []),
        "steps": [{"needs": one} for one in _needs(scenario)],
    }
    for file in _option(args, "-o"):
        Path(file).write_text(json.dumps(made))
    print(json.dumps(made))
    return 0


def _needs(scenario: dict[str, Any]) -> list[list[str]]:
    return [one.split(",") for one in scenario.get("needs", [])]


def _run(args: list[str], scenario: dict[str, Any]) -> int:
    print(scenario.get("says", ""))
    have = set(_option(args, "--have")[0].split(",")) - set(scenario.get("has_not", []))
    json.loads(Path(args[1]).read_text())
    state = Path(_option(args, "--state")[0])
    state.mkdir(exist_ok=True)
    for number, needed in enumerate(_needs(scenario)):
        done = state / str(number)
        if done.exists():
            continue
        if not set(needed) <= have:
            print(f"merge: this agent's part is done\nneeds-agent: {','.join(needed)}")
            return HANDED_OVER
        done.write_text(os.environ["NODE_NAME"])
    return 0


def _ci(args: list[str], scenario: dict[str, Any]) -> int:
    return 0


def _comment(args: list[str], scenario: dict[str, Any]) -> int:
    json.loads((Path(args[1]) / "report.json").read_text())
    return 0


def _report(args: list[str], code: int) -> None:
    for name in _option(args, "--report"):
        folder = Path(name)
        folder.mkdir(parents=True)
        bad = "<failure message='no'/>" if code not in {0, HANDED_OVER} else ""
        (folder / "junit.xml").write_text(f"<testsuite><testcase name='check'>{bad}</testcase></testsuite>")
        (folder / "report.html").write_text("<p>report")
        (folder / "comment.md").write_text("report")
        (folder / "report.json").write_text("{}")


if __name__ == "__main__":
    sys.exit(main())
