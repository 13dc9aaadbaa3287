"""`kill -9` at the calls that a release makes to the outside: the same command again ends as if nothing was."""

import json
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.machine import ROOT, Machine, a_machine

HOOK = ROOT / "tests/flow/crashpoints"
SIGKILLED = (-9, 137)
EFFECTS = ("push", "update-ref", "commit-tree", "mktag", "hash-object", "os.rename", "sqlite3", "python")
CI = "cd clone && tagline ci --event merge"
EVENTS = {"released": 1, "uploaded": 1, "trained": 1}


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    with a_machine(tmp_path) as machine:
        machine.shell(
            f"""set -e
            git init -q --bare -b main remote.git && git clone -q remote.git clone
            cp -r {ROOT}/tests/projects/tiny/. clone && cd clone && git switch -q -c main
            echo 'pipeline: tiny' > tagline.yaml
            git add -A && git commit -q -m 'feat: first' && git push -q -u origin main"""
        )
        yield machine


def killed_at(machine: Machine, number: int) -> list[str]:
    """Run CI, killed at this call (0: never); returns the calls that it made."""
    log = machine.folder / f"calls-{number}"
    hook = f"PYTHONPATH={HOOK} CRASH_LOG={log} CRASH_AT={number}"
    done = machine.shell(CI.replace("tagline", f"{hook} tagline", 1))
    assert done.code in (SIGKILLED if number else (0,)), done.out
    return log.read_text().splitlines()


def ledger(machine: Machine) -> Counter[str]:
    done = machine.shell("cd clone && tagline history --json")
    assert done.code == 0, done.out
    return Counter(event["event"] for event in json.loads(done.out))


def restore(machine: Machine, spare: Path) -> None:
    for name in ("remote.git", "clone", "home"):
        shutil.rmtree(machine.folder / name, ignore_errors=True)
        if (spare / name).exists():
            shutil.copytree(spare / name, machine.folder / name, symlinks=True)


def keep(machine: Machine) -> Path:
    """A spare copy of the world before the release."""
    spare = machine.folder / "spare"
    for name in ("remote.git", "clone"):
        shutil.copytree(machine.folder / name, spare / name, symlinks=True)
    return spare


def check_point(machine: Machine, number: int) -> None:
    killed_at(machine, number)
    again = machine.shell(CI)
    assert again.code == 0, again.out
    assert ledger(machine) == EVENTS
    tags = machine.shell("git -C remote.git tag --list").out.split()
    assert tags == ["v0.1.0"]
    sound = machine.shell("cd clone && tagline verify")
    assert sound.code == 0, sound.out
    idle = machine.shell(CI)
    assert "nothing to do" in idle.out


def has_effect(call: str) -> bool:
    return any(word in call for word in EFFECTS)


@pytest.mark.timeout(900)
def test_a_release_killed_at_a_call_with_an_effect_is_completed_by_the_same_command(machine: Machine) -> None:
    spare = keep(machine)
    calls = killed_at(machine, 0)
    points = [number for number, call in enumerate(calls, 1) if has_effect(call)]
    pushes = [number for number in points if "push" in calls[number - 1]]
    chosen = sorted({*pushes, *points[:: max(1, len(points) // 4)], points[-1]})
    assert len(pushes) >= 3, calls
    for number in chosen:
        restore(machine, spare)
        check_point(machine, number)


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_a_release_killed_at_any_call_is_completed_by_the_same_command(machine: Machine) -> None:
    spare = keep(machine)
    for number in range(1, len(killed_at(machine, 0)) + 1):
        restore(machine, spare)
        check_point(machine, number)
