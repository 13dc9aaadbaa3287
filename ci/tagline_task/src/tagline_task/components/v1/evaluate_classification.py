"""`tagline-evaluate-classification-v1`: how good a classifier's predictions are."""

from typing import Any

from tagline_task import HTML, ClassificationMetrics, Dataset, Input, Metrics, Output, run
from tagline_task.components import measures, pages, tables
from tagline_task.errors import BadTable, ContractError


def evaluate_classification(
    predictions: Input[Dataset],
    metrics: Output[Metrics],
    shown: Output[ClassificationMetrics],
    report: Output[HTML],
    label: str = "label",
    prediction: str = "prediction",
    score: str = "",
    positive: str = "",
) -> None:
    """Compare the columns `label` and `prediction` of a Parquet file.

    `metrics` has rows, accuracy, balanced_accuracy, precision_macro, recall_macro, f1_macro and mcc
    (`tagline_task.components.measures` has the formulas); `shown` the confusion matrix, `report` both as a page. With
    `score`, a column with the probability (0..1) of the class `positive`, also roc_auc, log_loss and brier, and the ROC
    curve. Classes beyond the 50 most frequent are shown as one.

    Raises `BadTable`: a column that lacks, an empty value, two types, no row, a score that is none.
    """
    if bool(score) != bool(positive):
        raise ContractError("arguments score and positive belong together: give both or neither")
    wanted = [label, prediction, *([score] if score else [])]
    table = tables.read(predictions.path, wanted)
    truth, said = _classes(table, label, prediction, predictions.path)
    found = measures.confusion(truth, said)
    numbers = measures.classification(found)
    if score:
        numbers |= _scored(table, score, [str(each) == positive for each in truth], shown, predictions.path)
    names, matrix = measures.drawn(found)
    shown.log_confusion_matrix(names, matrix)
    for name, value in {"rows": table.num_rows, **numbers}.items():
        metrics.log(name, value)
    report.write(pages.page("Classification", table.num_rows, numbers, [pages.matrix(names, matrix)]))


def _classes(table: Any, label: str, prediction: str, path: str) -> tuple[list[Any], list[Any]]:
    if not table.num_rows:
        raise BadTable(f"{path} has no row")
    truth, said = (tables.values(table, column, path) for column in (label, prediction))
    kinds = {type(truth[0]).__name__, type(said[0]).__name__}
    if len(kinds) > 1:
        raise BadTable(
            f"{path}: {label} and {prediction} hold {' and '.join(sorted(kinds))}; classes are of one type"
        )
    return truth, said


def _scored(
    table: Any, score: str, positive: list[bool], shown: ClassificationMetrics, path: str
) -> dict[str, float]:
    scores = tables.values(table, score, path)
    odd = [
        each
        for each in scores
        if isinstance(each, bool) or not isinstance(each, int | float) or not 0 <= each <= 1
    ]
    if odd:
        raise BadTable(f"{path}: the column {score} holds {odd[0]!r}, which is no probability from 0 to 1")
    if len(set(positive)) < 2:
        raise BadTable(f"{path}: a ROC curve needs rows of the positive class and of another")
    shown.log_roc_curve(*measures.thinned(measures.roc(positive, scores)))
    return measures.scored(positive, scores)


if __name__ == "__main__":
    run(evaluate_classification)
