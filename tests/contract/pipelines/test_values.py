"""Values that tasks write: read as the backend reads them, so that none leads into the wrong branch or model."""

import json

import pytest
from tagline.errors import TaskContractBroken
from tagline.platforms import RunState
from tagline.platforms.local import outputs

from . import values_graphs as graphs
from .conftest import World
from .test_graphs import gave, ran


@pytest.mark.parametrize(("text", "said"), [("1", "yes"), ("T", "yes"), ("True\n", "yes"), ("0", "no")])
def test_a_truth_in_any_form_of_the_backend_takes_its_own_branch(world: World, text: str, said: str) -> None:
    run = world.run(graphs.flagged, text=text)
    assert (run.state, run.error) == (RunState.SUCCEEDED, "")
    (branch,) = [task for task in ran(world) if "/" in task]
    assert gave(run, branch.replace("/", "."), "said") == said


@pytest.mark.parametrize(
    ("pipeline", "text"),
    [
        (graphs.flagged, "5"),
        (graphs.flagged, "null"),
        (graphs.numbered, "3.7"),
        (graphs.numbered, "true"),
        (graphs.shared, "NaN"),
        (graphs.shared, "true"),
        (graphs.looped, '"words"'),
        (graphs.looped, "{}"),
    ],
)
def test_a_value_of_another_type_than_declared_takes_no_branch(
    world: World, pipeline: object, text: str
) -> None:
    run = world.run(pipeline, text=text)
    assert isinstance(run.problem(), TaskContractBroken)
    assert ran(world) == set()


@pytest.mark.parametrize("items", [["x"], [{"b": 1}], [3]])
def test_a_loop_over_items_without_the_field_fails_and_the_exit_task_runs(
    world: World, items: list[object]
) -> None:
    run = world.run(graphs.fields, items=items)
    assert run.state is RunState.FAILED
    assert 'parseJson(string_value)["a"] finds nothing' in run.error
    assert json.loads(gave(run, "closing", "said"))["state"] == "FAILED"


def test_a_model_of_one_round_has_no_metrics_of_another(world: World) -> None:
    run = world.run(graphs.swept)
    models = sorted(task for task in ran(world) if task.endswith("/join"))
    found = [outputs.model_facts(run.outputs, [f"{task}.model"]) for task in models]
    assert [facts and dict(facts.metrics) for facts in found] == [{"acc": 0.9}, {"acc": 0.1}]


def test_tasks_whose_paths_are_longer_than_a_file_s_name_run_and_stay_apart(world: World) -> None:
    run = world.run(graphs.deep)
    assert (run.state, run.error) == (RunState.SUCCEEDED, "")
    assert len(ran(world)) == len([*run.outputs.glob("logs/*~*.log")]) == 2
