"""A database asked once, to read: credentials from Vault, values bound and never written into the query."""

import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

from tagline_task.components.libraries import needed
from tagline_task.errors import (
    BadTable,
    ContractError,
    LibraryMissing,
    PlaceRefused,
    PlaceUnavailable,
    QueryFailed,
)
from tagline_task.masking import hide

ROWS = 10_000  # fetched at once
CONNECT, TRIES = 10, 3  # seconds for one try, tries
_ALIVE = {"keepalives_idle": 30, "keepalives_interval": 10, "keepalives_count": 3, "tcp_user_timeout": 60_000}
# what each driver calls the time that connecting may take
_ARGUMENTS: dict[str, dict[str, Any]] = {
    "psycopg": {"connect_timeout": CONNECT, **_ALIVE},
    "psycopg2": {"connect_timeout": CONNECT, **_ALIVE},
    "pymysql": {"connect_timeout": CONNECT},
    "mysqldb": {"connect_timeout": CONNECT},
    "oracledb": {"tcp_connect_timeout": CONNECT},
    "pysqlite": {"timeout": CONNECT},
}
_REFUSED = re.compile(
    r"authentication failed|no password supplied|access denied|permission denied|pg_hba|login failed|readonly database"
    r"|(?:role|database) \S+ does not exist|read-only transaction",
    re.IGNORECASE,
)

_PASSWORDS = {"password", "passwd", "pwd", "sslpassword"}  # of what an address says after its question mark


class Login(NamedTuple):
    """Where in Vault the credentials lie, and under which keys; without `vault_path` there are none."""

    vault_path: str = ""
    username_key: str = "username"
    password_key: str = "password"


class Question(NamedTuple):
    """A query with its values by name, and how many seconds it may take."""

    query: str
    values: Mapping[str, Any]
    seconds: float


def ask(database: str, login: Login, question: Question) -> Any:
    """The rows that a query gives, as pyarrow's `Table`; it is never committed, and on PostgreSQL cannot write.

    Raises `ContractError`, `PlaceUnavailable`, `PlaceRefused`, `QueryFailed`, `BadTable`.
    """
    if question.seconds <= 0:
        raise ContractError(f"argument timeout wants seconds above 0, got {question.seconds}")
    statement = _statement(question)
    engine = _engine(_address(database, login))
    try:
        with _connected(engine) as connection, _in_time(connection, question.seconds):
            with _told():
                result = connection.execute(statement, dict(question.values))
            if not result.returns_rows:
                raise ContractError("the query gives no rows: it must be one that reads")
            with _told():
                return _table(result)
    finally:
        engine.dispose()


def _statement(question: Question) -> Any:
    sqlalchemy = needed("sqlalchemy")
    made = sqlalchemy.text(question.query)
    wanted, given = set(made.compile().params), set(question.values)
    if wanted != given:
        missing, more = sorted(wanted - given), sorted(given - wanted)
        colon = r"(a colon that names no value is written \:)"
        said = [f"lacks a value for :{', :'.join(missing)} {colon}"] * bool(missing)
        said += [f"does not use {', '.join(more)}"] * bool(more)
        raise ContractError(f"argument parameters: the query {' and '.join(said)}")
    many = [name for name, value in question.values.items() if isinstance(value, list)]
    return made.bindparams(*(sqlalchemy.bindparam(name, expanding=True) for name in many))


def _address(database: str, login: Login) -> Any:
    """SQLAlchemy's URL with the credentials in it; its text hides them."""
    sqlalchemy = needed("sqlalchemy")
    try:
        url = sqlalchemy.engine.make_url(database)
    except sqlalchemy.exc.ArgumentError:
        raise ContractError(
            "argument database wants an address such as postgresql+psycopg://HOST:PORT/NAME"
        ) from None
    asked = [word for name, words in url.normalized_query.items() if name in _PASSWORDS for word in words]
    if hidden := [str(word) for word in (url.password, *asked) if word]:
        hide(hidden)
        raise ContractError(
            "argument database has a password in it: write it to Vault, and name it by vault_path"
        )
    return url.set(**_credentials(login)) if login.vault_path else url


