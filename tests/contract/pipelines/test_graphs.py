"""Branches, loops, exit handlers and graphs inside, as kfp compiles them: what ran, in order, and what it gave."""

import json
from pathlib import Path

import pytest
from tagline.errors import NotYetSupported, SecretMissing, TaskContractBroken, TaskFailed, TaskTimedOut
from tagline.platforms import Run, RunState
from tagline.platforms.local.hands import SKIPPED

from . import graphs, projects
from .conftest import World, alive


def ran(world: World) -> set[str]:
    """The tasks that ended well, by their paths."""
    return {event.task for event in world.told if event.state == "succeeded"}


def gave(run: Run, task: str, output: str) -> str:
    """What a task wrote as its output."""
    (found,) = run.outputs.glob(f"outputs/*/{task}/{output}")
    return found.read_text()


def test_a_pipeline_inside_a_pipeline_runs_with_its_defaults_and_gives_its_output(world: World) -> None:
    run = world.run(graphs.nested, n=2)
    assert (run.state, run.error) == (RunState.SUCCEEDED, "")
    assert ran(world) == {"twice/add", "twice/add-2", "twice-2/add", "twice-2/add-2", "add"}
    assert gave(run, "add", "total") == "11"
    assert (run.outputs / "logs/twice.add.log").is_file()


@pytest.mark.parametrize(
    ("given", "said"),
    [({"n": 11, "word": "b"}, "big"), ({"n": 10, "word": "b"}, "b"), ({"n": 3}, "small 3")],
)
def test_the_first_branch_that_holds_runs_alone_and_one_of_them_gives_the_value(
    world: World, given: dict[str, object], said: str
) -> None:
    run = world.run(graphs.branched, **given)
    assert (run.state, run.error) == (RunState.SUCCEEDED, "")
    assert len(ran(world)) == 2
    (after,) = [task for task in ran(world) if "/" not in task]
    assert gave(run, after, "said") == said
    assert len([event for event in world.told if event.state == SKIPPED]) >= 2


def test_a_branch_that_does_not_hold_is_told_of_and_the_run_succeeds(world: World) -> None:
    run = world.run(graphs.skipped, flag=False)
    assert run.state is RunState.SUCCEEDED
    assert [gave(run, task.replace("/", "."), "said") for task in ran(world)] == ["half"]
    assert [event.task for event in world.told if event.state == SKIPPED] == ["condition-1"]


def test_a_loop_runs_each_round_and_what_it_gave_is_collected_in_order(world: World) -> None:
    run = world.run(graphs.loops)
    assert (run.state, run.error) == (RunState.SUCCEEDED, "")
    assert json.loads(gave(run, "gather", "last")) == [11, 12, 13]
    assert gave(run, "pack", "out") == "1 1 2 2 3 3"
    said = [task for task in ran(world) if task.endswith("say")]
    assert len(said) == 1 and "/1/" in said[0]
    assert gave(run, said[0].replace("/", "."), "said") == "two 2"


def test_a_loop_over_nothing_gives_empty_lists(world: World) -> None:
    run = world.run(graphs.loops, numbers=[])
    assert (run.state, run.error) == (RunState.SUCCEEDED, "")
    assert json.loads(gave(run, "gather", "last")) == []


def test_a_field_that_kfp_does_not_hand_on_into_a_text_fails_the_task_by_name(world: World) -> None:
    run = world.run(graphs.lost)
    assert run.state is RunState.FAILED
    assert "subvar-b', which has no value" in run.error


def test_a_failure_in_a_round_fails_the_run_and_names_the_round(world: World) -> None:
    run = world.run(graphs.loop_fails)
    assert isinstance(run.problem(), TaskFailed)
    assert run.failed_task.endswith("/0/fail")
    assert not [task for task in ran(world) if "/1/" in task]


@pytest.mark.parametrize(("good", "state"), [(True, "SUCCEEDED"), (False, "FAILED")])
def test_the_exit_task_runs_however_the_rest_ended_and_is_told_of_it(
    world: World, good: bool, state: str
) -> None:
    run = world.run(graphs.exits, good=good)
    assert run.state.name == state
    told = json.loads(gave(run, "closing", "said"))
    assert told["state"] == state
    assert ("exit code 7" in told.get("error", {}).get("message", "")) is not good
    assert run.failed_task == ("" if good else run.failed_task) and "closing" in ran(world)


def test_a_task_that_ignores_a_failure_runs_and_the_run_fails_all_the_same(world: World) -> None:
    run = world.run(graphs.ignores)
    assert ran(world) == {"say"}
    assert (run.state, run.failed_task) == (RunState.FAILED, "fail")


def test_a_task_in_a_loop_is_retried_as_its_policy_says(world: World) -> None:
    run = world.run(graphs.retried_inside, counter=str(world.folder / "counter"))
    assert (run.state, run.error) == (RunState.SUCCEEDED, "")
    assert (world.folder / "counter").read_text() == "xxx"


@pytest.mark.parametrize(
    ("pipeline", "words"),
    [(graphs.retried_whole, "retries of a whole graph"), (graphs.quoted, "condition that no backend reads")],
)
def test_what_is_not_run_here_is_refused_by_name(world: World, pipeline: object, words: str) -> None:
    with pytest.raises(NotYetSupported, match=words):
        world.run(pipeline, **({"word": "x"} if pipeline is graphs.quoted else {}))


def test_kfp_writes_each_construct_so_that_the_walk_is_tested_on_it(tmp_path: Path) -> None:
    made = [graphs.branched, graphs.loops, graphs.exits, graphs.ignores]
    text = "".join(projects.compile_to(one, tmp_path / "p.yaml").read_text() for one in made)
    for word in (
        "valueFromOneof",
        "parameterIterator",
        "parallelismLimit",
        "taskFinalStatus",
        "artifactSelectors",
    ):
        assert word in text


def test_a_secret_reaches_a_task_in_a_loop_and_no_log(world: World) -> None:
    world.environ = {"TAGLINE_SECRET_VAULT_ROLE_ID": "s3cr3t-value"}
    run = world.run(graphs.secret_inside)
    assert run.state is RunState.SUCCEEDED
    logs = [path.read_text() for path in run.outputs.glob("logs/*.show.log")]
    assert len(logs) == 2 and all("'VAULT_ID': '***'" in log for log in logs)


def test_a_task_in_a_loop_that_lacks_its_secret_is_named_before_anything_runs(world: World) -> None:
    with pytest.raises(SecretMissing, match="task 'show' needs key 'role-id'"):
        world.run(graphs.secret_inside)
    assert world.pipelines.runs("") == []


def test_a_task_in_a_loop_has_its_own_time_limit(world: World) -> None:
    run = world.run(graphs.limited_inside, argument=str(world.folder / "pids"))
    assert isinstance(run.problem(), TaskTimedOut)
    assert not alive(world.folder / "pids")


def test_a_mount_that_this_platform_has_not_is_refused_in_a_loop_too(world: World) -> None:
    with pytest.raises(NotYetSupported, match="secret as a volume"):
        world.run(graphs.volume_inside)


def test_an_output_of_another_type_than_declared_breaks_the_task_s_contract(world: World) -> None:
    run = world.run(graphs.wrong)
    assert isinstance(run.problem(), TaskContractBroken)
    assert "'many' as its output 'words', which is to be NUMBER_INTEGER" in run.error
