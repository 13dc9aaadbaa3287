"""`tagline-split-v1`: a Parquet file in three, to train, to choose by and to test with."""

from typing import Any

from tagline_task import Dataset, Input, Metrics, Output, run
from tagline_task.components import splitting, tables
from tagline_task.errors import BadTable, ContractError


def split(
    data: Input[Dataset],
    train: Output[Dataset],
    validation: Output[Dataset],
    test: Output[Dataset],
    metrics: Output[Metrics],
    validation_share: float = 0.1,
    test_share: float = 0.2,
    seed: int = 0,
    stratify: str = "",
    group: str = "",
    time: str = "",
) -> None:
    """Split rows into `train`, `validation` and `test`: each row into exactly one, in the order that they had.

    Shares are from 0 to 1; a part of share 0 is a table without rows. At random by `seed`, the same on every machine;
    or by one of these columns: `stratify`, a class, keeps the shares within each class; `group` keeps all rows of a
    group in one part; `time` gives the oldest rows to `train` and the newest to `test`, and what happened at one moment
    to one part. None of them may have an empty value. The rows are counted in `metrics`: `train_rows`, …

    The table must fit into memory. Raises `BadTable`: a column that lacks, an empty value, a part that got no row.
    """
    wanted = splitting.shares(validation_share, test_share)
    given = {"stratify": stratify, "group": group, "time": time}
    chosen = {name: column for name, column in given.items() if column}
    if len(chosen) > 1:
        raise ContractError(f"arguments {' and '.join(chosen)} exclude each other: give one of them")
    table = tables.read(data.path)
    way, column = next(iter(chosen.items()), ("", ""))
    tables.check_columns(data.path, table.column_names, [column] if column else [])
    values = tables.values(table, column, data.path) if column else [None] * table.num_rows
    made = _parts(way, values, wanted, seed)
    if lacking := splitting.empty(made, wanted):
        raise BadTable(
            f"{data.path} has {table.num_rows} row(s), too few for {' and '.join(lacking)} to get one"
        )
    outputs = {"train": train, "validation": validation, "test": test}
    for (name, output), rows in zip(outputs.items(), made, strict=True):
        tables.write(output.path, tables.taken(table, rows))
        output.metadata["rows"] = len(rows)
        metrics.log(f"{name}_rows", len(rows))


def _parts(way: str, values: list[Any], wanted: splitting.Shares, seed: int) -> list[splitting.Rows]:
    match way:
        case "stratify":
            return splitting.stratified(values, wanted, seed)
        case "group":
            return splitting.by_group(values, wanted, seed)
        case "time":
            return splitting.by_time(values, wanted)
        case _:
            return splitting.at_random(len(values), wanted, seed)


if __name__ == "__main__":
    run(split)
