"""The split component over real Parquet files, in every way that it runs."""

import os
from datetime import datetime, timedelta
from pathlib import Path

import pyarrow
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from tagline_task import Dataset, Metrics
from tagline_task.components import splitting
from tagline_task.components.v1.split import split
from tagline_task.errors import BadTable, ContractError

from .conftest import Bench, Ended

START = datetime(2026, 1, 1)
ROWS = 100
WINE = pyarrow.table(
    {
        "row_id": [f"wine-{row:03d}" for row in range(ROWS)],
        "grape": ["barolo" if row % 5 else "barbera" for row in range(ROWS)],
        "cellar": [row // 4 for row in range(ROWS)],
        "pressed": [START + timedelta(days=(row * 37) % ROWS) for row in range(ROWS)],
    }
)


@pytest.fixture
def wine(tmp_path: Path) -> Path:
    parquet.write_table(WINE, tmp_path / "wine")
    return tmp_path / "wine"


def parts(ended: Ended) -> list[pyarrow.Table]:
    assert ended.code == 0, ended.said
    return [parquet.read_table(ended.path(name)) for name in splitting.PARTS]


def test_a_table_is_split_in_three_and_counted_the_same_in_each_way(run: Bench, wine: Path) -> None:
    ended = run("split", {"data": wine}, seed=7)
    expected = splitting.at_random(ROWS, splitting.shares(0.1, 0.2), 7)
    assert [part.equals(WINE.take(rows)) for part, rows in zip(parts(ended), expected, strict=True)] == [
        True
    ] * 3
    assert ended.metadata["metrics"] == {"train_rows": 70, "validation_rows": 10, "test_rows": 20}
    assert ended.metadata["test"] == {"rows": 20}


def test_a_column_decides_where_one_is_named(once: Bench, wine: Path) -> None:
    by_class = parts(once("split", {"data": wine}, stratify="grape"))
    assert [part["grape"].to_pylist().count("barbera") for part in by_class] == [14, 2, 4]
    cellars = [
        set(part["cellar"].to_pylist()) for part in parts(once("split", {"data": wine}, group="cellar"))
    ]
    assert sum(map(len, cellars)) == len(set.union(*cellars)) == 25
    times = [part["pressed"].to_pylist() for part in parts(once("split", {"data": wine}, time="pressed"))]
    assert max(times[0]) < min(times[1]) <= max(times[1]) < min(times[2])
    assert [len(each) for each in times] == [70, 10, 20]


def test_a_part_without_a_share_is_a_table_without_rows(once: Bench, wine: Path) -> None:
    made = parts(once("split", {"data": wine}, validation_share=0.0, test_share=0.25))
    assert [part.num_rows for part in made] == [75, 0, 25]
    assert made[1].schema.equals(WINE.schema)


@pytest.mark.parametrize(
    "more, error, said",
    [
        ({"stratify": "grapes"}, BadTable, "has no column grapes; it has row_id, grape, cellar, pressed"),
        (
            {"stratify": "grape", "time": "pressed"},
            ContractError,
            "arguments stratify and time exclude each other",
        ),
        ({"test_share": 1.0}, ContractError, "leave nothing to train with"),
        ({"group": "half"}, BadTable, "has 50 row(s) without a value in the column half"),
        ({"time": "nan"}, BadTable, "has 100 row(s) without a value in the column nan"),
        ({"group": "many"}, BadTable, "the column many holds list"),
        ({"validation_share": 0.001}, BadTable, "has 100 row(s), too few for validation to get one"),
    ],
)
def test_what_cannot_be_split_is_told(once: Bench, tmp_path: Path, more, error, said) -> None:
    odd = WINE.append_column("half", [[None, "x"] * 50]).append_column("nan", [[float("nan")] * ROWS])
    parquet.write_table(odd.append_column("many", [[[1]] * ROWS]), tmp_path / "odd")
    said = said.replace("pressed", "pressed, half, nan, many") if "it has" in said else said
    ended = once("split", {"data": tmp_path / "odd"}, **more)
    assert (ended.code, said in ended.said) == (error.exit_code, True), ended.said
    assert os.listdir(ended.folder) == []


def test_times_of_nanoseconds_and_days_are_ordered_as_they_are(once: Bench, tmp_path: Path) -> None:
    for kind in (pyarrow.timestamp("ns"), pyarrow.date32(), pyarrow.int16()):
        column = pyarrow.array(range(9, -1, -1), pyarrow.int32()).cast(
            pyarrow.int64() if kind.bit_width == 64 else pyarrow.int32()
        )
        parquet.write_table(pyarrow.table({"t": column.cast(kind)}), tmp_path / "times")
        made = parts(once("split", {"data": tmp_path / "times"}, time="t"))
        assert made[2]["t"].equals(pyarrow.chunked_array([column.cast(kind).slice(0, 2)]))


def test_pandas_reads_a_part_of_what_it_wrote_itself(once: Bench, tmp_path: Path) -> None:
    import pandas

    frame = pandas.DataFrame({"ash": range(10)}, index=[f"r{row}" for row in range(10)])
    frame.to_parquet(tmp_path / "frame")
    ended = once("split", {"data": tmp_path / "frame"})
    whole = pandas.concat([pandas.read_parquet(ended.path(name)) for name in splitting.PARTS])
    pandas.testing.assert_frame_equal(whole.sort_values("ash"), frame)


CELLS = st.lists(st.tuples(st.integers(), st.sampled_from(["a", "b", "c"])), min_size=10, max_size=60)
WAYS = st.sampled_from([{}, {"stratify": "name"}, {"time": "number"}, {"group": "name"}])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CELLS.filter(lambda cells: all(abs(number) < 2**62 for number, _ in cells)), WAYS, st.integers(0, 9))
def test_no_row_is_lost_or_doubled_whatever_the_table(tmp_path: Path, cells, way, seed) -> None:
    table = pyarrow.table({"number": [each[0] for each in cells], "name": [each[1] for each in cells]})
    parquet.write_table(table, tmp_path / "data")
    made = [Dataset(tmp_path / name) for name in splitting.PARTS]
    try:
        split(Dataset(tmp_path / "data"), *made, Metrics(tmp_path / "metrics"), seed=seed, **way)
    except BadTable as error:
        assert "too few" in str(error)
        return
    got = pyarrow.concat_tables(parquet.read_table(each.path) for each in made)
    assert sorted(zip(*got.to_pydict().values(), strict=True)) == sorted(cells)
