"""One run under Kubeflow: the executor input bound to a task's arguments, and what it gave written back.

The format is kfp's ExecutorInput and ExecutorOutput (kfp.pipeline_spec), as JSON. Its traps, and what is
done: folders that nobody made are made; the output has `parameterValues` and `artifacts` only, since the
launcher refuses any other key; every output artifact is listed, with or without metadata, since the local
runner loses one that is not; the file is replaced atomically; NaN becomes a string. The JSON arrives as one
argument, which Linux caps at 128 KiB: large values belong in an artifact.
"""

import json
import os
import sys
from dataclasses import dataclass, field
from typing import Any

from tagline_task import masking
from tagline_task.artifacts import ARTIFACTS, Artifact, Metrics, local_path, written
from tagline_task.errors import ContractError, OutputError
from tagline_task.files import make_parent, write_json, write_text
from tagline_task.signature import Parameter, Signature, Slot
from tagline_task.values import fit, shown, to_json

_AGAIN = "compile the pipeline again from this task's signature"


@dataclass(frozen=True)
class Given:
    """An output artifact as it was handed to the task, to tell what the task did with it."""

    name: str
    artifact: Artifact
    uri: str
    metadata: dict[str, Any]
    stamp: tuple[int, int, int] | None


@dataclass(frozen=True)
class Bound:
    """A task ready to be called: its arguments, its outputs, and where the answer goes ("" = nowhere)."""

    arguments: dict[str, Any]
    outputs: list[Given]
    parameter_files: dict[str, str] = field(default_factory=dict)
    output_file: str = ""


def give(name: str, artifact: Artifact) -> Given:
    """An output artifact about to be handed to a task, its parent folder made."""
    make_parent(artifact.path)
    return Given(name, artifact, artifact.uri, dict(artifact.metadata), _stamp(artifact.path))


def bind(signature: Signature, text: str) -> Bound:
    """Arguments, outputs and destinations from the text of `--executor_input`. Raises `ContractError`."""
    data = _load(text)
    inputs, outputs = _part(data, "inputs"), _part(data, "outputs")
    slots = signature.slots(output=False)
    arguments = _parameters(signature, _part(inputs, "parameterValues"))
    arguments |= _artifacts(slots, _part(inputs, "artifacts"), "input")
    results = _artifacts(signature.slots(output=True), _part(outputs, "artifacts"), "output")
    output_file = outputs.get("outputFile")
    if not isinstance(output_file, str) or not output_file:
        raise ContractError(f"--executor_input has no outputs.outputFile, got {shown(output_file)}")
    return Bound(
        arguments | results,
        [give(name, artifact) for name, artifact in results.items()],
        _parameter_files(signature, _part(outputs, "parameters")),
        output_file,
    )


def finish(signature: Signature, bound: Bound, returned: object) -> None:
    """Check that everything declared was given, and write it. Raises `OutputError`, `ContractError`."""
    check_written(bound.outputs)
    warn_of_mapped(bound.outputs)
    values = returned_values(signature, returned)
    named = dict(zip(bound.parameter_files, values.values(), strict=False))
    for given in bound.outputs:
        write_metrics(given)
    for name, value in named.items():
        shown_value = masking.HIDDEN.clean_all(value)
        text = shown_value if isinstance(value, str) else json.dumps(shown_value, allow_nan=False)
        write_text(bound.parameter_files[name], text)
    artifacts = {given.name: {"artifacts": [_entry(given)]} for given in bound.outputs}
    both = {"parameterValues": named, "artifacts": artifacts}
    write_json(bound.output_file, {key: value for key, value in both.items() if value})


def check_written(outputs: list[Given]) -> None:
    """Raise `OutputError` naming the outputs that the task declared and did not hand over."""
    missing = [each for each in outputs if not written(each.artifact, each.uri, each.metadata)]
    if missing:
        names = ", ".join(
            f"{each.name} ({type(each.artifact).__name__}, {each.artifact.path})" for each in missing
        )
        raise OutputError(f"declared but not written: {names}")


def returned_values(signature: Signature, returned: object) -> dict[str, Any]:
    """The output parameters that a return value carries, by name. Raises `OutputError`."""
    if not signature.returns:
        if returned is not None:
            print(f"warning: task {signature.task} returns a value but declares none", file=sys.stderr)
        return {}
    many = isinstance(returned, tuple) and hasattr(returned, "_fields")
    values: tuple[object, ...] = returned if many else (returned,)  # type: ignore[assignment]  # as `many` says
    if len(values) != len(signature.returns):
        wanted = ", ".join(f"{each.name}: {each.kind}" for each in signature.returns)
        raise OutputError(f"the return value wants ({wanted}), got {shown(returned)}")
    return {each.name: _result(each, value) for each, value in zip(signature.returns, values, strict=True)}


