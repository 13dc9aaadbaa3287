"""The gate's child processes: a model's own predictor, and the one scorer; whatever they write is checked."""

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

import msgspec

from tagline import foreign
from tagline.config import Gate
from tagline.engines import Command, Engine
from tagline.errors import GateError, TaskTimedOut
from tagline.model import gate as judging
from tagline.model.judge_data import PREDICTION, ROW_ID, Frozen, digest, read_table, table_text
from tagline.platforms import ServerSpec

SCORERS = "src/pipeline_steps/{name}/task.py"
SLICE = "slice"
LARGEST_ANSWER = 256 * 1024 * 1024
_TAIL_LINES = 5
_NOTHING = {"", "nan", "inf", "-inf"}


class Room(msgspec.Struct, frozen=True):
    """Where and how the gate's children run: limits in seconds, paths that none of them may see.

    `work` is a folder of this contest alone.
    """

    engine: Engine
    gate: Gate
    work: Path
    hide: Sequence[Path]
    predict_timeout: float
    score_timeout: float

    def folder(self, name: str) -> Path:
        """A new empty folder that nobody can foresee: nothing old lies in it."""
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.work))

    def hidden(self, folder: Path) -> list[Path]:
        """What the child of `folder` must not see: what nobody may, and the folders of the others."""
        return [*self.hide, *(other for other in self.work.iterdir() if other != folder)]

    def call(self, command: Command, what: str) -> None:
        """Run to the end; any exit code but 0, and a time-out, is a `GateError` with the end of its log."""
        with foreign.append(command.log) as log:  # its path may be another file's when the child ends
            try:
                code = self.engine.run(msgspec.structs.replace(command, log=foreign.named(log)))
            except TaskTimedOut as error:
                raise GateError(
                    f"{what} did not end within {command.timeout:g} s", where=str(command.log)
                ) from error
            if code != 0:
                said = _tail(log)
                raise GateError(f"{what} ended with exit code {code}{said}", where=str(command.log))


def _tail(log: BinaryIO) -> str:
    lines = foreign.end_of(log).strip().splitlines()
    return (
        ": " + " | ".join(line.strip()[:300] for line in lines[-_TAIL_LINES:])
        if lines
        else ", and said nothing"
    )


def blind_copy(source: Path, gate: Gate, target: Path) -> Path:
    """A copy of a source tree without `.git`, without the gate's data and without any copy of it.

    Raises `GateError` where there is no such tree.
    """
    if not source.is_dir():
        raise GateError("the model's source tree is missing", where=str(source))
    shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns(".git", "__pycache__"))
    (target / gate.data).unlink(missing_ok=True)
    for path in target.rglob("*"):
        if path.is_file() and not path.is_symlink() and digest(path.read_bytes()) == gate.sha256:
            path.unlink()
    return target


def answer(path: Path, what: str) -> str:
    """The text of a file that a child wrote. Raises `GateError`: missing, not plain, too large, not UTF-8."""
    try:
        return foreign.read(path, LARGEST_ANSWER, path.parent).decode("utf-8-sig")
    except FileNotFoundError as error:
        raise GateError(f"{what} was not written", where=str(path)) from error
    except UnicodeDecodeError as error:
        raise GateError(f"{what} cannot be read: {error}", where=str(path)) from error
    except (OSError, ValueError) as error:
        size = LARGEST_ANSWER >> 20
        raise GateError(f"{what} is no plain file of at most {size} MiB", where=str(path)) from error


def predictions(room: Room, frozen: Frozen, spec: ServerSpec, whose: str) -> dict[str, str]:
    """A model's prediction for every frozen row, by its own predictor, in its own environment, from features.

    Raises `GateError`: the predictor failed or timed out; a row missing, unknown or twice; NaN or nothing
    predicted.
    """
    room_of = room.folder(whose)
    features, out = room_of / "features.csv", room_of / "predictions.csv"
    features.write_text(frozen.features_csv())
    tree = blind_copy(spec.source, room.gate, room_of / "source")
    argv = [str(spec.python), "-m", "tagline_task.predict", "--predictor", spec.predictor]
    argv += ["--model", str(spec.model.absolute()), "--sha256", spec.sha256, "--features", str(features)]
    argv += ["--id", frozen.id, "--out", str(out)]
    what = f"the {whose} model's predictor ({spec.model_name} {spec.version})"
    limit, hidden = room.predict_timeout, room.hidden(room_of)
    command = Command(argv, tree, room_of / "log", _sources(tree), limit, hidden, see=[room_of, spec.model])
    room.call(command, what)
    return _predicted(answer(out, f"the predictions of {what}"), frozen, what)


