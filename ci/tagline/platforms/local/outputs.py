"""A task's outputs: folders made before it, all it wrote accounted for after it, and the run's model."""

import json
import os
import shutil
from pathlib import Path
from typing import Any

import msgspec
from tagline_task import masking

from tagline import foreign
from tagline.errors import NoModel, TaskContractBroken
from tagline.platforms import ModelFacts
from tagline.platforms.local import planted
from tagline.platforms.local.spec import file_name, round_of

FACTS = "facts"
MODEL, METRICS = "system.Model", "system.Metrics"
RECORDS = "records"
LARGEST = 64 * 2**20


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


def prepare(executor_input: dict[str, Any], run_folder: Path) -> None:
    """Empty the task's folder (an attempt starts clean) and make every folder that it writes into.

    Raises `TaskContractBroken` where a task before it put a link in the place of one of them.
    """
    outputs = executor_input["outputs"]
    answer = Path(outputs["outputFile"])
    files = [entry["outputFile"] for entry in outputs.get("parameters", {}).values()]
    uris = [entry["uri"] for entry in _declared(executor_input).values()]
    with planted.refused(str(answer.parent)):
        foreign.make_folder(answer.parent.parent, run_folder)  # no link on the way to what is emptied
        shutil.rmtree(answer.parent, ignore_errors=True)
        for path in [answer, *map(Path, files), *map(Path, uris)]:
            foreign.make_folder(path.parent, run_folder)


def folder_of(executor_input: dict[str, Any]) -> Path:
    """The folder of all that a task writes, which is nobody else's."""
    return Path(executor_input["outputs"]["outputFile"]).parent


def around(executor_input: dict[str, Any], run_folder: Path) -> list[Path]:
    """The folders of the run in which a task's own folder lies, where those of the others lie too."""
    return [path for path in folder_of(executor_input).parents if run_folder in path.parents]


def complete(task: str, executor_input: dict[str, Any], run_folder: Path) -> list[Output]:
    """Complete the task's executor output, so that nothing declared is lost, and say what is there.

    Secret values that this process knows are masked in it.

    Raises `TaskContractBroken` for an answer that cannot be read, for output parameters not written, and for
    an output in the run's folder that is a link, holds one that leaves it, or is no file or folder.
    """
    outputs = executor_input["outputs"]
    answer = Path(outputs["outputFile"])
    given = masking.HIDDEN.clean_all(_answer(task, answer, run_folder))
    written = _mask_parameters(outputs, run_folder)
    values = given.get("parameterValues", given.get("parameter_values", {}))
    missing = [name for name in outputs.get("parameters", {}) if name not in values and name not in written]
    if missing:
        raise TaskContractBroken(
            f"task {task!r} ended well but did not write its output {', '.join(map(repr, sorted(missing)))}",
            fix="write each declared output before the task ends",
        )
    entries = given.setdefault("artifacts", {})
    found = [_complete_one(task, name, slot, entries) for name, slot in _declared(executor_input).items()]
    for item in found:
        planted.check(Path(item.path), run_folder)
    with planted.refused(str(answer)):
        foreign.replace(answer, json.dumps(given).encode(), run_folder)
    return found


def _mask_parameters(outputs: dict[str, Any], run_folder: Path) -> set[str]:
    """Mask the files of output parameters, which the orchestrator reads after the answer; those that exist."""
    written = set()
    for name, entry in outputs.get("parameters", {}).items():
        file = Path(entry["outputFile"])
        if not os.path.lexists(file):
            continue
        with planted.refused(str(file)):
            text = foreign.read(file, LARGEST, run_folder)
            hidden = masking.HIDDEN.bytes
            clean = masking.replace(text, hidden, masking.MASK.encode()) if hidden else text
            if clean != text:
                foreign.replace(file, clean, run_folder)
        written.add(name)
    return written


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


def _answer(task: str, file: Path, run_folder: Path) -> dict[str, Any]:
    if not os.path.lexists(file):
        return {}
    with planted.refused(str(file)):
        text = foreign.read(file, LARGEST, run_folder)
    try:
        given = json.loads(text)
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


def record(run_folder: Path, task: str, outputs: list[Output]) -> None:
    """Keep what a task gave beside the run; `recorded` reads it. Raises `TaskContractBroken` at a link there."""
    file = run_folder / RECORDS / f"{file_name(task)}.json"
    run_folder.mkdir(parents=True, exist_ok=True)
    with planted.refused(str(file)):
        foreign.replace(file, msgspec.json.encode(outputs), run_folder)


def recorded(run_folder: Path) -> list[Output]:
    """The output artifacts of a run's tasks, ordered by task."""
    found: list[Output] = []
    for file in sorted((run_folder / RECORDS).glob("*.json")):
        with planted.refused(str(file)):
            found += msgspec.json.decode(foreign.read(file, LARGEST, run_folder), type=list[Output])
    return found


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
        notes = [n for n in notes if n.key in models or _read_facts(n, run_folder).uri in places]
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
    facts = _read_facts(chosen[0], run_folder)
    _check_place(facts.uri, chosen[0], run_folder)
    return _checked(facts, chosen[0])


def _read_facts(note: Output, run_folder: Path) -> ModelFacts:
    try:
        text = foreign.read(Path(note.path), LARGEST, run_folder)
        return msgspec.json.decode(text, type=ModelFacts)
    except (OSError, ValueError) as error:
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
    planted.check(model, run_folder.resolve())


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
        if item.type == METRICS and model.task.startswith(round_of(item.task))
        for name, value in item.metadata.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }
    return ModelFacts(uri=model.path, sha256=_digest(model.path), metrics=metrics)


def _digest(path: str) -> str:
    from tagline_task.errors import OutputError
    from tagline_task.files import digest

    try:
        return digest(path)
    except OutputError as error:
        raise TaskContractBroken(
            str(error), where=path, fix="a model is plain files, without links"
        ) from error
