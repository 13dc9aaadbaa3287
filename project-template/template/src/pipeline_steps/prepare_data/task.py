"""Takes the gate's rows out and splits the rest into rows to train with and rows to look at while training."""

import pandas
from lib.config import LABEL, ROW_ID, in_holdout
from sklearn.model_selection import train_test_split
from tagline_task import Dataset, Input, Metrics, Output, run


def prepare_data(
    data: Input[Dataset],
    train: Output[Dataset],
    test: Output[Dataset],
    metrics: Output[Metrics],
    test_share: float = 0.2,
) -> None:
    """Two tables; `test_share` (0..1) is the share of the rows that goes into `test`."""
    table = pandas.read_csv(data.path)
    ours = table[~table[ROW_ID].map(in_holdout)]
    fit, look = train_test_split(ours, test_size=test_share, stratify=ours[LABEL], random_state=0)
    fit.to_csv(train.path, index=False)
    look.to_csv(test.path, index=False)
    metrics.log("train_rows", len(fit))
    metrics.log("test_rows", len(look))


if __name__ == "__main__":
    run(prepare_data)
