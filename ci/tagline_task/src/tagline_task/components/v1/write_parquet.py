"""`tagline-write-parquet-v1`: a Parquet file of a run, to an S3 store or a disk."""

from typing import NamedTuple

from tagline_task import Dataset, Input, run
from tagline_task.components import tables
from tagline_task.components.places import Store, place
from tagline_task.errors import ContractError


class Written(NamedTuple):
    """Where it lies, and how many rows it has."""

    address: str
    rows: int


def write_parquet(
    data: Input[Dataset], uri: str, overwrite: bool = False, endpoint: str = "", vault_path: str = ""
) -> Written:
    """Write a Parquet file to `uri` (s3://BUCKET/KEY or file:///PATH), byte for byte, whole or not at all.

    The same bytes there already are no error, so that a task may be repeated; anything else there is, unless
    `overwrite`. `endpoint` and `vault_path` are as in `read_parquet`.

    Raises `PlaceTaken`, `PlaceNotThere` (no such bucket), `PlaceRefused`, `PlaceUnavailable`, `BadTable`.
    """
    if uri.endswith("/"):
        raise ContractError(f"argument uri names a folder, {uri}; write the name of a file")
    with tables.opened(data.path) as file:
        rows = int(file.metadata.num_rows)
    if not place(uri, Store(endpoint, vault_path)).put(data.path, overwrite=overwrite):
        print(f"{uri} holds these {rows} rows already")
    return Written(uri, rows)


if __name__ == "__main__":
    run(write_parquet)