def _sources(tree: Path) -> dict[str, str]:
    return {"PYTHONPATH": str(tree / "src"), "PYTHONDONTWRITEBYTECODE": "1"}


def _predicted(text: str, frozen: Frozen, what: str) -> dict[str, str]:
    header, table = read_table(text, f"the predictions of {what}")
    if header != [frozen.id, PREDICTION]:
        raise GateError(f"{what} wrote the columns {', '.join(header)}, not {frozen.id},{PREDICTION}")
    found: dict[str, str] = {}
    for row, prediction in table:
        if row in found:
            raise GateError(f"{what} predicted row {row!r} twice")
        if prediction.strip().lower() in _NOTHING:
            raise GateError(f"{what} predicted {prediction!r} for row {row!r}")
        found[row] = prediction
    judging.same_rows(found, frozen.rows, f"the predictions of {what}")
    return {row: found[row] for row in frozen.in_blind_order()}


def scored(room: Room, frozen: Frozen, scorer: ServerSpec, given: Mapping[str, str]) -> judging.Losses:
    """The losses that a release's `evaluate` gives. Raises `GateError`, `NotYetSupported`."""
    place = room.folder("score")
    tree = blind_copy(scorer.source, room.gate, place / "source")
    script = SCORERS.format(name=room.gate.scorer)
    if not (tree / script).is_file():
        raise GateError(f"the scorer {script} is missing", where=str(scorer.source))
    inputs = {
        "predictions": (place / "predictions.csv", table_text([ROW_ID, PREDICTION], list(given.items()))),
        "labels": (place / "labels.csv", frozen.labels_csv()),
    }
    for path, text in inputs.values():
        path.write_text(text)
    rows, out = place / "rows.csv", {"rows": "system.Dataset", "metrics": "system.Metrics"}
    executor_input = {
        "inputs": {
            "artifacts": {name: _artifact(name, path, "system.Dataset") for name, (path, _) in inputs.items()}
        },
        "outputs": {
            "artifacts": {name: _artifact(name, place / f"{name}.csv", kind) for name, kind in out.items()},
            "outputFile": str(place / "executor_output.json"),
        },
    }
    argv = [str(scorer.python), script, "--executor_input", json.dumps(executor_input)]
    limit, hidden = room.score_timeout, room.hidden(place)
    command = Command(argv, tree, place / "log", _sources(tree), limit, hidden, see=[place])
    room.call(command, "the scorer")
    return _losses(answer(rows, "the scorer's rows"), frozen, next(iter(room.gate.metrics)))


def _artifact(name: str, path: Path, kind: str) -> dict[str, object]:
    return {"artifacts": [{"name": name, "type": {"schemaTitle": kind}, "uri": str(path), "metadata": {}}]}


def _losses(text: str, frozen: Frozen, metric: str) -> judging.Losses:
    header, table = read_table(text, "the scorer's rows")
    for column in (ROW_ID, metric):
        if column not in header:
            raise GateError(f"the scorer's rows have no column {column!r}, only {', '.join(header)}")
    at, loss = header.index(ROW_ID), header.index(metric)
    pairs = [(row[at], _number(row[loss], row[at], metric)) for row in table]
    slices = {row[at]: row[header.index(SLICE)] for row in table} if SLICE in header else {}
    return judging.losses(metric, pairs, frozen.rows, slices)


def _number(text: str, row: str, metric: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise GateError(f"the loss {metric!r} of row {row!r} is {text!r}, not a number") from error