def write_metrics(given: Given) -> None:
    """Write logged metrics as a JSON file too, unless the task wrote the file itself."""
    artifact = given.artifact
    if isinstance(artifact, Metrics) and artifact.metadata and _stamp(artifact.path) == given.stamp:
        write_json(artifact.path, plain_metadata(given))


def warn_of_mapped(outputs: list[Given]) -> None:
    """Print a warning line for each metadata value that JSON cannot hold as a number."""
    for given in outputs:
        mapped: list[str] = []
        to_json(given.artifact.metadata, given.name, mapped)
        for place in mapped:
            print(f"warning: {place} is not finite; written as a string", file=sys.stderr)


def plain_metadata(given: Given) -> dict[str, Any]:
    """An output's metadata as strict JSON holds it (see `values.to_json`)."""
    metadata: dict[str, Any] = to_json(given.artifact.metadata, given.name, [])
    return metadata


def _result(wanted: Parameter, value: object) -> Any:
    mapped: list[str] = []
    try:
        result = to_json(fit(wanted.kind, value, f"return value {wanted.name}"), wanted.name, mapped)
    except ContractError as error:
        raise OutputError(str(error)) from None
    if mapped:
        raise OutputError(f"return value {mapped[0]} must be finite, got {shown(value)}")
    return result


def _entry(given: Given) -> dict[str, Any]:
    return {"name": given.artifact.name, "uri": given.artifact.uri, "metadata": plain_metadata(given)}


def _stamp(path: str) -> tuple[int, int, int] | None:
    if not os.path.exists(path):
        return None
    facts = os.stat(path)
    return facts.st_mtime_ns, facts.st_size, facts.st_ino


def _load(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except ValueError as error:
        raise ContractError(f"--executor_input wants JSON, got {shown(text)} ({error})") from None
    if not isinstance(data, dict):
        raise ContractError(f"--executor_input wants a JSON object, got {shown(text)}")
    return data


def _part(data: dict[str, Any], key: str) -> dict[str, Any]:
    part = data.get(key) or {}
    if not isinstance(part, dict):
        raise ContractError(f"--executor_input: {key} wants an object, got {shown(part)}")
    return part


def _parameters(signature: Signature, values: dict[str, Any]) -> dict[str, Any]:
    known = {each.name: each for each in signature.parameters}
    _no_strangers(values, known, "parameter")
    return {name: _value(each, values) for name, each in known.items()}


def _value(wanted: Parameter, values: dict[str, Any]) -> Any:
    value = values.get(wanted.name)
    if value is None and not wanted.required:
        return wanted.default
    if wanted.name not in values and not wanted.optional:
        raise ContractError(f"argument {wanted.name} is missing: wants {wanted.kind}, got nothing")
    if value is None and wanted.optional:
        return None
    return fit(wanted.kind, value, f"argument {wanted.name}")


def _artifacts(slots: list[Slot], entries: dict[str, Any], side: str) -> dict[str, Artifact]:
    _no_strangers(entries, {slot.name for slot in slots}, f"{side} artifact")
    return {slot.name: _artifact(slot, entries.get(slot.name), side) for slot in slots}


def _artifact(slot: Slot, entry: Any, side: str) -> Artifact:
    found = entry.get("artifacts") if isinstance(entry, dict) else None
    if not isinstance(found, list) or not found or not isinstance(found[0], dict) or not found[0].get("uri"):
        got = shown(entry) if entry else "nothing"
        raise ContractError(f"argument {slot.name} is missing: wants {side} {slot.kind}, got {got}")
    first = found[0]
    metadata = _part(first, "metadata")
    path = first.get("customPath") or local_path(first["uri"], metadata)
    return ARTIFACTS[slot.kind](
        path, uri=first["uri"], name=first.get("name") or slot.name, metadata=metadata
    )


def _parameter_files(signature: Signature, entries: dict[str, Any]) -> dict[str, str]:
    """Destination files in the order of the return value; a single one may have any name.

    A pipeline that declares none does not want the return value.
    """
    names = [each.name for each in signature.returns]
    if len(names) == 1 and len(entries) == 1:
        names = list(entries)
    _no_strangers(entries, names, "output parameter")
    return {name: _output_file(name, entries.get(name)) for name in names} if entries else {}


def _output_file(name: str, entry: Any) -> str:
    path = entry.get("outputFile") if isinstance(entry, dict) else None
    if not isinstance(path, str) or not path:
        raise ContractError(f"output parameter {name} has no outputFile, got {shown(entry)}")
    return path


def _no_strangers(given: Any, known: Any, what: str) -> None:
    for name in given:
        if name not in known:
            raise ContractError(f"the pipeline gives {what} {name!r}, which the task does not take; {_AGAIN}")
