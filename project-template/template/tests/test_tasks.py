"""The tasks as functions: each is called with files, as any function is."""

import csv
import json
from pathlib import Path

import joblib
import pandas
import pytest
from lib.config import FEATURES, LABEL, in_holdout
from pipeline_steps.download_data.task import download_data
from pipeline_steps.evaluate.task import evaluate
from pipeline_steps.prepare_data.task import prepare_data
from pipeline_steps.switch_model.task import switch_model
from pipeline_steps.train_model.task import train_model
from tagline_task import Artifact, Dataset, Metrics, Model

HOLDOUT = Path(__file__).resolve().parents[1] / "data/holdout.csv"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the tasks leave, made once: raw, train, test, model, facts."""
    folder = tmp_path_factory.mktemp("run")
    accuracy = Metrics(folder / "metrics")
    download_data(Dataset(folder / "raw"))
    prepare_data(
        Dataset(folder / "raw"), Dataset(folder / "train"), Dataset(folder / "test"), Metrics(folder / "counts")
    )
    model = Model(folder / "model")
    train_model(Dataset(folder / "train"), Dataset(folder / "test"), model, accuracy, trees=5)
    switch_model(model, Dataset(folder / "train"), accuracy, Artifact(folder / "facts"))
    return folder


def test_no_row_of_the_gate_is_trained_on(files: Path) -> None:
    rows = pandas.concat([pandas.read_csv(files / "train"), pandas.read_csv(files / "test")])
    assert len(rows) == 106
    assert not rows["row_id"].map(in_holdout).any()


@pytest.mark.skipif(not HOLDOUT.exists(), reason="the line hides the gate's data from the project's code")
def test_the_frozen_rows_are_the_ones_that_are_held_out(files: Path) -> None:
    raw = pandas.read_csv(files / "raw", dtype=str)
    expected = raw[raw["row_id"].map(in_holdout)].reset_index(drop=True)
    pandas.testing.assert_frame_equal(pandas.read_csv(HOLDOUT, dtype=str), expected)


def test_the_model_is_better_than_guessing(files: Path) -> None:
    test = pandas.read_csv(files / "test")
    assert (joblib.load(files / "model").predict(test[FEATURES]) == test[LABEL]).mean() > 0.5


def test_the_facts_name_the_model_and_what_it_takes(files: Path) -> None:
    facts = json.loads((files / "facts").read_text())
    assert [each["name"] for each in facts["signature"]["inputs"]] == FEATURES
    assert 0.5 < facts["metrics"]["accuracy"] <= 1
    assert facts["uri"] == str(files / "model")


def test_the_scorer_counts_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "predictions").write_text("row_id,prediction\nwine-000,barolo\nwine-002,barbera\n")
    (tmp_path / "labels").write_text("row_id,cultivar\nwine-000,barolo\nwine-002,barolo\n")
    metrics = Metrics(tmp_path / "metrics")
    evaluate(Dataset(tmp_path / "predictions"), Dataset(tmp_path / "labels"), Dataset(tmp_path / "rows"), metrics)
    with open(tmp_path / "rows", newline="") as file:
        assert [(row["row_id"], row["wrong"]) for row in csv.DictReader(file)] == [("wine-000", "0"), ("wine-002", "1")]
    assert metrics.metadata["accuracy"] == 0.5
