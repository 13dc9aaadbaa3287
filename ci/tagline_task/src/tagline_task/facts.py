"""What a finished training says of its model: one JSON file, the output artifact `facts`."""

import math
import os
import sys
from collections.abc import Mapping
from typing import Any

from tagline_task.artifacts import Artifact, Metrics
from tagline_task.errors import ContractError
from tagline_task.files import digest, write_json
from tagline_task.values import number, shown, to_json

_FIELDS = {"inputs", "output", "classes"}
_KINDS = {"b": "bool", "i": "int", "u": "int", "f": "float"}


def write_facts(
    facts: Artifact,
    *,
    model: Artifact,
    data: Artifact | None = None,
    metrics: Metrics | Mapping[str, float] | None = None,
    signature: Mapping[str, Any] | None = None,
) -> None:
    """Write the model's facts into `facts`, as the line reads them (`ModelFacts` of tagline.platforms).

    Fields: `uri` and `sha256` of the model (see `digest`), `metrics` (finite numbers only; others are left
    out with a warning), `data_sha256`, `signature` {inputs: [{name, type}], output, classes}, by default
    the model's metadata `signature`. Raises `ContractError` for a field of a wrong type.
    """
    if not os.path.exists(model.path):
        raise ContractError(
            f"write_facts: model wants a file or folder, got {shown(model.path)}, which is not there"
        )
    write_json(
        facts.path,
        {
            "uri": model.uri,
            "sha256": digest(model.path),
            "metrics": _numbers(metrics),
            "data_sha256": digest(data.path) if data is not None else "",
            "signature": _signature(model.metadata.get("signature", {}) if signature is None else signature),
        },
    )


def signature_of(features: Any, model: Any = None) -> dict[str, Any]:
    """The signature of a model trained on a data frame: its columns with their types, the model's classes.

    `features` is anything with pandas' `dtypes.items()`, `model` an estimator that may have `classes_`. Types
    are bool, int, float and str. `model.metadata["signature"] = signature_of(frame, estimator)` hands it on.
    """
    inputs = [
        {"name": str(name), "type": _KINDS.get(dtype.kind, "str")} for name, dtype in features.dtypes.items()
    ]
    found = getattr(model, "classes_", None)
    if found is None:
        return {"inputs": inputs, "output": "float", "classes": []}
    return {"inputs": inputs, "output": _KINDS.get(found.dtype.kind, "str"), "classes": found.tolist()}


def _numbers(metrics: Metrics | Mapping[str, float] | None) -> dict[str, float]:
    values = metrics.metadata if isinstance(metrics, Metrics) else metrics or {}
    finite: dict[str, float] = {}
    for name, value in values.items():
        if value in ("NaN", "Infinity", "-Infinity") or not math.isfinite(number(value, f"metric {name!r}")):
            print(f"warning: metric {name} is not finite; left out of the facts", file=sys.stderr)
        else:
            finite[str(name)] = number(value, name)
    return finite


def _signature(given: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(given) - _FIELDS)
    if unknown:
        raise ContractError(
            f"write_facts: signature has the unknown field {unknown[0]!r}; it takes {sorted(_FIELDS)}"
        )
    inputs, classes = list(given.get("inputs", [])), list(given.get("classes", []))
    for each in inputs:
        if (
            not isinstance(each, Mapping)
            or set(each) != {"name", "type"}
            or not all(map(_is_text, each.values()))
        ):
            raise ContractError(
                f"write_facts: signature.inputs wants {{name, type}} of text, got {shown(each)}"
            )
    output = given.get("output", "")
    if not isinstance(output, str):
        raise ContractError(f"write_facts: signature.output wants str, got {shown(output)}")
    plain = to_json([_whole(each) for each in classes], "signature.classes", [])
    return {"inputs": [dict(each) for each in inputs], "output": output, "classes": plain}


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _whole(value: object) -> object:
    """A class that Kubeflow's metadata turned from 1 into 1.0 is 1 again."""
    return int(value) if isinstance(value, float) and value.is_integer() else value