def _credentials(login: Login) -> dict[str, str]:
    from tagline_task.connectors import VaultConnector

    with VaultConnector() as vault:
        found = vault.get_secrets(login.vault_path)
    keys = {"username": login.username_key, "password": login.password_key}
    missing = [key for key in keys.values() if not found.get(key)]
    if missing:
        raise PlaceRefused(
            f"the secret {login.vault_path} has no {' and no '.join(missing)}; it has {found!r}"
        )
    return {name: str(found[key]) for name, key in keys.items()}


def _engine(url: Any) -> Any:
    sqlalchemy = needed("sqlalchemy")
    try:
        return sqlalchemy.create_engine(
            url,
            poolclass=needed("sqlalchemy.pool").NullPool,
            hide_parameters=True,
            connect_args=_ARGUMENTS.get(url.get_driver_name(), {}),
        )
    except ModuleNotFoundError as error:
        raise LibraryMissing(
            f"{error.name} is not installed: add it to src/requirements.in and lock it"
        ) from None
    except sqlalchemy.exc.NoSuchModuleError:
        raise ContractError(f"argument database: SQLAlchemy knows no {url.drivername}") from None


@contextmanager
def _connected(engine: Any) -> Iterator[Any]:
    """A connection, tried a few times; what it did is undone when the block ends."""
    with _told(away=True):
        connection = _tried(engine)
    with connection:
        if engine.dialect.name == "postgresql":
            connection = connection.execution_options(postgresql_readonly=True)
        yield connection.execution_options(stream_results=True, max_row_buffer=ROWS)


def _tried(engine: Any) -> Any:
    error_kind = needed("sqlalchemy.exc").OperationalError
    for number in range(TRIES):
        try:
            return engine.connect()
        except error_kind as error:
            if number + 1 == TRIES or _REFUSED.search(str(error.orig)):
                raise
            time.sleep(0.5 * 2**number)
    raise AssertionError("tried at least once")


@contextmanager
def _in_time(connection: Any, seconds: float) -> Iterator[None]:
    """Whatever goes on in the block is cancelled after some seconds, where the driver can."""
    driver = connection.connection.driver_connection
    stop = getattr(driver, "cancel", None) or getattr(driver, "interrupt", None)
    over = threading.Event()

    def cancel() -> None:
        over.set()
        if stop is not None:
            stop()

    timer = threading.Timer(seconds, cancel)
    timer.daemon = True
    timer.start()
    try:
        yield
    except QueryFailed as error:
        if over.is_set():
            raise PlaceUnavailable(f"the database did not answer within {seconds:g} s: {error}") from error
        raise
    finally:
        timer.cancel()


@contextmanager
def _told(*, away: bool = False) -> Iterator[None]:
    """What the database says, without the query's values: refused, unavailable (`away`: on connecting), failed."""
    error_kind = needed("sqlalchemy.exc").SQLAlchemyError
    try:
        yield
    except error_kind as error:
        said = " ".join(str(getattr(error, "orig", None) or error).split())
        gone = away or getattr(error, "connection_invalidated", False)
        kind = PlaceRefused if _REFUSED.search(said) else PlaceUnavailable if gone else QueryFailed
        raise kind(f"the database {'cannot be reached' if gone else 'said'}: {said}") from None


def _table(result: Any) -> Any:
    arrow = needed("pyarrow")
    names = [str(name) for name in result.keys()]  # noqa: SIM118  # no mapping
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadTable(f"the query gives the column {twice[0]} twice: name one of them with AS")
    pieces = [arrow.table({name: arrow.nulls(0) for name in names})]
    try:
        for rows in result.partitions(ROWS):
            columns = zip(*rows, strict=True)
            pieces.append(
                arrow.table({name: list(cells) for name, cells in zip(names, columns, strict=True)})
            )
        return arrow.concat_tables(pieces, promote_options="permissive")
    except (arrow.ArrowInvalid, arrow.ArrowTypeError) as error:
        raise BadTable(f"the rows fit into no table: {error}; cast the column in the query") from error
