"""Parquet from and to a real S3 store and a disk, in every way that a component runs."""

import os
import time
from pathlib import Path

import pyarrow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from tagline_task import Dataset
from tagline_task.components import places
from tagline_task.components.v1.read_parquet import read_parquet
from tagline_task.components.v1.write_parquet import write_parquet
from tagline_task.errors import (
    BadTable,
    ContractError,
    PlaceNotThere,
    PlaceRefused,
    PlaceTaken,
    PlaceUnavailable,
)

from tests.servers.openbao import Bao
from tests.servers.ports import free_port, silent
from tests.servers.s3 import ACCESS, S3, SECRET

from .conftest import Bench, Ended

WINE = pyarrow.table(
    {"ash": [2.4, 2.1, None], "grape": ["barolo", "barbera", "barolo"], "year": [2024, 2025, 2026]}
)
POLICY = 'path "secret/data/components/*" { capabilities = ["read"] }'


@pytest.fixture
def wine(tmp_path: Path) -> Path:
    parquet.write_table(WINE, tmp_path / "wine")
    return tmp_path / "wine"


def lay(s3: S3, name: str, table: pyarrow.Table) -> str:
    """Lay a table down as an object of the store; its address."""
    (s3.folder / "models" / name).parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(table, s3.folder / "models" / name)
    return f"s3://models/{name}"


def table(ended: Ended, name: str = "data") -> pyarrow.Table:
    assert ended.code == 0, ended.said
    return parquet.read_table(ended.path(name))


def test_a_table_goes_to_the_store_and_comes_back_as_it_was(run: Bench, s3: S3, wine: Path) -> None:
    uri = f"s3://models/{run.folder.name}/wine.parquet"
    env = s3.environ()
    there = run("write_parquet", {"data": wine}, env, uri=uri, endpoint=s3.address)
    assert (there.code, there.parameters) == (0, {"address": uri, "rows": 3}), there.said
    assert (s3.folder / "models" / run.folder.name / "wine.parquet").read_bytes() == wine.read_bytes()
    back = run("read_parquet", env=env, uri=uri, endpoint=s3.address)
    assert table(back).equals(WINE)
    assert back.parameters == {"rows": 3}
    assert back.metadata["data"] == {"source": uri, "rows": 3}


def test_a_table_goes_to_a_disk_and_comes_back(once: Bench, wine: Path) -> None:
    uri = f"file://{once.folder}/there/wine.parquet"
    assert once("write_parquet", {"data": wine}, uri=uri).code == 0
    assert table(once("read_parquet", uri=uri)).equals(WINE)


def test_a_task_that_is_repeated_finds_its_own_rows_and_is_content(once: Bench, s3: S3, wine: Path) -> None:
    for uri in (f"s3://models/{once.folder.name}/again", f"file://{once.folder}/again"):
        for _ in range(2):
            done = once("write_parquet", {"data": wine}, s3.environ(), uri=uri, endpoint=s3.address)
            assert done.code == 0, done.said


def test_other_rows_at_the_address_are_kept_unless_they_may_go(once: Bench, s3: S3, wine: Path) -> None:
    name = f"{once.folder.name}/taken"
    uri, other = lay(s3, name, WINE.slice(1)), (s3.folder / "models" / name).read_bytes()
    given = {"uri": uri, "endpoint": s3.address}
    refused = once("write_parquet", {"data": wine}, s3.environ(), **given)
    assert (refused.code, "something else lies at" in refused.said) == (PlaceTaken.exit_code, True)
    assert (s3.folder / "models" / name).read_bytes() == other
    assert once("write_parquet", {"data": wine}, s3.environ(), overwrite=True, **given).code == 0
    assert (s3.folder / "models" / name).read_bytes() == wine.read_bytes()


def test_a_folder_is_one_table_with_its_partitions_as_columns(once: Bench, s3: S3) -> None:
    name = f"{once.folder.name}/by-year"
    for year in (2024, 2025):
        lay(s3, f"{name}/year={year}/part-0.parquet", pyarrow.table({"ash": [year / 1000, 1.0]}))
    lay(s3, f"{name}/_SUCCESS", pyarrow.table({}))
    given = {"uri": f"s3://models/{name}", "endpoint": s3.address}
    whole = table(once("read_parquet", env=s3.environ(), **given))
    assert whole.to_pydict() == {"ash": [2.024, 1.0, 2.025, 1.0], "year": [2024, 2024, 2025, 2025]}
    given |= {"filters": [["year", ">=", 2025]], "columns": ["ash"]}
    assert table(once("read_parquet", env=s3.environ(), **given)).to_pydict() == {"ash": [2.025, 1.0]}


