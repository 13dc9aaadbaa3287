"""`tagline-read-parquet-v1`: a Parquet file, or a folder of them, from an S3 store or a disk."""

from typing import Any, NamedTuple

from tagline_task import Dataset, Output, run
from tagline_task.components import tables
from tagline_task.components.libraries import needed
from tagline_task.components.places import Place, Store, asked, place
from tagline_task.errors import BadTable, ContractError, PlaceNotThere


class Read(NamedTuple):
    """How many rows were read."""

    rows: int


def read_parquet(
    data: Output[Dataset],
    uri: str,
    columns: list[Any] | None = None,
    filters: list[Any] | None = None,
    endpoint: str = "",
    vault_path: str = "",
) -> Read:
    """Read Parquet at `uri` (s3://BUCKET/KEY or file:///PATH) into one Parquet file, in pieces.

    A folder is read as one table, file after file by name; `year=2026/` in a path becomes a column. `columns` are
    the ones to keep, by default all. `filters` keeps rows: [["year", ">=", 2026], ["grape", "in", ["barolo"]]] is a
    conjunction, a list of such lists a disjunction (pyarrow's `filters_to_expression`). `endpoint` is the address of
    a store of your own; the keys come from the environment (AWS_ACCESS_KEY_ID, …) or from a secret in Vault,
    `vault_path`, that has them under these names.

    Raises `PlaceNotThere`, `PlaceRefused`, `PlaceUnavailable`, `BadTable`.
    """
    at = place(uri, Store(endpoint, vault_path))
    kept = _condition(filters)
    dataset = _dataset(at)
    names = [str(name) for name in columns] if columns is not None else None
    tables.check_columns(uri, dataset.schema.names, names or [])
    count = 0
    with asked(uri), tables.reading(uri):
        scanner = dataset.scanner(columns=names, filter=kept, batch_size=tables.BATCH)
        with tables.writing(data.path, scanner.projected_schema) as writer:
            for batch in scanner.to_batches():
                writer.write_batch(batch)
                count += batch.num_rows
    data.metadata |= {"source": uri, "rows": count}
    return Read(count)


def _dataset(at: Place) -> Any:
    if not at.there():
        raise PlaceNotThere(f"nothing lies at {at.uri}")
    with asked(at.uri), tables.reading(at.uri):
        found = needed("pyarrow.dataset").dataset(
            at.path, filesystem=at.files, format="parquet", partitioning="hive", exclude_invalid_files=False
        )
    if not found.files:
        raise BadTable(f"{at.uri} is a folder without a Parquet file")
    return found


def _condition(filters: list[Any] | None) -> Any:
    if not filters:
        return None
    many = (
        filters
        if all(isinstance(each, list) and each and isinstance(each[0], list) for each in filters)
        else [filters]
    )
    try:
        clauses = [[tuple(each) for each in clause] for clause in many]
        return needed("pyarrow.parquet").filters_to_expression(clauses)
    except (ValueError, TypeError) as error:
        raise ContractError(f'argument filters wants [["COLUMN", "OPERATOR", VALUE], …]: {error}') from None


if __name__ == "__main__":
    run(read_parquet)
