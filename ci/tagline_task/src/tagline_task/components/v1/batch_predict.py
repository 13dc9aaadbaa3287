"""`tagline-batch-predict-v1`: a model's predictions for a Parquet file, by the predictor that serves it."""

import math
from typing import Any, NamedTuple

from tagline_task import Dataset, Input, Model, Output, run
from tagline_task.components import tables
from tagline_task.components.libraries import needed
from tagline_task.errors import BadFeatures, BadInput, BadTable, ContractError
from tagline_task.predictor import Predictor, load, predict


class Predicted(NamedTuple):
    """How many rows were predicted."""

    rows: int


def batch_predict(
    model: Input[Model],
    data: Input[Dataset],
    predictions: Output[Dataset],
    predictor: str = "sklearn",
    features: list[Any] | None = None,
    keep: list[Any] | None = None,
    batch_size: int = 10_000,
) -> Predicted:
    """Predict each row of `data`, in pieces of `batch_size` rows, with the class that serves the model.

    `predictor` is `runtime` of `serving:` in tagline.yaml: sklearn, xgboost or custom:PATH. The model is given the
    columns `features`, by default all but those to `keep`, as a request would carry them; an empty value or NaN is a
    missing one. `predictions` is Parquet with the rows in their order: the columns to `keep` (a name of the row, the
    label), then `prediction`; where a custom predictor answers with mappings, a column for each of their keys.

    Raises `ModelDoesNotLoad`, `PredictionFailed`, `BadFeatures` (an instance that the model does not take), `BadTable`.
    """
    if batch_size < 1:
        raise ContractError(f"argument batch_size wants at least 1, got {batch_size}")
    kept = [str(name) for name in keep or []]
    with tables.opened(data.path) as file:
        schema, count = file.schema_arrow, int(file.metadata.num_rows)
    wanted = (
        [name for name in schema.names if name not in kept] if features is None else list(map(str, features))
    )
    tables.check_columns(data.path, schema.names, [*kept, *wanted])
    for name in wanted:
        tables.request_type(data.path, schema, name)
    if not count:
        raise BadTable(f"{data.path} has no row to predict")
    made = _Made(load(predictor, model.path), wanted, kept, data.path)
    pieces = tables.batches(data.path, batch_size)
    first = made.of(next(pieces))
    with tables.writing(predictions.path, first.schema) as writer:
        writer.write_batch(first)
        for piece in pieces:
            writer.write_batch(made.of(piece, first.schema))
    predictions.metadata["rows"] = count
    return Predicted(count)


class _Made(NamedTuple):
    """What makes predictions of a piece of the table: the loaded model, and which columns go where."""

    predictor: Predictor
    features: list[str]
    kept: list[str]
    path: str

    def of(self, piece: Any, schema: Any = None) -> Any:
        """The kept columns and the predictions of some rows; with `schema`, in its types. Raises `BadTable`."""
        arrow = needed("pyarrow")
        instances = [{name: _value(row[name]) for name in self.features} for row in piece.to_pylist()]
        asked = instances if self.predictor.named else [list(each.values()) for each in instances]
        try:
            answers = predict(self.predictor, asked)
        except BadInput as error:
            raise BadFeatures(f"{self.path} does not fit the model: {error}") from error
        mappings = all(isinstance(each, dict) for each in answers)
        rows = answers if mappings else [{"prediction": each} for each in answers]
        kept = schema and arrow.schema([field for field in schema if field.name not in self.kept])
        _check_keys(rows, kept.names if kept else list(rows[0]))
        try:
            told = arrow.RecordBatch.from_pylist(rows, schema=kept or None)
        except (arrow.ArrowInvalid, arrow.ArrowTypeError) as error:
            raise BadTable(f"the predictions are not of one type: {error}") from error
        _check(told.schema, self.kept)
        columns = [*(piece.column(name) for name in self.kept), *told.columns]
        return arrow.RecordBatch.from_arrays(columns, names=[*self.kept, *told.schema.names])


def _value(cell: Any) -> Any:
    return None if isinstance(cell, float) and math.isnan(cell) else cell


def _check_keys(rows: list[dict[str, Any]], names: list[str]) -> None:
    """Raise `BadTable` for an answer with other keys than the first: pyarrow would drop them, or fill them up."""
    for row in rows:
        if odd := sorted(set(row) ^ set(names)):
            raise BadTable(
                f"the predictor answers rows with different keys: {odd[0]} is in some of them alone"
            )


def _check(schema: Any, kept: list[str]) -> None:
    types = needed("pyarrow.types")
    none = [field.name for field in schema if types.is_null(field.type)]
    if none:
        raise BadTable(f"the predictor gave no {none[0]} for any of the first rows")
    twice = sorted(set(schema.names) & set(kept))
    if twice:
        raise BadTable(f"the column {twice[0]} is one of the predictions: it cannot be kept too")


if __name__ == "__main__":
    run(batch_predict)