def test_filters_are_a_conjunction_and_a_list_of_them_a_disjunction(once: Bench, wine: Path) -> None:
    def kept(filters: object) -> list[int]:
        return table(once("read_parquet", uri=f"file://{wine}", filters=filters))["year"].to_pylist()

    assert kept([["grape", "=", "barolo"], ["year", "<", 2026]]) == [2024]
    assert kept([[["grape", "=", "barbera"]], [["year", "=", 2026]]]) == [2025, 2026]
    assert kept([["grape", "in", ["barbera"]]]) == [2025]


def test_a_large_table_is_read_in_pieces_of_bounded_size(once: Bench, tmp_path: Path) -> None:
    parquet.write_table(pyarrow.table({"n": range(35_000)}), tmp_path / "large", row_group_size=35_000)
    read = once("read_parquet", uri=f"file://{tmp_path}/large")
    file = parquet.ParquetFile(read.path("data"))
    assert max(file.metadata.row_group(each).num_rows for each in range(file.num_row_groups)) <= 10_000
    assert file.read()["n"].to_pylist() == list(range(35_000))


@pytest.mark.parametrize(
    "uri, more, error, said",
    [
        ("s3://models/none", {}, PlaceNotThere, "nothing lies at s3://models/none"),
        ("s3://none/none", {}, PlaceNotThere, "nothing lies at"),
        ("s3://models", {}, ContractError, "wants s3://BUCKET/KEY or file:///PATH, got 's3://models'"),
        ("gs://models/x", {}, ContractError, "wants s3://BUCKET/KEY"),
        ("wine.parquet", {}, ContractError, "wants s3://BUCKET/KEY"),
        ("s3://models/text", {}, BadTable, "cannot be read as Parquet"),
        ("s3://models/ok", {"columns": ["ask"]}, BadTable, "has no column ask; it has ash, grape, year"),
        ("s3://models/ok", {"filters": [["ask", "=", 1]]}, BadTable, "ask"),
        ("s3://models/ok", {"filters": [["ash", "~", 1]]}, ContractError, "argument filters wants"),
        ("s3://models/ok", {"filters": ["ash"]}, ContractError, "argument filters wants"),
        ("s3://models/ok", {"endpoint": "127.0.0.1:1"}, ContractError, "endpoint wants https://HOST:PORT"),
    ],
)
def test_what_cannot_be_read_is_told_by_its_kind(once: Bench, s3: S3, uri, more, error, said) -> None:
    s3.put("models/text", b"no Parquet at all")
    lay(s3, "ok", WINE)
    ended = once("read_parquet", env=s3.environ(), **{"uri": uri, "endpoint": s3.address, **more})
    assert ended.code == error.exit_code, ended.said
    assert said in ended.said
    assert os.listdir(ended.folder) == []


def test_what_is_no_parquet_is_not_written(once: Bench, s3: S3, tmp_path: Path) -> None:
    (tmp_path / "csv").write_text("ash\n1\n")
    for path, said in ((tmp_path / "csv", "cannot be read as Parquet"), (tmp_path, "is a folder")):
        ended = once(
            "write_parquet", {"data": path}, s3.environ(), uri="s3://models/csv", endpoint=s3.address
        )
        assert (ended.code, said in ended.said) == (BadTable.exit_code, True), ended.said
    assert not (s3.folder / "models/csv").exists()


@pytest.mark.parametrize(
    "uri, error", [("s3://none/wine", PlaceNotThere), ("s3://models/wine/", ContractError)]
)
def test_where_nothing_can_be_written_is_told(once: Bench, s3: S3, wine: Path, uri: str, error) -> None:
    ended = once("write_parquet", {"data": wine}, s3.environ(), uri=uri, endpoint=s3.address)
    assert ended.code == error.exit_code, ended.said


