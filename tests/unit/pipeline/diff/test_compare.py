"""Two compiled pipelines side by side: nothing where nothing changed, every changed field named, both ways alike."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tagline.pipeline.compiled import Compiled
from tagline.pipeline.diff.change import Change, Kind
from tagline.pipeline.diff.compare import compare
from tagline.pipeline.diff.fields import HIDDEN

from tests.unit.pipeline.lint.sound import container, sound, task

Path = tuple[str | int, ...]


def leaves(value: Any, path: Path = ()) -> list[Path]:
    if isinstance(value, dict) and value and path[-3:-2] != ("inputs",):  # what feeds an input is one field
        return [each for key in value for each in leaves(value[key], (*path, key))]
    return [path]


LEAVES = [
    path
    for path in leaves(sound().ir)
    if path[0] != "sdkVersion" and path[-1] not in ("executorLabel", "name")
]


def put(ir: Any, path: Path, value: Any) -> None:
    for step in path[:-1]:
        ir = ir[step]
    ir[path[-1]] = value


def drop(ir: Any, path: Path) -> None:
    for step in path[:-1]:
        ir = ir[step]
    del ir[path[-1]]


def renamed(made: Compiled, old: str, new: str) -> Compiled:
    tasks = made.ir["root"]["dag"]["tasks"]
    tasks[new] = tasks.pop(old)
    tasks[new]["taskInfo"] = {"name": new}
    for one in tasks.values():
        if "dependentTasks" in one:
            one["dependentTasks"] = [new if each == old else each for each in one["dependentTasks"]]
        for source in one["inputs"].get("artifacts", {}).values():
            if source["taskOutputArtifact"]["producerTask"] == old:
                source["taskOutputArtifact"]["producerTask"] = new
    return made


def text(before: Compiled, after: Compiled) -> list[str]:
    return [str(each) for each in compare(before, after)]


changed = st.lists(st.tuples(st.sampled_from(LEAVES), st.sampled_from(["put", "drop"])), max_size=5)


def mutated(steps: list[tuple[Path, str]]) -> Compiled:
    made = sound()
    for path, how in steps:
        try:
            put(made.ir, path, f"changed {path}") if how == "put" else drop(made.ir, path)
        except (KeyError, TypeError):
            continue  # an earlier step has dropped it
    return made


@given(changed)
def test_a_pipeline_does_not_differ_from_itself(steps: list[tuple[Path, str]]) -> None:
    assert compare(mutated(steps), mutated(steps)) == []


@given(changed, changed)
def test_the_way_back_is_the_way_there_inverted(
    one: list[tuple[Path, str]], other: list[tuple[Path, str]]
) -> None:
    there, back = compare(mutated(one), mutated(other)), compare(mutated(other), mutated(one))
    assert sorted(map(repr, back)) == sorted(repr(each.inverse()) for each in there)


@pytest.mark.parametrize("path", LEAVES, ids=lambda path: ".".join(map(str, path)))
@pytest.mark.parametrize("how", ["put", "drop"])
def test_every_field_that_changes_is_named_at_its_place(path: Path, how: str) -> None:
    changes = compare(sound(), mutated([(path, how)]))
    change = next((one for one in changes if one.path.split(".")[-1] in map(str, path)), changes[0])
    owner = (
        path[3]
        if path[:3] == ("root", "dag", "tasks")
        else path[1].rpartition("-")[2]
        if len(path) > 1 and "-" in str(path[1])
        else ""
    )
    owner = str(path[2]).removeprefix("exec-") if path[0] == "deploymentSpec" else owner
    if owner:
        assert {one.place for one in changes} == {f"task {owner}"}
    assert str(path[-1]) in change.path
    assert all(str(one) for one in changes)


def test_the_sdk_alone_is_no_change() -> None:
    made = sound()
    made.ir["sdkVersion"] = "kfp-9"
    assert compare(sound(), made) == []


def test_the_labels_that_kfp_numbers_are_no_change() -> None:
    made = sound()
    for places, old, new in (("components", "comp-one", "comp-7"),):
        made.ir[places][new] = made.ir[places].pop(old)
    task(made)["componentRef"]["name"] = "comp-7"
    assert compare(sound(), made) == []


def test_a_renamed_task_is_told_once_with_no_word_of_those_that_read_it() -> None:
    assert text(sound(), renamed(sound(), "one", "first")) == ["task one is now called task first"]


def test_a_task_that_came_and_one_that_went_are_told_whole() -> None:
    made = sound()
    del made.ir["root"]["dag"]["tasks"]["light"]
    assert text(sound(), made)[-1] == "task light is gone"
    assert text(made, sound())[-1] == "task light is new"


WORDS: list[tuple[Any, str]] = [
    (lambda made: container(made).update(image="wine:2"), "task one: image: "),
    (
        lambda made: container(made)["resources"].update(resourceMemoryLimit="4Gi"),
        "memory limit: 2Gi is now 4Gi",
    ),
    (lambda made: task(made).update(cachingOptions={}), "task one: caching is gone: true"),
    (lambda made: task(made).update(retryPolicy={"maxRetryCount": 3}), "task one: retries is new: 3"),
    (lambda made: made.ir["root"]["inputDefinitions"]["parameters"].update(m={}), "parameter m is new"),
    (
        lambda made: made.ir["root"]["inputDefinitions"]["parameters"]["n"].update(defaultValue=5.0),
        "parameter n: defaultValue: 3.0 is now 5.0",
    ),
    (
        lambda made: task(made, "two")["inputs"]["artifacts"]["data"].update(
            taskOutputArtifact={"producerTask": "light", "outputArtifactKey": "rows"}
        ),
        "task two: input data: data of one is now rows of light",
    ),
    (lambda made: container(made, "two")["env"][0].update(value="prod"), "variable STAGE: dev is now prod"),
    (
        lambda made: made.platform.update(
            platforms={"kubernetes": {"deploymentSpec": {"executors": {"exec-one": {"secretAsEnv": ["x"]}}}}}
        ),
        "task one: secrets is new",
    ),
    (
        lambda made: container(made, "light")["command"].__setitem__(
            -1, container(made, "light")["command"][-1] + "\nx\n"
        ),
        "task light: command: 2 lines new, 0 lines gone",
    ),
]


@pytest.mark.parametrize(("change", "words"), WORDS, ids=[words for _, words in WORDS])
def test_a_change_is_told_in_words(change: Any, words: str) -> None:
    made = sound()
    change(made)
    assert any(words in each for each in text(sound(), made)), text(sound(), made)


def test_a_secret_is_not_told() -> None:
    one, other = sound(), sound()
    container(one)["env"] = [{"name": "DB_PASSWORD", "value": "hunter2"}]
    container(other)["env"] = [{"name": "DB_PASSWORD", "value": "hunter3"}]
    (change,) = compare(one, other)
    assert (change.what, change.before, change.after) == ("variable DB_PASSWORD", HIDDEN, HIDDEN)
    assert "hunter" not in repr(change)


def test_true_is_not_one() -> None:
    one, other = sound(), sound()
    task(one)["inputs"]["parameters"]["n"] = {"runtimeValue": {"constant": True}}
    task(other)["inputs"]["parameters"]["n"] = {"runtimeValue": {"constant": 1}}
    assert len(compare(one, other)) == 1


def test_what_a_task_inside_a_group_changes_is_told_at_its_path() -> None:
    made = sound()
    tasks = made.ir["root"]["dag"]["tasks"]
    made.ir["components"]["comp-loop"] = {"dag": {"tasks": {"light": tasks.pop("light")}}}
    tasks["loop"] = {"componentRef": {"name": "comp-loop"}, "taskInfo": {"name": "loop"}}
    other = Compiled(copy.deepcopy(made.ir))
    container(other, "light")["image"] = "wine:2"
    (change,) = compare(made, other)
    assert isinstance(change, Change)
    assert (change.kind, change.place, change.what) == (Kind.CHANGED, "task loop/light", "image")
