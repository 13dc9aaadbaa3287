"""`tagline-read-sql-v1`: the rows of a query, with the credentials of Vault."""

from typing import Any, NamedTuple

from tagline_task import Dataset, Output, run
from tagline_task.components import databases, tables
from tagline_task.components.databases import Login, Question
from tagline_task.errors import ContractError


class Read(NamedTuple):
    """How many rows were read."""

    rows: int


def read_sql(
    data: Output[Dataset],
    database: str,
    query: str = "",
    query_file: str = "",
    parameters: dict[str, Any] | None = None,
    vault_path: str = "",
    username_key: str = "username",
    password_key: str = "password",
    timeout: float = 3600.0,
) -> Read:
    """Ask `database` for the rows of one query and write them as Parquet.

    `database` is an address of SQLAlchemy without credentials, such as postgresql+psycopg://HOST:PORT/NAME; user and
    password lie in Vault at `vault_path` under the keys `username_key` and `password_key`, and are never seen. The
    query is `query`, or stands in `query_file`, a file of the project. `parameters` are the values that it names:
    `:since` a single one, `IN :grapes` a list; the driver binds them, they are never written into the text. Nothing is
    committed, and on PostgreSQL the query runs read-only. After `timeout` seconds it is cancelled where the driver can.
    The rows must fit into memory.

    Raises `PlaceUnavailable`, `PlaceRefused`, `QueryFailed`, `BadTable`, and what `VaultConnector` raises.
    """
    if bool(query) == bool(query_file):
        raise ContractError("arguments query and query_file: give one of them")
    question = Question(query or _text(query_file), parameters or {}, timeout)
    table = databases.ask(database, Login(vault_path, username_key, password_key), question)
    tables.write(data.path, table)
    data.metadata |= {"rows": table.num_rows, "columns": table.column_names}
    return Read(table.num_rows)


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except (OSError, UnicodeDecodeError) as error:
        raise ContractError(f"argument query_file cannot be read: {error}") from None


if __name__ == "__main__":
    run(read_sql)
