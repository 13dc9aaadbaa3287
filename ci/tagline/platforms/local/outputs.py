"""A task's outputs: folders made before it, all it wrote accounted for after it, and the run's model."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import msgspec
from tagline_task import masking

from tagline.errors import NoModel, TaskContractBroken
from tagline.platforms import ModelFacts

FACTS = "facts"
MODEL, METRICS = "system.Model", "system.Metrics"
RECORDS = "records"


class Output(msgspec.Struct, frozen=True):
    """One output artifact of a task that succeeded: where it lies, and whether anything is there."""

    task: str
    name: str
    type: str
    path: str
    metadata: dict[str, Any] = {}
    written: bool = True

    @property
    def key(self) -> str:
        return f"{self.task}.{self.name}"


def _declared(executor_input: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The declared output artifacts by name, each with its uri and type."""
    artifacts = executor_input["outputs"].get("artifacts", {})
    return {name: entry["artifacts"][0] for name, entry in artifacts.items()}


def prepare(executor_input: dict[str, Any]) -> None:
    """Empty the task's folder (an attempt starts clean) and make every folder that it writes into."""
    outputs = executor_input["outputs"]
    answer = Path(outputs["outputFile"])
    shutil.rmtree(answer.parent, ignore_errors=True)
    files = [entry["outputFile"] for entry in outputs.get("parameters", {}).values()]
    uris = [entry["uri"] for entry in _declared(executor_input).values()]
    for path in [answer, *map(Path, files), *map(Path, uris)]:
        path.parent.mkdir(parents=True, exist_ok=True)


def complete(task: str, executor_input: dict[str, Any]) -> list[Output]:
    """Complete the task's executor output, so that nothing declared is lost, and say what is there.

    Secret values that this process knows are masked in it.

    Raises `TaskContractBroken` for an answer that cannot be read and for output parameters not written.
    """
    outputs = executor_input["outputs"]
    answer = Path(outputs["outputFile"])
    given = masking.HIDDEN.clean_all(_answer(task, answer))
    _mask_parameters(outputs)
    values = given.get("parameterValues", given.get("parameter_values", {}))
    missing = [
        name
        for name, entry in outputs.get("parameters", {}).items()
        if name not in values and not os.path.exists(entry["outputFile"])
    ]
    if missing:
        raise TaskContractBroken(
            f"task {task!r} ended well but did not write its output {', '.join(map(repr, sorted(missing)))}",
            fix="write each declared output before the task ends",
        )
    entries = given.setdefault("artifacts", {})
    found = [_complete_one(task, name, slot, entries) for name, slot in _declared(executor_input).items()]
    _replace(answer, json.dumps(given))
    return found


def _mask_parameters(outputs: dict[str, Any]) -> None:
    """Mask the files of output parameters, which the orchestrator reads after the answer."""
    for entry in outputs.get("parameters", {}).values():
        file = Path(entry["outputFile"])
        if masking.HIDDEN.bytes and file.is_file():
            text = file.read_bytes()
            clean = masking.replace(text, masking.HIDDEN.bytes, masking.MASK.encode())
            if clean != text:
                file.write_bytes(clean)


def _complete_one(task: str, name: str, slot: dict[str, Any], entries: dict[str, Any]) -> Output:
    listed = entries.setdefault(name, {"artifacts": []}).setdefault("artifacts", [])
    if not listed:
        listed.append({"name": slot.get("name", name), "uri": slot["uri"]})
    entry = listed[0]
    entry.setdefault("uri", slot["uri"])
    path, metadata = str(entry["uri"]), dict(entry.get("metadata", {}))
    moved = path != slot["uri"]
    kind = slot.get("type", {}).get("schemaTitle", "")
    return Output(task, name, kind, path, metadata, bool(metadata) or moved or os.path.exists(path))


