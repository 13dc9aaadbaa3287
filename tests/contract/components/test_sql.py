"""Queries of a real PostgreSQL with the credentials of a real OpenBao, in every way that the component runs."""

import datetime
import decimal
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet
from tagline_task import errors
from tagline_task.components import databases

from tests.servers import postgres
from tests.servers.openbao import Bao
from tests.servers.ports import free_port, silent
from tests.servers.postgres import Postgres

from .conftest import Bench, Ended

POLICY = 'path "secret/data/sql/*" { capabilities = ["read"] }'
READER, SECRET = "reader", "reader's own: p@ss/word%7 of the tests"
SINCE = "SELECT name, ash, pressed FROM wines WHERE pressed >= :since ORDER BY name"


@pytest.fixture(scope="module")
def database() -> Iterator[Postgres]:
    with postgres.server() as running:
        quoted = SECRET.replace("'", "''")
        running.run(
            "CREATE TABLE wines (name text, ash numeric(6,2), pressed date, at timestamptz, note text)",
            "INSERT INTO wines VALUES ('barbera', 2.10, '2025-10-01', '2025-10-01 12:00Z', NULL), "
            "('barolo', 12.40, '2026-09-30', '2026-09-30 12:00Z', 'it''s; :late')",
            f"CREATE ROLE {READER} LOGIN PASSWORD '{quoted}'",
            f"GRANT SELECT ON wines TO {READER}",
            f"GRANT INSERT ON wines TO {READER}",
            "CREATE TABLE closed (x int)",
            "CREATE FUNCTION more() RETURNS int LANGUAGE sql "
            "AS $$ INSERT INTO wines (name) VALUES ('more'); SELECT 1 $$",
        )
        yield running


@pytest.fixture(scope="module")
def login(bao: Bao) -> dict[str, str]:
    bao.put("sql/wine", username=READER, password=SECRET)
    bao.put("sql/wrong", username=READER, password="another-password")
    bao.put("sql/half", username=READER)
    return bao.role("sql", POLICY).environ()


@pytest.fixture
def given(database: Postgres, login: dict[str, str]) -> dict[str, Any]:
    """The words of a component that may read, and its environment."""
    return {"env": login, "database": database.address, "vault_path": "sql/wine"}


def table(ended: Ended) -> pyarrow.Table:
    assert ended.code == 0, ended.said
    return parquet.read_table(ended.path("data"))


def test_the_rows_of_a_query_are_read_and_the_password_is_never_seen(
    run: Bench, given: dict[str, Any]
) -> None:
    ended = run("read_sql", query=SINCE, parameters={"since": "2026-01-01"}, **given)
    assert table(ended).to_pylist() == [
        {"name": "barolo", "ash": decimal.Decimal("12.40"), "pressed": datetime.date(2026, 9, 30)}
    ]
    assert ended.parameters == {"rows": 1}
    assert ended.metadata["data"] == {"rows": 1, "columns": ["name", "ash", "pressed"]}
    assert SECRET not in ended.said


def test_a_query_may_lie_in_a_file_of_the_project_and_take_a_list(
    once: Bench, given: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "some.sql").write_text(
        "SELECT name FROM wines WHERE name IN :names AND '12:30' <> '\\:x'::text"
    )
    ended = once(
        "read_sql", query_file=str(tmp_path / "some.sql"), parameters={"names": ["barolo", "none"]}, **given
    )
    assert table(ended)["name"].to_pylist() == ["barolo"]


def test_a_value_that_reads_like_sql_is_a_value(
    once: Bench, given: dict[str, Any], database: Postgres
) -> None:
    hostile = "x'; DROP TABLE wines; --"
    ended = once(
        "read_sql", query="SELECT * FROM wines WHERE name = :name", parameters={"name": hostile}, **given
    )
    assert table(ended).num_rows == 0
    assert table(ended).column_names == ["name", "ash", "pressed", "at", "note"]
    assert database.run("SELECT count(*) FROM wines") == "2"


def test_types_that_only_later_rows_show_and_wider_numbers_are_kept(
    once: Bench, given: dict[str, Any]
) -> None:
    query = "SELECT n, CASE WHEN n > 15000 THEN 'late' END AS late, (n * 1000.25)::numeric AS wide"
    made = table(once("read_sql", query=f"{query} FROM generate_series(1, 20000) AS n", **given))
    assert (made.num_rows, made["late"].null_count) == (20_000, 15_000)
    assert made["wide"][19_999].as_py() == decimal.Decimal("20005000.00")


@pytest.mark.parametrize(
    "query, kind",
    [
        ("SELECT more()", errors.PlaceRefused),
        ("INSERT INTO wines (name) VALUES ('more') RETURNING name", errors.QueryFailed),
        ("WITH a AS (INSERT INTO wines VALUES ('more') RETURNING name) SELECT * FROM a", errors.QueryFailed),
    ],
)
def test_nothing_is_written_even_by_who_may(
    once: Bench, given: dict[str, Any], database: Postgres, query: str, kind: type[errors.TaskError]
) -> None:
    ended = once("read_sql", query=query, **given)
    assert ended.code == kind.exit_code, ended.said
    assert database.run("SELECT count(*) FROM wines") == "2"


def test_the_reader_could_write_where_nothing_held_it_back(database: Postgres) -> None:
    """What the test above protects from: the same function, without the read-only transaction."""
    assert database.run(f"SET ROLE {READER}", "BEGIN", "SELECT more()", "ROLLBACK").splitlines()[2] == "1"