def test_wrong_keys_and_none_are_refused_and_a_store_that_is_away_is_told_in_time(
    once: Bench, s3: S3, tmp_path: Path
) -> None:
    lay(s3, "ok", WINE)
    wrong = {"AWS_ACCESS_KEY_ID": ACCESS, "AWS_SECRET_ACCESS_KEY": "wrong-secret-of-the-tests"}
    none = {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": "/none", "HOME": str(tmp_path)}
    for env in (wrong, none):
        ended = once("read_parquet", env=env, uri="s3://models/ok", endpoint=s3.address)
        assert ended.code == PlaceRefused.exit_code, ended.said
    began = time.monotonic()
    away = f"http://127.0.0.1:{free_port()}"
    ended = once("read_parquet", env=s3.environ(), uri="s3://models/ok", endpoint=away)
    assert ended.code == PlaceUnavailable.exit_code, ended.said
    assert time.monotonic() - began < 30


def test_the_store_may_be_named_by_the_environment_alone(apart: Bench, s3: S3) -> None:
    lay(s3, "ok", WINE)
    env = s3.environ() | {"AWS_ENDPOINT_URL": s3.address}
    assert table(apart("read_parquet", env=env, uri="s3://models/ok")).num_rows == 3


def test_the_keys_may_lie_in_vault_and_are_never_seen(apart: Bench, s3: S3, bao: Bao) -> None:
    lay(s3, "ok", WINE)
    env = bao.role("components", POLICY).environ()
    given = {"uri": "s3://models/ok", "endpoint": s3.address}
    bao.put("components/s3", AWS_ACCESS_KEY_ID=ACCESS, AWS_SECRET_ACCESS_KEY=SECRET)
    ended = apart("read_parquet", env=env, vault_path="components/s3", **given)
    assert table(ended).num_rows == 3
    assert SECRET not in ended.said and SECRET not in str(ended.metadata)
    bao.put("components/half", AWS_ACCESS_KEY_ID=ACCESS)
    lacking = apart("read_parquet", env=env, vault_path="components/half", **given)
    assert lacking.code == PlaceRefused.exit_code
    assert "the secret components/half has no AWS_SECRET_ACCESS_KEY" in lacking.said
    assert ACCESS not in lacking.said


def test_a_writer_that_fails_half_way_leaves_nothing(once: Bench, tmp_path: Path) -> None:
    """Two files of one table that do not fit: the second is met when the first was written."""
    (tmp_path / "parts").mkdir()
    parquet.write_table(pyarrow.table({"n": range(20_000)}), tmp_path / "parts/a.parquet")
    parquet.write_table(pyarrow.table({"n": ["x"]}), tmp_path / "parts/b.parquet")
    ended = once("read_parquet", uri=f"file://{tmp_path}/parts")
    assert ended.code == BadTable.exit_code, ended.said
    assert os.listdir(ended.folder) == []


def test_of_two_writers_at_once_one_is_refused_on_a_disk(tmp_path: Path, wine: Path) -> None:
    """The second had looked before the first wrote: its copy does not take the name."""
    places.copy(str(wine), str(tmp_path / "both"), overwrite=False)
    with pytest.raises(FileExistsError):
        places.copy(str(wine), str(tmp_path / "both"), overwrite=False)
    assert sorted(os.listdir(tmp_path)) == ["both", "wine"]


CELLS = (
    st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
    st.one_of(st.none(), st.floats()),
    st.text(max_size=9),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(*CELLS), max_size=30))
def test_whatever_is_written_comes_back_cell_by_cell(tmp_path: Path, rows: list[tuple[object, ...]]) -> None:
    kinds = (pyarrow.int64(), pyarrow.float64(), pyarrow.string())
    columns = [pyarrow.array([row[each] for row in rows], kind) for each, kind in enumerate(kinds)]
    table = pyarrow.table(columns, names=["n", "x", "text"])
    parquet.write_table(table, tmp_path / "data")
    uri = f"file://{tmp_path}/there"
    write_parquet(Dataset(tmp_path / "data"), uri, overwrite=True)
    assert read_parquet(Dataset(tmp_path / "back"), uri).rows == len(rows)
    back = parquet.read_table(tmp_path / "back")
    assert back.schema.equals(table.schema)
    assert repr(back.to_pylist()) == repr(table.to_pylist())


def test_a_store_that_never_answers_is_given_up(once: Bench, s3: S3, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "READ", 0.3)
    began = time.monotonic()
    with silent() as port:
        ended = once(
            "read_parquet", env=s3.environ(), uri="s3://models/x", endpoint=f"http://127.0.0.1:{port}"
        )
    assert ended.code == PlaceUnavailable.exit_code, ended.said
    assert time.monotonic() - began < 30
