"""A rig for races and kills on one ledger: real processes, and a git that can be made careless or deadly."""

import json
import os
import stat
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tagline.git import facts as git_facts
from tagline.git import ledger
from tagline.git.events import Released
from tagline.git.ledger import Author, Batch
from tagline.git.objects import NewTag
from tagline.git.repo import Repo
from tagline.git.state import State
from tagline.words import Release

_ROOT = Path(__file__).parents[2]


def _batch(release: Release, commit: str) -> Batch:
    event = Released(pipeline="wine", version=str(release), commit=commit, identity="env:x")
    return Batch([event], [NewTag(release.tag, commit, f"wine {release}")])


def claim(path: Path) -> None:
    """Claim release 0.1.0 of HEAD; again is a no-op."""
    repo = Repo.open(path)
    seen = git_facts.read(repo)

    def make(state: State) -> Batch:
        return Batch() if state.releases else _batch(Release(0, 1, 0), seen.head)

    ledger.append(repo, seen, make, Author("ada"))


def claim_next(path: Path, gate: Path) -> list[str]:
    """Wait for the gate, then claim the next free minor release; returns what was claimed."""
    repo = Repo.open(path)
    seen = git_facts.read(repo)
    author = Author("racer")

    def make(state: State) -> Batch:
        if any(one.run == author.run for one in state.releases.values()):
            return Batch()
        return _batch(Release(0, 1 + len(state.releases), 0), seen.head)

    Path(f"{gate}.{path.name}").touch()
    while not gate.exists():
        time.sleep(0.002)
    added = ledger.append(repo, seen, make, author)
    return [event.version for event in added.events if isinstance(event, Released)]


def _start(path: str, *words: str) -> "subprocess.Popen[str]":
    env = os.environ | {"PATH": f"{path}:{os.environ['PATH']}" if path else os.environ["PATH"]}
    argv = [sys.executable, "-m", "tests.fakes.racing", *words]
    pipe = subprocess.PIPE
    return subprocess.Popen(argv, env=env, cwd=_ROOT, stdout=pipe, stderr=pipe, text=True)


def race(clones: Sequence[Path], gate: Path, path: str = "") -> list[list[str]]:
    """Claim one release from each clone at the same moment; returns the versions that each says it made.

    `path` is put before PATH.
    """
    racers = [_start(path, "race", str(clone), str(gate)) for clone in clones]
    until = time.monotonic() + 60
    while not all(Path(f"{gate}.{clone.name}").exists() for clone in clones) and time.monotonic() < until:
        time.sleep(0.01)
    gate.touch()
    said = [racer.communicate(timeout=120) for racer in racers]
    for racer, (_, error) in zip(racers, said, strict=True):
        if racer.returncode:
            raise AssertionError(error)
    return [json.loads(out) for out, _ in said]


def claim_in_a_process(clone: Path, path: str = "") -> int:
    """Claim release 0.1.0 in a process of its own; returns its exit code (-9 where it was killed)."""
    process = _start(path, "claim", str(clone))
    _, error = process.communicate(timeout=60)
    if process.returncode not in (0, -9):
        raise AssertionError(error)
    return process.returncode


def _real_git() -> str:
    return subprocess.run(
        ["sh", "-c", "command -v git"], capture_output=True, text=True, check=True
    ).stdout.strip()


def _put(folder: Path, script: str) -> str:
    folder.mkdir()
    path = folder / "git"
    path.write_text(script)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(folder)


def careless_git(folder: Path, pushers: int) -> str:
    """A folder with a `git` that drops the leases of a push and forces it: the guard taken away.

    A push waits until `pushers` of them have come, so that all were made from the same state, and then for its
    turn, so that none fails on another's lock.
    """
    real = _real_git()
    return _put(
        folder,
        f"""#!{sys.executable}
import os, pathlib, sys, time
args = [a for a in sys.argv[1:] if not a.startswith("--force-with-lease")]
if "push" in args:
    args.insert(args.index("push") + 1, "--force")
    here = pathlib.Path({str(folder)!r})
    mine = here / f"push-{{os.getpid()}}"
    mine.touch()
    until = time.monotonic() + 20
    while len(list(here.glob("push-*"))) < {pushers} and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(0.5 * sorted(here.glob("push-*")).index(mine))
os.execv({real!r}, [{real!r}, *args])
""",
    )


def deadly_git(folder: Path, at: int) -> str:
    """A folder with a `git` that does its work and, at the call with this number (from 1), kills its caller."""
    return _put(
        folder,
        f"""#!/bin/sh
echo x >> {folder}/calls
calls=$(wc -l < {folder}/calls)
"{_real_git()}" "$@"
code=$?
if [ "$calls" -eq {at} ]; then kill -9 $PPID; fi
exit $code
""",
    )


def deadly_push(folder: Path, at: int, *, before: bool = False) -> str:
    """A folder with a `git` that kills its caller at the push with this number (from 1), after or before it."""
    first, last = ("kill -9 $PPID; exit 1", "") if before else ("", "kill -9 $PPID")
    return _put(
        folder,
        f"""#!/bin/sh
case " $* " in *" push "*) echo x >> {folder}/pushes; fatal=$(wc -l < {folder}/pushes);; *) fatal=0;; esac
if [ "$fatal" -eq {at} ]; then :; {first}
fi
"{_real_git()}" "$@"
code=$?
if [ "$fatal" -eq {at} ]; then :; {last}
fi
exit $code
""",
    )


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["claim", where]:
            claim(Path(where))
        case ["race", where, when]:
            print(json.dumps(claim_next(Path(where), Path(when))))
