"""What a task that ended well gave: its output parameters and artifacts, as the next tasks take them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tagline import foreign
from tagline.errors import PipelineError, TaskContractBroken
from tagline.platforms.local import planted
from tagline.platforms.local.graphs.values import Values, fit
from tagline.platforms.local.outputs import LARGEST

# as the backend reads a file: Go's ParseBool
_BOOLEANS = {
    **dict.fromkeys(("1", "t", "T", "true", "True", "TRUE"), True),
    **dict.fromkeys(("0", "f", "F", "false", "False", "FALSE"), False),
}


def read(task: str, executor_input: Mapping[str, Any], kinds: Mapping[str, str], run_folder: Path) -> Values:
    """The outputs of a task whose executor output is complete (`outputs.complete`); `kinds` are their types.

    A parameter's own file wins over the executor output. Raises `TaskContractBroken` for a value of another
    type than the declared one.
    """
    slots = executor_input["outputs"]
    answer = json.loads(_text(Path(slots["outputFile"]), run_folder))
    values = answer.get("parameterValues", answer.get("parameter_values", {}))
    found = {name: value for name, value in values.items() if name in slots.get("parameters", {})}
    for name, slot in slots.get("parameters", {}).items():
        if Path(slot["outputFile"]).exists():
            found[name] = _text(Path(slot["outputFile"]), run_folder)
    typed = {name: _typed(task, name, value, kinds.get(name, "")) for name, value in found.items()}
    return Values(typed, _artifacts(slots.get("artifacts", {}), answer.get("artifacts", {})))


def _text(file: Path, run_folder: Path) -> str:
    with planted.refused(str(file)):
        return foreign.read(file, LARGEST, run_folder).decode(errors="replace")


def _typed(task: str, name: str, value: Any, kind: str) -> Any:
    given = _BOOLEANS.get(value.strip(), value) if kind == "BOOLEAN" and isinstance(value, str) else value
    broken = TaskContractBroken(
        f"task {task!r} wrote {value!r} as its output {name!r}, which is to be {kind}",
        fix="write the value as JSON, or declare the output as text",
    )
    try:
        found = fit(name, given, kind)
    except PipelineError as error:
        raise broken from error
    if kind == "NUMBER_INTEGER" and isinstance(found, float):
        raise broken
    return found


def _artifacts(slots: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    return {
        name: [{**one, "type": slot["artifacts"][0].get("type", {})} for one in given[name]["artifacts"]]
        for name, slot in slots.items()
        if name in given
    }
