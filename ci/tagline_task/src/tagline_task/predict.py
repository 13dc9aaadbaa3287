"""`python -m tagline_task.predict`: a model's predictions for a table of features; the gate asks for them."""

import csv
import io
import json
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any

from tagline_task import options
from tagline_task.errors import BadFeatures, BadInput
from tagline_task.files import write_text
from tagline_task.predictor import Predictor, load, predict

PROGRAM = "tagline_task.predict"
PREDICTION = "prediction"
_EMPTY = ("", "nan", "NaN", "NA", "null", "None")
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_BOOLEANS = {"True": True, "true": True, "TRUE": True, "False": False, "false": False, "FALSE": False}


def work(argv: Sequence[str]) -> None:
    """Read the features, check and load the model, write `<id>,prediction` for each row in its order."""
    parser = options.parser(PROGRAM, "Write a model's prediction for each row of a table of features.")
    parser.add_argument("--features", required=True, metavar="CSV", help="features only, with a header")
    parser.add_argument("--id", required=True, metavar="COLUMN", help="the column that names a row")
    parser.add_argument("--out", required=True, metavar="CSV", help=f"written whole: COLUMN,{PREDICTION}")
    given = parser.parse_args(list(argv))
    names, instances = read_features(given.features, given.id)
    predictor = load(given.predictor, given.model, given.sha256)
    try:
        answers = predict(predictor, _as_wanted(predictor, instances))
    except BadInput as error:
        raise BadFeatures(f"{given.features} does not fit the model: {error}") from error
    write_text(given.out, _csv(given.id, names, answers))


def read_features(path: str, row_id: str) -> tuple[list[str], list[dict[str, Any]]]:
    """The rows' names and the rows, without the column `row_id`, typed column by column.

    A column is int, float or bool where every cell that is not empty reads as one, else text; an empty
    cell is None. Raises `BadFeatures`: no such file or column, a row of another width, a name twice.
    """
    header, table = _table(path)
    if row_id not in header:
        raise BadFeatures(f"{path} has no column {row_id!r}, it has {', '.join(header)}")
    names = [row[header.index(row_id)] for row in table]
    twice = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if twice:
        raise BadFeatures(f"{path} has the {row_id} {twice[0]!r} twice")
    kept = [index for index, name in enumerate(header) if name != row_id]
    columns = {header[index]: _typed([row[index] for row in table]) for index in kept}
    return names, [{name: cells[row] for name, cells in columns.items()} for row in range(len(table))]


def _table(path: str) -> tuple[list[str], list[list[str]]]:
    try:
        with open(path, encoding="utf-8-sig", newline="") as stream:
            lines = [row for row in csv.reader(stream, strict=True) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadFeatures(f"{path} cannot be read: {error}") from error
    if len(lines) < 2:
        raise BadFeatures(f"{path} has no row")
    header, table = lines[0], lines[1:]
    if len(set(header)) < len(header):
        raise BadFeatures(f"{path} has two columns of one name: {', '.join(header)}")
    for index, row in enumerate(table):
        if len(row) != len(header):
            raise BadFeatures(f"{path} has {len(row)} cells in row {index + 1}, its header has {len(header)}")
    return header, table


def _typed(cells: list[str]) -> list[Any]:
    full = [cell for cell in cells if cell not in _EMPTY]
    for matches, read in _READERS:
        if all(map(matches, full)):
            return [None if cell in _EMPTY else read(cell) for cell in cells]
    return [None if cell == "" else cell for cell in cells]


_READERS: list[tuple[Callable[[str], object], Callable[[str], Any]]] = [
    (_INTEGER.fullmatch, int),
    (_NUMBER.fullmatch, float),
    (_BOOLEANS.__contains__, _BOOLEANS.__getitem__),
]


def _as_wanted(predictor: Predictor, instances: list[dict[str, Any]]) -> list[Any]:
    return list(instances) if predictor.named else [list(row.values()) for row in instances]


def _csv(row_id: str, names: list[str], answers: list[Any]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([row_id, PREDICTION])
    for name, answer in zip(names, answers, strict=True):
        writer.writerow([name, json.dumps(answer) if isinstance(answer, list | dict) else answer])
    return text.getvalue()


if __name__ == "__main__":
    sys.exit(options.end(PROGRAM, work))
