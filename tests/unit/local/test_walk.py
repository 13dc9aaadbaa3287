"""The walk of a graph, with hands that only remember: order, failures, skips, loops, and what flows."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tagline.errors import PipelineError
from tagline.platforms.local.graphs.values import Result, State, Values, fit
from tagline.platforms.local.graphs.walk import ALWAYS, Leaf, Walk, order, turns
from tagline.platforms.local.hands import pauses

LEAF = {"executorLabel": "exec-a"}


class Hands:
    """Runs nothing: tasks whose names begin with `bad` fail, the others give their inputs as `out`."""

    def __init__(self) -> None:
        self.ran: dict[str, Values] = {}
        self.skipped: list[str] = []

    def run(self, leaf: Leaf, given: Values) -> Result:
        self.ran[leaf.path] = given
        if leaf.path.rpartition("/")[2].startswith("bad"):
            return Result(State.FAILED, problem="it is bad", task=leaf.path)
        return Result(State.SUCCEEDED, Values({"out": given.parameters}))

    def skip(self, path: str) -> None:
        self.skipped.append(path)

    def fill(self, text: str, given: Mapping[str, Any]) -> str:
        return text.format(**given)

    def final(self, task: str, result: Result) -> dict[str, Any]:
        return {"state": result.state.value}


def task(*after: str, component: str = "leaf", **more: Any) -> dict[str, Any]:
    return {"componentRef": {"name": component}, "dependentTasks": list(after), **more}


def walked(
    tasks: dict[str, Any], components: dict[str, Any] | None = None, **parameters: Any
) -> tuple[Hands, Result]:
    hands = Hands()
    ir = {"root": {"dag": {"tasks": tasks}}, "components": {"leaf": LEAF, **(components or {})}}
    return hands, Walk(ir, hands).run(parameters)


def constant(value: object) -> dict[str, Any]:
    return {"runtimeValue": {"constant": value}}


WHEN_FALSE = {"condition": "1 == 2"}
EXIT = {"strategy": ALWAYS}


@given(st.integers(1, 8), st.data())
def test_every_task_comes_after_those_it_waits_for(count: int, data: st.DataObject) -> None:
    names = [f"t{number}" for number in range(count)]
    waits = {
        name: data.draw(st.sets(st.sampled_from(names[:at] or [""]))) - {""} for at, name in enumerate(names)
    }
    found = order({name: {"dependentTasks": sorted(waits[name])} for name in reversed(names)})
    assert sorted(found) == sorted(names)
    assert all(found.index(one) < found.index(name) for name in names for one in waits[name])


def test_tasks_that_wait_for_each_other_are_an_error() -> None:
    with pytest.raises(PipelineError, match="wait for each other"):
        order({"a": task("b"), "b": task("a")})


def test_after_a_failure_only_what_is_there_for_it_runs_and_the_first_failure_is_the_run_s() -> None:
    hands, result = walked(
        {"bad": task(), "next": task("bad"), "z": task("next"), "bad-exit": task("bad", triggerPolicy=EXIT)}
    )
    assert set(hands.ran) == {"bad", "bad-exit"}
    assert (result.state, result.task, result.problem) == (State.FAILED, "bad", "it is bad")


def test_what_waits_for_a_skipped_task_is_skipped_but_not_what_runs_always() -> None:
    tasks = {"no": task(triggerPolicy=WHEN_FALSE), "next": task("no"), "exit": task("no", triggerPolicy=EXIT)}
    hands, result = walked(tasks)
    assert (set(hands.ran), hands.skipped, result.state) == ({"exit"}, ["no"], State.SUCCEEDED)


def test_an_exit_task_is_told_how_the_rest_ended() -> None:
    status = {"parameters": {"status": {"taskFinalStatus": {"producerTask": "bad"}}}}
    hands, _ = walked({"bad": task(), "exit": task("bad", triggerPolicy=EXIT, inputs=status)})
    assert hands.ran["exit"].parameters == {"status": {"state": "FAILED"}}


def test_a_graph_inside_a_loop_is_walked_once_for_each_item() -> None:
    item = {"parameters": {"n": {"componentInputParameter": "item"}}}
    components = {
        "inner": {
            "dag": {
                "tasks": {"one": task(inputs=item)},
                "outputs": {
                    "parameters": {
                        "all": {"valueFromParameter": {"producerSubtask": "one", "outputParameterKey": "out"}}
                    }
                },
            },
            "outputDefinitions": {"parameters": {"all": {"parameterType": "LIST"}}},
        }
    }
    loop = {"itemInput": "item", "items": {"raw": "[4, 5]"}}
    use = {
        "parameters": {"m": {"taskOutputParameter": {"producerTask": "loop", "outputParameterKey": "all"}}}
    }
    tasks = {"loop": task(component="inner", parameterIterator=loop), "use": task("loop", inputs=use)}
    hands, result = walked(tasks, components)
    assert (list(hands.ran), result.state) == (["loop/0/one", "loop/1/one", "use"], State.SUCCEEDED)
    assert hands.ran["use"].parameters == {"m": [{"n": 4}, {"n": 5}]}


@given(st.lists(st.integers() | st.text()))
def test_a_loop_has_a_round_for_each_item_in_order(items: list[object]) -> None:
    loop = {"parameterIterator": {"itemInput": "item", "items": {"inputParameter": "all"}}}
    rounds = list(turns(loop, Values({"all": items, "x": 1})))
    assert [one.parameters for one in rounds] == [{"all": items, "x": 1, "item": item} for item in items]


def test_a_loop_goes_through_artifacts_one_by_one() -> None:
    loop = {"artifactIterator": {"itemInput": "one", "items": {"inputArtifact": "all"}}}
    rounds = list(turns(loop, Values({}, {"all": [{"uri": "a"}, {"uri": "b"}]})))
    assert [one.artifacts["one"] for one in rounds] == [[{"uri": "a"}], [{"uri": "b"}]]


def test_what_is_no_list_cannot_be_looped_over() -> None:
    loop = {"itemInput": "item", "items": {"raw": "3"}}
    _, result = walked({"loop": task(parameterIterator=loop)})
    assert (result.state, "no list" in result.problem) == (State.FAILED, True)


def test_an_input_that_nothing_gave_fails_the_task_by_name() -> None:
    needy = {
        "executorLabel": "exec-b",
        "inputDefinitions": {"parameters": {"n": {"parameterType": "STRING"}}},
    }
    hands, result = walked({"a": task(component="needy")}, {"needy": needy})
    assert not hands.ran
    assert "task 'a': input 'n' has no value" in result.problem


def test_a_default_stands_in_for_an_input_that_is_not_given_and_a_given_one_wins() -> None:
    declared = {"n": {"parameterType": "NUMBER_INTEGER", "defaultValue": 3.0, "isOptional": True}}
    lazy = {"executorLabel": "exec-b", "inputDefinitions": {"parameters": declared}}
    wired = {"parameters": {"n": constant(4.0)}}
    hands, _ = walked(
        {"a": task(component="lazy"), "b": task(component="lazy", inputs=wired)}, {"lazy": lazy}
    )
    assert (hands.ran["a"].parameters, hands.ran["b"].parameters) == ({"n": 3}, {"n": 4})


def test_a_constant_is_filled_with_the_other_inputs_of_its_task_and_a_field_is_taken_out() -> None:
    field = {"componentInputParameter": "pair", "parameterExpressionSelector": 'parseJson(string_value)["a"]'}
    wired = {"parameters": {"text": constant("v-{a}"), "a": field}}
    hands, _ = walked({"one": task(inputs=wired)}, pair={"a": 7})
    assert hands.ran["one"].parameters == {"a": 7, "text": "v-7"}


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        (2.0, "STRING", "2"),
        ("2", "NUMBER_INTEGER", 2),
        (2, "NUMBER_DOUBLE", 2.0),
        ([1.0, {"a": 2.0}], "LIST", [1, {"a": 2}]),
        ('{"a": 1}', "STRUCT", {"a": 1}),
        (True, "BOOLEAN", True),
        (None, "STRING", None),
    ],
)
def test_a_value_becomes_what_its_declared_type_asks_for(value: Any, kind: str, expected: Any) -> None:
    assert repr(fit("n", value, kind)) == repr(expected)


def test_a_text_that_is_no_json_is_no_number() -> None:
    with pytest.raises(PipelineError, match="NUMBER_INTEGER"):
        fit("n", "three", "NUMBER_INTEGER")


def test_the_pauses_between_attempts_grow_to_their_limit() -> None:
    policy = {"maxRetryCount": 4, "backoffDuration": "1s", "backoffFactor": 3.0, "backoffMaxDuration": "5s"}
    assert pauses(policy) == [1.0, 3.0, 5.0, 5.0]
    assert pauses({}) == []
