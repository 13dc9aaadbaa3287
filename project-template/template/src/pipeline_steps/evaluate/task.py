"""The gate's scorer: which rows a model gets wrong. Not in the pipeline; the gate asks it about two models.

The served release's scorer judges both models, so a change here counts once a release with it serves.
"""

import csv

from lib.config import LABEL, ROW_ID
from tagline_task import Dataset, Input, Metrics, Output, run


def evaluate(
    predictions: Input[Dataset],
    labels: Input[Dataset],
    rows: Output[Dataset],
    metrics: Output[Metrics],
) -> None:
    """One line for each row: row_id, slice, and the loss `wrong`, 1 where the prediction is not the label."""
    with open(predictions.path, newline="") as file:
        predicted = {row[ROW_ID]: row["prediction"] for row in csv.DictReader(file)}
    with open(labels.path, newline="") as file:
        truth = {row[ROW_ID]: row[LABEL] for row in csv.DictReader(file)}
    wrong = {row: int(answer != truth[row]) for row, answer in predicted.items()}
    with open(rows.path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([ROW_ID, "slice", "wrong"])
        writer.writerows([row, truth[row], loss] for row, loss in wrong.items())
    metrics.log("accuracy", 1 - sum(wrong.values()) / len(wrong))


if __name__ == "__main__":
    run(evaluate)
