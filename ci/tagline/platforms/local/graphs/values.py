"""What flows in a graph: values of inputs and outputs, where the compiled file says that they come from."""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from tagline.errors import PipelineError

_FIELD = re.compile(r'parseJson\(string_value\)\["(.*)"\]', re.DOTALL)
Fill = Callable[[str, Mapping[str, Any]], str]


class State(StrEnum):
    """How a task or a graph ended."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"


class Values(msgspec.Struct, frozen=True):
    """Parameters by name, and artifacts by name: each a list, as kfp hands them on."""

    parameters: dict[str, Any] = {}
    artifacts: dict[str, list[dict[str, Any]]] = {}


class Result(msgspec.Struct, frozen=True):
    """The end of a task: outputs only where it succeeded; a problem, and the task that had it, where it failed."""

    state: State
    outputs: Values = Values()
    problem: str = ""
    task: str = ""


def inputs(
    task: Mapping[str, Any],
    around: Values,
    done: Mapping[str, Result],
    finals: Callable[[str], Any],
    fill: Fill,
) -> Values:
    """A task's inputs: constants, the graph's own inputs, other tasks' outputs; what has no value is left out.

    `finals` gives the final status of a task, `fill` a constant with its placeholders replaced.
    """
    wires = task.get("inputs", {})
    parameters, constants = {}, {}
    for name, wire in wires.get("parameters", {}).items():
        if "runtimeValue" in wire:
            constants[name] = wire["runtimeValue"].get("constant")
            continue
        found, value = _parameter(wire, around, done, finals)
        if found:
            parameters[name] = _field(value, wire.get("parameterExpressionSelector", ""))
    for name, value in constants.items():
        parameters[name] = fill(value, parameters) if isinstance(value, str) else value
    artifacts = {
        name: value
        for name, wire in wires.get("artifacts", {}).items()
        if (value := _artifact(wire, around, done)) is not None
    }
    return Values(parameters, artifacts)


def _parameter(
    wire: Mapping[str, Any], around: Values, done: Mapping[str, Result], finals: Callable[[str], Any]
) -> tuple[bool, Any]:
    if "componentInputParameter" in wire:
        name = wire["componentInputParameter"]
        return name in around.parameters, around.parameters.get(name)
    if "taskOutputParameter" in wire:
        source = wire["taskOutputParameter"]
        given = done[source["producerTask"]].outputs.parameters
        return source["outputParameterKey"] in given, given.get(source["outputParameterKey"])
    if "taskFinalStatus" in wire:
        return True, finals(wire["taskFinalStatus"]["producerTask"])
    raise PipelineError(f"an input comes from {', '.join(wire)}, which nobody knows")


def _artifact(
    wire: Mapping[str, Any], around: Values, done: Mapping[str, Result]
) -> list[dict[str, Any]] | None:
    if "componentInputArtifact" in wire:
        return around.artifacts.get(wire["componentInputArtifact"])
    if "taskOutputArtifact" in wire:
        source = wire["taskOutputArtifact"]
        return done[source["producerTask"]].outputs.artifacts.get(source["outputArtifactKey"])
    raise PipelineError(f"an input artifact comes from {', '.join(wire)}, which nobody knows")


def _field(value: Any, selector: str) -> Any:
    if not selector:
        return value
    match = _FIELD.fullmatch(selector)
    whole = read_json(value) if isinstance(value, str) else value
    if not match or not isinstance(whole, dict) or match[1] not in whole:
        raise PipelineError(f"{selector} finds nothing in {value!r}")
    return whole[match[1]]


def fitted(component: Mapping[str, Any], given: Values) -> Values:
    """The inputs as the component declares them: defaults where none is given, numbers whole where it says so.

    As on the cluster, a text that stands for another type is read as JSON, and any value is text where the
    component wants text.
    """
    declared = component.get("inputDefinitions", {}).get("parameters", {})
    defaults = {
        name: one["defaultValue"]
        for name, one in declared.items()
        if "defaultValue" in one and given.parameters.get(name) is None
    }
    parameters = {**given.parameters, **defaults}
    kinds = {name: declared.get(name, {}).get("parameterType", "") for name in parameters}
    return Values(
        {name: fit(name, value, kinds[name]) for name, value in parameters.items()}, given.artifacts
    )


def fit(name: str, value: Any, kind: str) -> Any:
    """One value as its declared type asks for; raises `PipelineError` for a value of another."""
    if value is None or not kind:
        return value
    if kind == "STRING":
        return value if isinstance(value, str) else json.dumps(_whole(value))
    given = read_json(value) if isinstance(value, str) and kind != "TASK_FINAL_STATUS" else value
    if not _is_of(given, kind):
        raise PipelineError(f"input {name!r} is {value!r}, the pipeline wants {kind}")
    value = given
    if kind == "NUMBER_DOUBLE" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value if kind == "NUMBER_DOUBLE" else _whole(value)


def read_json(text: str) -> Any:
    """What a text says as JSON; `_NONE` for one that is none."""
    try:
        return json.loads(text)
    except ValueError:
        return _NONE


def _is_of(value: Any, kind: str) -> bool:
    """Whether a value is of a declared type, as the backend checks it: no other kind is taken, no NaN or infinity."""
    match kind:
        case "NUMBER_INTEGER" | "NUMBER_DOUBLE":
            return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        case "BOOLEAN":
            return isinstance(value, bool)
        case "LIST":
            return isinstance(value, list)
        case "STRUCT":
            return isinstance(value, dict)
    return value is not _NONE


def _whole(value: Any) -> Any:
    """Numbers that are whole as such: a compiled file writes each as a float."""
    match value:
        case float() if value.is_integer():
            return int(value)
        case list():
            return [_whole(each) for each in value]
        case dict():
            return {key: _whole(each) for key, each in value.items()}
    return value


def outputs(dag: Mapping[str, Any], done: Mapping[str, Result]) -> Values:
    """A graph's outputs, from the tasks that gave them; of several sources (OneOf) the one that ran."""
    wires = dag.get("outputs", {})
    parameters, artifacts = {}, {}
    for name, wire in wires.get("parameters", {}).items():
        one = wire.get("valueFromParameter")
        sources = [one] if one else wire.get("valueFromOneof", {}).get("parameterSelectors", [])
        for given in (
            done[each["producerSubtask"]].outputs.parameters.get(each["outputParameterKey"], _NONE)
            for each in sources
        ):
            if given is not _NONE:
                parameters[name] = given
                break
    for name, wire in wires.get("artifacts", {}).items():
        for each in wire.get("artifactSelectors", []):
            found = done[each["producerSubtask"]].outputs.artifacts.get(each["outputArtifactKey"])
            if found is not None:
                artifacts[name] = found
                break
    return Values(parameters, artifacts)


_NONE = object()


def collected(rounds: Sequence[Values]) -> Values:
    """The outputs of a loop: each parameter the list over its rounds, artifacts all of them in order."""
    parameters = {name: None for each in rounds for name in each.parameters}
    artifacts = {name: None for each in rounds for name in each.artifacts}
    return Values(
        {name: [each.parameters[name] for each in rounds if name in each.parameters] for name in parameters},
        {name: [one for each in rounds for one in each.artifacts.get(name, [])] for name in artifacts},
    )
