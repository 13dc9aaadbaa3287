"""Tables as Parquet files: read whole or in pieces, asked for what a component needs, written whole or not at all."""

import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from tagline_task.components.libraries import needed
from tagline_task.errors import BadTable
from tagline_task.files import make_parent

BATCH = 10_000  # rows


def opened(path: str) -> Any:
    """A file as pyarrow's `ParquetFile`. Raises `BadTable` for what is none."""
    parquet = needed("pyarrow.parquet")
    if os.path.isdir(path):
        raise BadTable(f"{path} is a folder; hand over one Parquet file")
    with reading(path):
        return parquet.ParquetFile(path)


def read(path: str, columns: Sequence[str] | None = None) -> Any:
    """A file, or these columns of it, as pyarrow's `Table`. Raises `BadTable`: no Parquet, a column that lacks."""
    with opened(path) as file:
        check_columns(path, file.schema_arrow.names, columns or [])
        with reading(path):
            return file.read(columns=None if columns is None else list(columns))


def batches(path: str, size: int = BATCH) -> Iterator[Any]:
    """The rows of a file, `size` at a time, as pyarrow's record batches."""
    with opened(path) as file, reading(path):
        yield from file.iter_batches(batch_size=size)


def write(path: str, table: Any) -> None:
    """Write a table as a Parquet file that is there whole or not at all."""
    with writing(path, table.schema) as writer:
        writer.write_table(table)


@contextmanager
def writing(path: str, schema: Any) -> Iterator[Any]:
    """pyarrow's `ParquetWriter` for a file that is there when the block has ended well, and not before."""
    parquet = needed("pyarrow.parquet")
    make_parent(path)
    folder, name = os.path.split(os.path.abspath(path))
    draft = os.path.join(folder, f".{name}.{os.getpid()}.part")
    try:
        with parquet.ParquetWriter(draft, schema) as writer:
            yield writer
        os.replace(draft, path)
    finally:
        if os.path.exists(draft):
            os.unlink(draft)


def check_columns(path: str, there: Sequence[str], wanted: Sequence[str]) -> None:
    """Raise `BadTable` that names the columns which are wanted and not there, or are there twice."""
    missing = [name for name in wanted if name not in there]
    if missing:
        raise BadTable(f"{path} has no column {', '.join(missing)}; it has {', '.join(there)}")
    twice = sorted({name for name in there if list(there).count(name) > 1})
    if twice:
        raise BadTable(f"{path} has the column {twice[0]} twice")


def values(table: Any, column: str, path: str) -> list[Any]:
    """A column's values, none of which is empty: neither null nor NaN; times as whole numbers. Raises `BadTable`."""
    types = needed("pyarrow.types")
    cells = table.column(column)
    if types.is_nested(cells.type):
        raise BadTable(f"{path}: the column {column} holds {cells.type}, not single values")
    if types.is_temporal(cells.type) and not types.is_interval(cells.type):
        cells = _numbered(cells)
    found: list[Any] = cells.to_pylist()
    empty = sum(1 for each in found if each is None or (isinstance(each, float) and math.isnan(each)))
    if empty:
        raise BadTable(f"{path} has {empty} row(s) without a value in the column {column}")
    return found


def request_type(path: str, schema: Any, column: str) -> str:
    """A column's type as a request carries it: bool, int, float or str. Raises `BadTable` for any other."""
    types = needed("pyarrow.types")
    kind = schema.field(column).type
    if types.is_dictionary(kind):
        kind = kind.value_type
    known = {"bool": types.is_boolean, "int": types.is_integer, "float": types.is_floating}
    text = types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)
    found = "str" if text else next((name for name, fits in known.items() if fits(kind)), "")
    if not found:
        raise BadTable(
            f"{path}: the column {column} holds {kind}; a request carries bool, int, float and text"
        )
    return found


def _numbered(cells: Any) -> Any:
    """Times as what Arrow keeps of them: a nanosecond has no Python of its own."""
    arrow = needed("pyarrow")
    narrow = cells.type.bit_width == 32
    return cells.cast(arrow.int32()).cast(arrow.int64()) if narrow else cells.cast(arrow.int64())


def taken(table: Any, rows: Sequence[int]) -> Any:
    """These rows of a table, by number; of none, a table without rows."""
    arrow = needed("pyarrow")
    return table.take(arrow.array(rows, arrow.int64()))


@contextmanager
def reading(path: str) -> Iterator[None]:
    """What pyarrow says of a file that it cannot read, as `BadTable`."""
    arrow = needed("pyarrow")
    try:
        yield
    except (
        arrow.ArrowInvalid,
        arrow.ArrowNotImplementedError,
        arrow.ArrowKeyError,
        arrow.ArrowTypeError,
    ) as error:
        raise BadTable(f"{path} cannot be read as Parquet: {error}") from error
