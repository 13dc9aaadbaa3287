"""`kill -9` at the weight moves of a rollout: the same command again ends with the same version served.

Two warm KServe servers stay behind the route through all of it; each rollout goes from one to the other.
"""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.fakes.machine import ROOT, Machine, a_machine

HOOK = ROOT / "tests/flow/crashpoints"
SIGKILLED = (-9, 137)
VERSIONS = ("0.1.0-r1", "0.2.0-r1")
RATE = 120
MOVES = "POST /weights"


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    with a_machine(tmp_path_factory.mktemp("rollout")) as machine:
        done = machine.shell(
            f"""set -e
            git init -q --bare -b main remote.git && git clone -q remote.git clone
            cp -r {ROOT}/tests/projects/tiny/. clone && cd clone && git switch -q -c main
            sed -i 's/step_time: 3s/step_time: 2s, ttl: 6s/' tagline.yaml
            git add -A && git commit -q -m 'feat: first' && git push -q -u origin main && tagline ci
            sed -i 's/THRESHOLD = 40/THRESHOLD = 41/' src/pipeline_steps/train_model/task.py
            git commit -q -a -m 'feat: second' && git push -q && tagline ci
            tagline promote tiny --to prod --version 0.1.0-r1
            tagline ci --event tag --ref promote/prod/tiny/1""",
            timeout=600,
        )
        assert done.code == 0, done.out
        yield machine


@contextmanager
def traffic(machine: Machine) -> Iterator[None]:
    stream = subprocess.Popen(
        ["tagline", "local", "traffic", "tiny", "--rate", str(RATE)],
        cwd=machine.folder / "clone",
        env=machine.env,
        stdout=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        stream.send_signal(2)
        assert stream.wait(timeout=60) == 0


def ask(machine: Machine) -> tuple[str, str]:
    """Ask for the version that does not serve; returns the tag and the version."""
    status = json.loads(machine.shell("cd clone && tagline status --json").out)
    serves = next(place["serves"] for place in status["places"] if place["env"] == "prod")
    wanted = next(version for version in VERSIONS if version != serves)
    asked = machine.shell(f"cd clone && tagline promote tiny --to prod --version {wanted} --json")
    return json.loads(asked.out)["tag"], wanted


def rollout(machine: Machine, tag: str, kill_at: int = 0, *, only: str = MOVES, after: bool = False) -> int:
    """Run CI on the tag, killed at (or right `after`) this call; returns how many such calls it made."""
    log = machine.folder / f"calls-{tag.replace('/', '-')}-{kill_at}-{after}"
    hook = f"PYTHONPATH={HOOK} CRASH_LOG={log} CRASH_AT={kill_at} CRASH_ONLY='{only}'"
    hook += " CRASH_AFTER=1" if after else ""
    done = machine.shell(f"cd clone && {hook} tagline ci --event tag --ref {tag}", timeout=240)
    assert done.code in (SIGKILLED if kill_at else (0,)), done.out
    return len(log.read_text().splitlines()) if log.exists() else 0


def check_point(machine: Machine, kill_at: int, *, only: str = MOVES, after: bool = False) -> None:
    tag, version = ask(machine)
    rollout(machine, tag, kill_at, only=only, after=after)
    rollout(machine, tag, only=only)
    status = json.loads(machine.shell("cd clone && tagline status --json").out)
    place = next(place for place in status["places"] if place["env"] == "prod")
    assert (place["serves"], place["decided"], place["disagree"]) == (version, version, [])
    assert (place["asked"], place["ended"]) == (tag, "promoted")
    assert machine.shell("cd clone && tagline verify").code == 0


@pytest.mark.timeout(1200)
def test_a_rollout_killed_at_a_weight_move_ends_with_the_same_version_served(machine: Machine) -> None:
    with traffic(machine):
        tag, _ = ask(machine)
        moves = rollout(machine, tag)
        assert moves >= 3, "to the first step, to the second, to everything"
        check_point(machine, 1, after=True)
        check_point(machine, moves, after=True)


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_a_rollout_killed_around_any_weight_move_ends_with_the_same_version_served(machine: Machine) -> None:
    with traffic(machine):
        tag, _ = ask(machine)
        for kill_at in range(1, rollout(machine, tag) + 1):
            check_point(machine, kill_at)
            check_point(machine, kill_at, after=True)


@pytest.mark.soak
@pytest.mark.timeout(14400)
def test_a_rollout_killed_at_any_call_ends_with_the_same_version_served(machine: Machine) -> None:
    with traffic(machine):
        tag, _ = ask(machine)
        for kill_at in range(1, rollout(machine, tag, only="") - 10, 3):
            check_point(machine, kill_at, only="")
