"""The gate's frozen data: pinned by digest, features for the predictors, labels for the scorer alone."""

import csv
import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from tagline.config import Gate
from tagline.config_rules import label_columns
from tagline.errors import GateDataChanged, GateError

ROW_ID = "row_id"
PREDICTION = "prediction"


class Frozen(msgspec.Struct, frozen=True):
    """Pinned data in memory: columns in their order, each row's cells by column, rows by their id.

    `labels` are the columns that only the scorer sees; the first of them is the truth that is predicted.
    """

    sha256: str
    id: str
    features: list[str]
    labels: list[str]
    rows: Mapping[str, Mapping[str, str]]

    def in_blind_order(self) -> list[str]:
        """The rows' ids in an order that says nothing of their labels, whatever order the file has."""
        return sorted(self.rows, key=lambda row: hashlib.sha256(f"{self.sha256}{row}".encode()).digest())

    def features_csv(self) -> str:
        """What a predictor gets: ids and features, no label."""
        ids = self.in_blind_order()
        return table_text([self.id, *self.features], ([row, *self._cells(row, self.features)] for row in ids))

    def labels_csv(self) -> str:
        """What the scorer gets: `row_id` and the label columns."""
        ids = self.in_blind_order()
        return table_text([ROW_ID, *self.labels], ([row, *self._cells(row, self.labels)] for row in ids))

    def truth(self) -> dict[str, str]:
        """The right answer of each row: its first label column."""
        return {row: self.rows[row][self.labels[0]] for row in self.in_blind_order()}

    def _cells(self, row: str, columns: Sequence[str]) -> list[str]:
        return [self.rows[row][column] for column in columns]


def table_text(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A CSV file's text, lines ended by a line feed."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def read_table(text: str, what: str) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a CSV text. Raises `GateError` for no header, a column named twice, a ragged row."""
    try:
        lines = [line for line in csv.reader(io.StringIO(text, newline=""), strict=True) if line]
    except csv.Error as error:
        raise GateError(f"{what} is no CSV file: {error}") from error
    if not lines:
        raise GateError(f"{what} is empty")
    header, rows = lines[0], lines[1:]
    if len(set(header)) != len(header):
        raise GateError(f"{what} has a column twice: {', '.join(header)}")
    for number, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise GateError(f"{what} has {len(row)} cells in row {number} and {len(header)} columns")
    return header, rows


def digest(content: bytes) -> str:
    """The SHA-256 that pins the data, 64 hex digits."""
    return hashlib.sha256(content).hexdigest()


def freeze(gate: Gate, content: bytes) -> Frozen:
    """Check the pinned data and take it apart, in memory: with labels it is on no disk that a predictor sees.

    Raises `GateDataChanged` (both digests) where `content` is not what is pinned, `GateError` where it lacks
    the id or a label column, has no row or no feature, an id twice or empty, or a feature that is the label.
    """
    found = digest(content)
    if found != gate.sha256:
        raise GateDataChanged(
            f"the frozen data {gate.data} has the digest {found}, tagline.yaml pins {gate.sha256}",
            where=gate.data,
            fix="bring the pinned file back; or commit the new file with its digest to the default branch",
        )
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise GateError(f"the frozen data {gate.data} is not UTF-8: {error}") from error
    return _frozen(gate, *read_table(text, f"the frozen data {gate.data}"))


def _frozen(gate: Gate, header: list[str], table: list[list[str]]) -> Frozen:
    labels = label_columns(gate)
    missing = [name for name in [gate.id, *labels] if name not in header]
    features = [name for name in header if name not in {gate.id, *labels}]
    if missing or not labels or gate.id in labels:
        raise GateError(
            f"the frozen data {gate.data} has no column {(missing or [gate.label])[0]!r} for id and label",
            fix=f"gate.id and gate.label must name different ones of: {', '.join(header)}",
        )
    if not features or not table:
        raise GateError(f"the frozen data {gate.data} has no {'rows' if features else 'feature columns'}")
    rows: dict[str, dict[str, str]] = {}
    for cells in table:
        row = dict(zip(header, cells, strict=True))
        name = row[gate.id]
        if not name or name in rows:
            raise GateError(
                f"the frozen data {gate.data} has the row id {name!r} {'twice' if name else ''}".rstrip()
            )
        rows[name] = row
    _no_leak(gate, rows, features, labels)
    return Frozen(gate.sha256, gate.id, features, labels, rows)


def _no_leak(
    gate: Gate, rows: Mapping[str, Mapping[str, str]], features: list[str], labels: list[str]
) -> None:
    for label in labels:
        truth = [row[label] for row in rows.values()]
        for name in features:
            if len(set(truth)) > 1 and [row[name] for row in rows.values()] == truth:
                raise GateError(
                    f"column {name!r} of the frozen data {gate.data} is the label {label!r} again",
                    fix=f"name both in gate.label, such as label: {label},{name}",
                )
