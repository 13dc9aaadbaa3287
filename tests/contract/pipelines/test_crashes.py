"""What is left when a command dies, is interrupted, or meets another that does the same."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tagline.platforms import RunState

from . import projects
from .conftest import World, alive

RUNNER = """
import json, sys
from pathlib import Path
from tagline.engines.process import ProcessEngine
from tagline.platforms import RunRequest
from tagline.platforms.local.pipelines import LocalPipelines
folder, owner, compiled, given = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), json.loads(sys.argv[4])
request = RunRequest(owner, "one", compiled, folder / "source", given, 120.0)
pipelines = LocalPipelines(folder / "home", ProcessEngine(folder / "venvs", {}), {})
run = pipelines.run(request, lambda event: print(event.task, event.state, flush=True))
print(json.dumps([run.id, run.state]), flush=True)
"""


def until(what: Callable[[], bool], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


@contextmanager
def command(world: World, **given: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that runs the same owner's pipeline."""
    compiled = projects.compile_to(projects.one, world.folder / "one.yaml")
    words = [sys.executable, "-c", RUNNER, str(world.folder), "wine/full/1", str(compiled), json.dumps(given)]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield child
    finally:
        if child.poll() is None:
            child.kill()
        child.communicate()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_command_that_is_killed_leaves_no_task_and_the_next_one_starts_again(
    world: World, number: signal.Signals
) -> None:
    pids = world.folder / "pids"
    with command(world, verb="hang", argument=str(pids)) as child:
        until(lambda: pids.exists() and len(pids.read_text().split()) == 2)
        child.send_signal(number)
        child.wait(20)
    until(lambda: not alive(pids))
    run = world.run(projects.one, argument=str(world.folder / "done"))
    assert (run.state, run.id) == (RunState.SUCCEEDED, "one-2")
    states = [each.state for each in world.pipelines.runs("wine/")]
    assert states == [RunState.INTERRUPTED, RunState.SUCCEEDED]


def test_a_killed_command_s_run_is_reported_interrupted_without_another_run(world: World) -> None:
    pids = world.folder / "pids"
    with command(world, verb="hang", argument=str(pids)) as child:
        until(lambda: pids.exists() and len(pids.read_text().split()) == 2)
        assert [each.state for each in world.pipelines.runs("")] == [RunState.RUNNING]
        child.kill()
    until(lambda: [each.state for each in world.pipelines.runs("")] == [RunState.INTERRUPTED])
    assert not alive(pids)


def test_an_interrupt_ends_the_tasks_marks_the_run_and_goes_on_up(world: World) -> None:
    pids = world.folder / "pids"
    with command(world, verb="hang", argument=str(pids)) as child:
        until(lambda: pids.exists() and len(pids.read_text().split()) == 2)
        child.send_signal(signal.SIGINT)
        _, errors = child.communicate(timeout=30)
    assert "KeyboardInterrupt" in errors
    assert not alive(pids)
    assert [each.state for each in world.pipelines.runs("")] == [RunState.INTERRUPTED]


def test_the_orchestrating_process_killed_alone_leaves_no_task_and_no_success(world: World) -> None:
    pids = world.folder / "pids"
    with command(world, verb="hang", argument=str(pids)) as child:
        until(lambda: pids.exists() and len(pids.read_text().split()) == 2)
        (orchestrator,) = Path(f"/proc/{child.pid}/task/{child.pid}/children").read_text().split()
        os.kill(int(orchestrator), signal.SIGKILL)
        answer, _ = child.communicate(timeout=30)
    assert json.loads(answer.splitlines()[-1])[1] == "interrupted"
    until(lambda: not alive(pids))


def test_two_commands_with_one_owner_run_it_once(world: World) -> None:
    counter = world.folder / "counter"
    with command(world, argument=str(counter)) as first, command(world, argument=str(counter)) as second:
        ends = [child.communicate(timeout=60)[0].splitlines()[-1] for child in (first, second)]
    assert ends[0] == ends[1] == '["one-1", "succeeded"]'
    assert counter.read_text() == "x"


def test_an_ended_run_is_found_and_not_repeated(world: World) -> None:
    counter = world.folder / "counter"
    first = world.run(projects.one, argument=str(counter))
    assert world.run(projects.one, argument=str(counter)) == first
    assert counter.read_text() == "x"
    assert world.run(projects.one, owner="wine/full/2", argument=str(counter)).id == "one-2"
    assert counter.read_text() == "xx"


def test_killed_at_any_moment_the_same_command_completes_with_one_run_that_counts(world: World) -> None:
    counter = world.folder / "counter"
    for delay in (0.15, 0.3, 0.45, 0.6, 0.9, 1.2):
        with command(world, argument=str(counter)) as child:
            time.sleep(delay)
            child.kill()
    run = world.run(projects.one, argument=str(counter))
    assert run.state is RunState.SUCCEEDED
    ended = [each.state for each in world.pipelines.runs("wine/") if each.state is not RunState.INTERRUPTED]
    assert ended == [RunState.SUCCEEDED]