@pytest.mark.parametrize(
    "more, error, said",
    [
        ({"vault_path": "sql/wrong"}, errors.PlaceRefused, "password authentication failed"),
        ({"vault_path": "sql/half"}, errors.PlaceRefused, "the secret sql/half has no password"),
        ({"vault_path": "sql/none"}, errors.SecretNotThere, "sql/none"),
        ({"vault_path": ""}, errors.PlaceRefused, "no password supplied"),
        ({"query": "SELECT x FROM closed"}, errors.PlaceRefused, "permission denied for table closed"),
        (
            {"query": "SELECT pg_terminate_backend(pg_backend_pid())"},
            errors.PlaceUnavailable,
            "cannot be reached",
        ),
        ({"query": "SELEC 1"}, errors.QueryFailed, "syntax error"),
        ({"query": "SELECT 1 AS a, 2 AS a"}, errors.BadTable, "the column a twice"),
        ({"query": SINCE}, errors.ContractError, "lacks a value for :since"),
        ({"parameters": {"x": 1}}, errors.ContractError, "does not use x"),
        ({"query": ""}, errors.ContractError, "query and query_file: give one of them"),
        ({"query": "", "query_file": "none.sql"}, errors.ContractError, "query_file cannot be read"),
        ({"timeout": 0.0}, errors.ContractError, "timeout wants seconds above 0"),
        ({"database": "nonsense"}, errors.ContractError, "database wants an address"),
        ({"database": "nosuch://h/d"}, errors.ContractError, "SQLAlchemy knows no nosuch"),
        ({"database": "mysql+pymysql://h/d"}, errors.LibraryMissing, "pymysql is not installed"),
    ],
)
def test_what_cannot_be_asked_is_told_by_its_kind(
    once: Bench, given: dict[str, Any], more, error, said
) -> None:
    ended = once("read_sql", **{"query": "SELECT 1 AS one", **given, **more})
    assert (ended.code, said in ended.said) == (error.exit_code, True), ended.said
    assert "another-password" not in ended.said and SECRET not in ended.said
    assert os.listdir(ended.folder) == []


@pytest.mark.parametrize(
    "address",
    [
        "postgresql+psycopg://me:swordfish-of-the-tests@127.0.0.1/wine",
        "postgresql+psycopg://me@127.0.0.1/wine?password=swordfish-of-the-tests",
    ],
)
def test_a_password_in_the_address_is_refused_and_not_repeated(apart: Bench, address: str) -> None:
    ended = apart("read_sql", database=address, query="SELECT 1")
    assert ended.code == errors.ContractError.exit_code
    assert "has a password in it: write it to Vault" in ended.said
    assert "swordfish" not in ended.said


def test_a_failed_query_does_not_tell_the_values_it_was_given(apart: Bench, given: dict[str, Any]) -> None:
    words = {"query": "SELECT 1 / (length(:key) - length(:key)) AS x", "parameters": {"key": "of-a-customer"}}
    ended = apart("read_sql", **words, **given)
    assert (ended.code, "division by zero" in ended.said) == (errors.QueryFailed.exit_code, True), ended.said
    assert "of-a-customer" not in ended.said


def test_a_query_that_takes_too_long_is_cancelled_on_the_server(
    once: Bench, given: dict[str, Any], database: Postgres
) -> None:
    began = time.monotonic()
    ended = once("read_sql", query="SELECT pg_sleep(60)", timeout=1.0, **given)
    assert (ended.code, "did not answer within 1 s" in ended.said) == (
        errors.PlaceUnavailable.exit_code,
        True,
    )
    assert time.monotonic() - began < 20
    assert database.run("SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'") == "0"


def test_a_database_that_is_away_is_told_in_time(once: Bench, given: dict[str, Any]) -> None:
    began = time.monotonic()
    given["database"] = f"postgresql+psycopg://127.0.0.1:{free_port()}/wine"
    ended = once("read_sql", query="SELECT 1", **given)
    assert (ended.code, "cannot be reached" in ended.said) == (errors.PlaceUnavailable.exit_code, True), (
        ended.said
    )
    assert time.monotonic() - began < 30


def test_a_database_that_never_answers_is_given_up(
    once: Bench, given: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "TRIES", 1)
    monkeypatch.setitem(databases._ARGUMENTS["psycopg"], "connect_timeout", 2)
    began = time.monotonic()
    with silent() as port:
        given["database"] = f"postgresql+psycopg://127.0.0.1:{port}/wine"
        ended = once("read_sql", query="SELECT 1", **given)
    assert (ended.code, "cannot be reached" in ended.said) == (errors.PlaceUnavailable.exit_code, True), (
        ended.said
    )
    assert time.monotonic() - began < 20


def test_sqlite_needs_no_credentials_is_not_written_and_is_cancelled_too(once: Bench, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "wine.db") as made:
        made.execute("CREATE TABLE wines AS SELECT 'barolo' AS name, 2.4 AS ash")
    address = f"sqlite:///{tmp_path}/wine.db"
    assert table(once("read_sql", database=address, query="SELECT * FROM wines")).to_pylist() == [
        {"name": "barolo", "ash": 2.4}
    ]
    writing = once("read_sql", database=address, query="INSERT INTO wines VALUES ('more', 1)")
    assert (writing.code, "the query gives no rows" in writing.said) == (errors.ContractError.exit_code, True)
    with sqlite3.connect(tmp_path / "wine.db") as made:
        assert made.execute("SELECT count(*) FROM wines").fetchone() == (1,)
    endless = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT max(x) FROM n"
    ended = once("read_sql", database=address, query=endless, timeout=0.5)
    assert (ended.code, "did not answer within 0.5 s" in ended.said) == (
        errors.PlaceUnavailable.exit_code,
        True,
    )
