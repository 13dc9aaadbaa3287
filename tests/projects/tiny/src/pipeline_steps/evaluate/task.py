"""The gate's scorer: a row is wrong where the prediction is not the label."""

import csv

from tagline_task import Dataset, Input, Metrics, Output, run


def evaluate(
    predictions: Input[Dataset], labels: Input[Dataset], rows: Output[Dataset], metrics: Output[Metrics]
) -> None:
    with open(labels.path) as file:
        truth = {row["row_id"]: row["label"] for row in csv.DictReader(file)}
    with open(predictions.path) as file:
        said = {row["row_id"]: row["prediction"] for row in csv.DictReader(file)}
    wrong = {key: int(float(said[key]) != float(truth[key])) for key in truth}
    with open(rows.path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["row_id", "slice", "wrong"])
        writer.writerows([key, "all", loss] for key, loss in wrong.items())
    metrics.log("wrong", sum(wrong.values()) / len(wrong))


if __name__ == "__main__":
    run(evaluate)
