"""The walk of a compiled graph: what runs, what is skipped, what runs all the same, loops and graphs inside."""

from collections.abc import Callable, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any, Protocol

import msgspec

from tagline.errors import PipelineError
from tagline.pipeline.conditions import holds, read_condition
from tagline.platforms.local.graphs import values
from tagline.platforms.local.graphs.values import Result, State, Values

ALWAYS = "ALL_UPSTREAM_TASKS_COMPLETED"


class Leaf(msgspec.Struct, frozen=True):
    """One task that runs: its path of names, such as `for-loop-1/0/train`, and what the file says of it."""

    path: str
    task: dict[str, Any]
    component: dict[str, Any]


class Hands(Protocol):
    """What the walk cannot do by itself."""

    def run(self, leaf: Leaf, given: Values) -> Result:
        """Run one task, with its retries."""

    def skip(self, path: str) -> None:
        """Hear of a task whose condition does not hold."""

    def fill(self, text: str, given: Mapping[str, Any]) -> str:
        """A constant's text with its placeholders replaced."""

    def final(self, task: str, result: Result) -> dict[str, Any]:
        """A task's end, as PipelineTaskFinalStatus has it."""


class Walk:
    """Walks one compiled pipeline, task by task, in an order that the file alone decides."""

    def __init__(self, ir: Mapping[str, Any], hands: Hands) -> None:
        self._components: dict[str, Any] = ir.get("components", {})
        self._root: dict[str, Any] = ir["root"]
        self._hands = hands

    def run(self, parameters: Mapping[str, Any]) -> Result:
        """Run the pipeline with these parameters and its defaults. A failed task fails it, whatever follows."""
        return self._graph(self._root, Values(dict(parameters)), "")

    def _graph(self, component: dict[str, Any], given: Values, path: str) -> Result:
        around = values.fitted(component, given)
        dag = component["dag"]
        done: dict[str, Result] = {}
        for name in order(dag.get("tasks", {})):
            done[name] = self._task(dag["tasks"][name], around, done, f"{path}{name}")
        failed = [one for one in done.values() if one.state is State.FAILED]
        if failed:
            return Result(State.FAILED, problem=failed[0].problem, task=failed[0].task)
        return Result(State.SUCCEEDED, values.outputs(dag, done))

    def _task(self, task: dict[str, Any], around: Values, done: dict[str, Result], path: str) -> Result:
        if not due(task, done):
            return Result(State.SKIPPED)
        try:
            given = values.inputs(task, around, done, self._finals(done), self._hands.fill)
            component = self._components[task["componentRef"]["name"]]
            condition = task.get("triggerPolicy", {}).get("condition", "")
            if condition and not holds(read_condition(condition), values.fitted(component, given).parameters):
                self._hands.skip(path)
                return Result(State.SKIPPED)
            return self._loop(task, component, given, path)
        except PipelineError as error:
            return Result(State.FAILED, problem=f"task {path!r}: {error.what}", task=path)

    def _finals(self, done: Mapping[str, Result]) -> Callable[[str], dict[str, Any]]:
        return lambda name: self._hands.final(name, done[name])

    def _loop(self, task: dict[str, Any], component: dict[str, Any], given: Values, path: str) -> Result:
        if "parameterIterator" not in task and "artifactIterator" not in task:
            return self._component(task, component, given, path)
        rounds = []
        for number, one in enumerate(turns(task, given)):
            result = self._component(task, component, one, f"{path}/{number}")
            if result.state is State.FAILED:
                return result
            rounds.append(result.outputs)
        return Result(State.SUCCEEDED, _declared(component, values.collected(rounds)))

    def _component(self, task: dict[str, Any], component: dict[str, Any], given: Values, path: str) -> Result:
        if "dag" in component:
            return self._graph(component, given, f"{path}/")
        fitted = values.fitted(component, given)
        if missing := _missing(component, fitted):
            raise PipelineError(f"input {missing[0]!r} has no value: what gives it did not run")
        return self._hands.run(Leaf(path, task, component), fitted)


def order(tasks: Mapping[str, Any]) -> list[str]:
    """The tasks' names so that each comes after those it depends on; raises `PipelineError` at a circle."""
    try:
        return list(
            TopologicalSorter(
                {name: task.get("dependentTasks", []) for name, task in tasks.items()}
            ).static_order()
        )
    except CycleError as error:
        raise PipelineError(f"tasks wait for each other: {', '.join(error.args[1])}") from error


def due(task: Mapping[str, Any], done: Mapping[str, Result]) -> bool:
    """Whether a task runs: after a failure only what is there for it, after a skipped task nothing else."""
    if task.get("triggerPolicy", {}).get("strategy") == ALWAYS:
        return True
    ended = [done[name].state for name in task.get("dependentTasks", [])]
    failed = any(one.state is State.FAILED for one in done.values())
    return not failed and all(state is State.SUCCEEDED for state in ended)


def turns(task: Mapping[str, Any], given: Values) -> Iterator[Values]:
    """The inputs of each round of a loop; raises `PipelineError` where what it goes through is no list."""
    if "artifactIterator" in task:
        loop = task["artifactIterator"]
        for item in given.artifacts.get(loop["items"]["inputArtifact"], []):
            yield Values(given.parameters, {**given.artifacts, loop["itemInput"]: [item]})
        return
    loop = task["parameterIterator"]
    source = loop["items"]
    items = source["raw"] if "raw" in source else given.parameters.get(source["inputParameter"])
    found = values.read_json(items) if isinstance(items, str) else items
    if not isinstance(found, list):
        raise PipelineError(f"the loop goes through {items!r}, which is no list")
    for item in found:
        yield Values({**given.parameters, loop["itemInput"]: item}, given.artifacts)


def _declared(component: Mapping[str, Any], found: Values) -> Values:
    """A loop's outputs, empty lists too: a loop of no rounds gives nothing of each."""
    named = component.get("outputDefinitions", {})
    return Values(
        {name: found.parameters.get(name, []) for name in named.get("parameters", {})},
        {name: found.artifacts.get(name, []) for name in named.get("artifacts", {})},
    )


def _missing(component: Mapping[str, Any], given: Values) -> list[str]:
    named = component.get("inputDefinitions", {})
    wanted = [*named.get("parameters", {}).items(), *named.get("artifacts", {}).items()]
    return [
        name
        for name, one in wanted
        if not one.get("isOptional")
        and "defaultValue" not in one
        and name not in given.parameters
        and name not in given.artifacts
    ]
