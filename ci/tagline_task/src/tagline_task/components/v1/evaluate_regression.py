"""`tagline-evaluate-regression-v1`: how good a regressor's predictions are."""

import math

from tagline_task import HTML, Dataset, Input, Metrics, Output, run
from tagline_task.components import measures, pages, tables
from tagline_task.errors import BadTable


def evaluate_regression(
    predictions: Input[Dataset],
    metrics: Output[Metrics],
    report: Output[HTML],
    label: str = "label",
    prediction: str = "prediction",
) -> None:
    """Compare the columns `label` and `prediction` of a Parquet file, both of numbers.

    `metrics` has rows, mae, rmse, median_absolute_error, max_error, mean_error (predicted minus true) and r2
    (`tagline_task.components.measures` has the formulas), `report` the same as a page.

    Raises `BadTable`: a column that lacks, an empty value, a value that is no finite number, no row.
    """
    table = tables.read(predictions.path, [label, prediction])
    if not table.num_rows:
        raise BadTable(f"{predictions.path} has no row")
    columns = []
    for column in (label, prediction):
        values = tables.values(table, column, predictions.path)
        odd = [each for each in values if not isinstance(each, int | float) or not math.isfinite(each)]
        if odd:
            raise BadTable(
                f"{predictions.path}: the column {column} holds {odd[0]!r}, which is no finite number"
            )
        columns.append([float(each) for each in values])
    numbers = measures.regression(*columns)
    for name, value in {"rows": table.num_rows, **numbers}.items():
        metrics.log(name, value)
    report.write(pages.page("Regression", table.num_rows, numbers))


if __name__ == "__main__":
    run(evaluate_regression)