def _answer(task: str, file: Path) -> dict[str, Any]:
    if not file.exists():
        return {}
    try:
        given = json.loads(file.read_bytes())
        known = {"parameterValues", "parameter_values", "artifacts"}
        if isinstance(given, dict) and set(given) <= known and isinstance(given.get("artifacts", {}), dict):
            return given
        problem = f"it holds {', '.join(sorted(set(given) - known)) or 'no object'}"
    except (ValueError, TypeError) as error:
        problem = str(error)
    raise TaskContractBroken(
        f"task {task!r} wrote an executor output that cannot be read: {problem}",
        where=str(file),
        fix="write parameterValues and artifacts only, as strict JSON",
    )


def _replace(file: Path, text: str) -> None:
    draft = file.with_name(f".{file.name}.new")
    draft.write_text(text)
    draft.replace(file)


def record(run_folder: Path, task: str, outputs: list[Output]) -> None:
    """Keep what a task gave beside the run; `recorded` reads it."""
    folder = run_folder / RECORDS
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder / f"{task}.json", msgspec.json.encode(outputs).decode())


def recorded(run_folder: Path) -> list[Output]:
    """The output artifacts of a run's tasks, ordered by task."""
    files = sorted((run_folder / RECORDS).glob("*.json"))
    return [item for file in files for item in msgspec.json.decode(file.read_bytes(), type=list[Output])]


def model_facts(run_folder: Path, models: list[str]) -> ModelFacts | None:
    """A run's facts file, else its single model, else None; `models` (`task.output`) chooses among several.

    Raises `NoModel` where several stand and none is named, or the named one is not there;
    `TaskContractBroken` for facts that cannot be read or that name another model than the one that is there,
    and for a model that is not there or lies outside the run's folder.
    """
    outputs = recorded(run_folder)
    notes = [item for item in outputs if item.name == FACTS and item.written]
    found = [item for item in outputs if item.type == MODEL and item.written]
    if not notes and not found and not models:
        return None
    if models and len(found) > 1:
        places = {item.path for item in found if item.key in models}
        notes = [note for note in notes if note.key in models or _read_facts(note).uri in places]
    chosen = notes or [item for item in found if item.key in models or not models]
    if len(chosen) != 1:
        given = ", ".join(item.key for item in chosen or found) or "none"
        asked = f", asked for {', '.join(models)}" if models else ""
        raise NoModel(
            f"the run has no single model: it gave {given}{asked}",
            fix="name one in tagline.yaml: models: {NAME: {output: TASK.OUTPUT}}",
        )
    if not notes:
        _check_place(chosen[0].path, chosen[0], run_folder)
        return _facts_of(chosen[0], outputs)
    facts = _read_facts(chosen[0])
    _check_place(facts.uri, chosen[0], run_folder)
    return _checked(facts, chosen[0])


def _read_facts(note: Output) -> ModelFacts:
    try:
        return msgspec.json.decode(Path(note.path).read_bytes(), type=ModelFacts)
    except (OSError, msgspec.DecodeError) as error:
        raise TaskContractBroken(
            f"the facts of task {note.task!r} cannot be read: {error}",
            where=note.path,
            fix="write them with tagline_task.write_facts",
        ) from error


def _check_place(uri: str, named: Output, run_folder: Path) -> None:
    model = Path(uri).resolve()
    inside = model.is_relative_to(run_folder.resolve())
    if not inside or not model.exists():
        problem = "is not there" if inside else "lies outside the run's folder"
        raise TaskContractBroken(
            f"the model {uri!r} that {named.key} names {problem}",
            where=named.path,
            fix="write the model to an output of the run, and its facts with tagline_task.write_facts",
        )


def _checked(facts: ModelFacts, note: Output) -> ModelFacts:
    if _digest(facts.uri) != facts.sha256:
        raise TaskContractBroken(
            f"the model of task {note.task!r} is not the one its facts name: another digest",
            where=facts.uri,
            fix="write the facts after the model, and do not change it later",
        )
    return facts


def _facts_of(model: Output, outputs: list[Output]) -> ModelFacts:
    metrics = {
        name: float(value)
        for item in outputs
        if item.type == METRICS
        for name, value in item.metadata.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    return ModelFacts(uri=model.path, sha256=_digest(model.path), metrics=metrics)


def _digest(path: str) -> str:
    from tagline_task.files import digest

    return digest(path)
