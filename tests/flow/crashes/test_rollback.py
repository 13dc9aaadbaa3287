"""`kill -9` at the calls of a rollback with an effect: the same command again ends with the same version served.

Two warm KServe servers stay behind the route through all of it; each rollback goes from one to the other.
"""

import json
from collections.abc import Iterator

import pytest

from tests.fakes.machine import ROOT, Machine, a_machine

HOOK = ROOT / "tests/flow/crashpoints"
SIGKILLED = (-9, 137)
EFFECTS = ("POST /", "blocks.json", "push", "update-ref")
OLD, NEW = "0.1.0-r1", "0.2.0-r1"


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with a_machine(tmp_path_factory.mktemp("rollback")) as machine:
        done = machine.shell(
            f"""set -e
            git init -q --bare -b main remote.git && git clone -q remote.git clone
            cp -r {ROOT}/tests/projects/tiny/. clone && cd clone && git switch -q -c main
            git add -A && git commit -q -m 'feat: first' && git push -q -u origin main && tagline ci
            sed -i 's/THRESHOLD = 40/THRESHOLD = 41/' src/pipeline_steps/train_model/task.py
            git commit -q -a -m 'feat: second' && git push -q && tagline ci
            tagline promote tiny --to prod --version {OLD}
            tagline ci --event tag --ref promote/prod/tiny/1
            tagline rollback tiny --env prod --to {NEW}""",
            timeout=600,
        )
        assert done.code == 0, done.out
        yield machine


def place(machine: Machine) -> dict[str, object]:
    status = json.loads(machine.shell("cd clone && tagline status --json").out)
    return next(one for one in status["places"] if one["env"] == "prod")


def roll_back(machine: Machine, to: str, kill_at: int = 0) -> list[str]:
    """Lift the target's block, and roll back to it, killed at this call; returns the calls that it made."""
    lifted = machine.shell(f"cd clone && tagline unblock tiny {to} --env prod --reason mended")
    assert lifted.code == 0, lifted.out
    log = machine.folder / f"calls-{to}-{kill_at}"
    hook = f"PYTHONPATH={HOOK} CRASH_LOG={log} CRASH_AT={kill_at}"
    done = machine.shell(f"cd clone && {hook} tagline rollback tiny --env prod --to {to}")
    assert done.code in (SIGKILLED if kill_at else (0,)), done.out
    calls = log.read_text().splitlines()
    log.unlink()
    return calls


def rolled_back(machine: Machine) -> int:
    events = json.loads(machine.shell("cd clone && tagline history --json").out)
    return sum(event["event"] == "rolled back" for event in events)


def check_point(machine: Machine, kill_at: int) -> None:
    """From what serves to the other one, killed once on the way."""
    serves = place(machine)["serves"]
    to = OLD if serves == NEW else NEW
    before = rolled_back(machine)
    roll_back(machine, to, kill_at)
    again = machine.shell(f"cd clone && tagline rollback tiny --env prod --to {to}")
    assert again.code == 0, again.out
    now = place(machine)
    assert (now["serves"], now["decided"], now["disagree"]) == (to, to, []), (kill_at, again.out)
    assert list(now["blocked"]) == [serves]
    assert rolled_back(machine) == before + 1
    assert machine.shell("cd clone && tagline verify").code == 0


@pytest.mark.timeout(1200)
def test_a_rollback_killed_at_a_call_with_an_effect_is_completed_by_the_same_command(
    machine: Machine,
) -> None:
    calls = roll_back(machine, OLD)
    points = [n for n, call in enumerate(calls, 1) if any(effect in call for effect in EFFECTS)]
    assert len(points) >= 3, calls
    for kill_at in points:
        check_point(machine, kill_at)
