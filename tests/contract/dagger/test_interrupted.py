"""A call on an engine that is cancelled or killed leaves no process, and what the engine logs is guarded."""

import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tagline.engines.dagger import runner

from tests.contract.dagger.listeners import MARK, SETTINGS, hanging_cli, listener, marked, waiting_cli
from tests.contract.dagger.test_real_engine import TINY
from tests.fakes.machine import Machine

LIMIT = 10.0


@pytest.fixture
def waiting(machine: Machine) -> Iterator[Machine]:
    """A machine in front of an engine that answers; its repository stands on a pull request's branch."""
    made = machine.shell(TINY)
    assert made.code == 0, made.out
    with listener(SETTINGS) as host:
        machine.env |= {runner.RUNNER_VARIABLE: host, "TAGLINE_WHEELHOUSE": str(machine.folder)}
        machine.env |= {
            MARK: uuid.uuid4().hex,
            "TAGLINE_TEST_TOKEN": "opensesame-opensesame",
            "GITHUB_ACTIONS": "true",
        }
        yield machine


def until(holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + LIMIT
    while not holds() and time.monotonic() < end:
        time.sleep(0.05)
    return holds()


def started(machine: Machine, cli: Path) -> "subprocess.Popen[str]":
    """The call, waiting for a session that never opens."""
    call = subprocess.Popen(
        [
            str(Path(sys.executable).parent / "tagline"),
            "ci",
            "--engine",
            "dagger",
            "--event",
            "pr",
            "--ref",
            "topic",
        ],
        cwd=machine.folder / "work",
        env=machine.env | {runner.CLI_VARIABLE: str(cli)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    mark = cli.with_name("dagger.started")
    if not until(mark.exists):
        call.kill()
        pytest.fail(call.communicate()[0])
    return call


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_cancelled_call_ends_the_session_and_all_its_processes(number: int, waiting: Machine) -> None:
    with started(waiting, hanging_cli(waiting.folder)) as call:
        begun = time.monotonic()
        call.send_signal(number)
        said, _ = call.communicate(timeout=LIMIT)
        assert (call.returncode, time.monotonic() - begun < 5) == (128 + number, True), said
    assert marked(waiting.env[MARK]) == []


def test_a_killed_call_leaves_no_client(waiting: Machine) -> None:
    with started(waiting, waiting_cli(waiting.folder, "waiting")) as call:
        call.kill()
        call.wait(LIMIT)
        assert until(lambda: marked(waiting.env[MARK]) == []), marked(waiting.env[MARK])


def test_what_the_engine_logs_holds_no_secret_and_no_command_to_the_ci_host(waiting: Machine) -> None:
    says = "::set-output name=x::y\n##[add-path]/evil\nthe token is opensesame-opensesame"
    with started(waiting, waiting_cli(waiting.folder, says)) as call:
        call.send_signal(signal.SIGINT)
        said, _ = call.communicate(timeout=LIMIT)
    assert "the token is ***" in said
    assert "opensesame-opensesame" not in said
    lines = [line.strip() for line in said.splitlines()]
    assert not [line for line in lines if line.startswith("::set-output") or "##[add-path]" in line], said
