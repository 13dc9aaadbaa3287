"""The batch-predict component with real models: the answers that the gate would judge, in every way that it runs."""

import os
from pathlib import Path

import joblib
import pandas
import pyarrow
import pytest
from pyarrow import parquet
from sklearn.linear_model import LogisticRegression
from tagline_task.errors import BadFeatures, BadTable, ContractError, ModelDoesNotLoad, PredictionFailed
from tagline_task.predict import work

from .conftest import Bench, Ended

FRAME = pandas.DataFrame(
    {
        "row_id": [f"wine-{row}" for row in range(25)],
        "ash": [row / 10 for row in range(25)],
        "alcohol": [10 + row % 7 for row in range(25)],
        "grape": ["barolo" if row > 12 else "barbera" for row in range(25)],
    }
)
KEPT = {"keep": ["row_id", "grape"]}
CUSTOM = """
class Model:
    def load(self, path):
        self.limit = float(open(path).read())
    def predict(self, instances):
        return [self.answer(each) for each in instances]
    def answer(self, each):
        if each["ash"] is None:
            raise ValueError("no ash")
        if self.limit < 0:
            return 1 if each["ash"] < 1 else "much"
        return {"prediction": "high" if each["ash"] > self.limit else "low", "score": each["ash"] / 10}
"""


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, Path]:
    model = LogisticRegression().fit(FRAME[["ash", "alcohol"]], FRAME["grape"])
    joblib.dump(model, tmp_path / "model")
    FRAME.to_parquet(tmp_path / "data", index=False)
    return {"model": tmp_path / "model", "data": tmp_path / "data"}


def table(ended: Ended) -> pyarrow.Table:
    assert ended.code == 0, ended.said
    return parquet.read_table(ended.path("predictions"))


def test_each_row_is_predicted_in_its_order_beside_what_is_kept(run: Bench, inputs: dict[str, Path]) -> None:
    ended = run("batch_predict", inputs, batch_size=10, **KEPT)
    made = table(ended)
    assert made.column_names == ["row_id", "grape", "prediction"]
    assert made["row_id"].to_pylist() == list(FRAME["row_id"])
    expected = joblib.load(inputs["model"]).predict(FRAME[["ash", "alcohol"]])
    assert made["prediction"].to_pylist() == list(expected)
    assert (ended.parameters, ended.metadata["predictions"]) == ({"rows": 25}, {"rows": 25})


def test_the_answers_are_those_that_the_gate_would_judge(
    once: Bench, inputs: dict[str, Path], tmp_path: Path
) -> None:
    FRAME.drop(columns="grape").to_csv(tmp_path / "features.csv", index=False)
    words = ["--predictor=sklearn", f"--model={inputs['model']}", "--sha256=", f"--out={tmp_path}/judged.csv"]
    work([*words, f"--features={tmp_path}/features.csv", "--id=row_id"])
    judged = pandas.read_csv(tmp_path / "judged.csv")
    assert table(once("batch_predict", inputs, **KEPT))["prediction"].to_pylist() == list(
        judged["prediction"]
    )


def test_the_predictions_go_on_to_be_evaluated(once: Bench, inputs: dict[str, Path]) -> None:
    made = once("batch_predict", inputs, **KEPT)
    judged = once("evaluate_classification", {"predictions": made.path("predictions")}, label="grape")
    assert judged.metadata["metrics"]["accuracy"] > 0.8, judged.said


@pytest.fixture
def custom(inputs: dict[str, Path], tmp_path: Path) -> dict[str, Path]:
    (tmp_path / "serve.py").write_text(CUSTOM)
    (tmp_path / "limit").write_text("1.0")
    return inputs | {"model": tmp_path / "limit"}


def test_a_predictor_of_the_project_may_answer_with_several_columns(
    once: Bench, custom: dict[str, Path], tmp_path: Path
) -> None:
    made = table(once("batch_predict", custom, predictor=f"custom:{tmp_path}/serve.py", keep=["row_id"]))
    assert made.column_names == ["row_id", "prediction", "score"]
    assert made["prediction"].to_pylist() == ["low"] * 11 + ["high"] * 14
    assert made["score"].to_pylist()[:2] == [0.0, pytest.approx(0.01)]


@pytest.mark.parametrize("size", [25, 5])
def test_answers_with_different_keys_are_told_and_none_is_dropped(
    once: Bench, custom: dict[str, Path], tmp_path: Path, size: int
) -> None:
    more = CUSTOM.replace("        return {", '        return ({"more": 1} if each["ash"] > 1 else {}) | {')
    (tmp_path / "serve.py").write_text(more)
    ended = once("batch_predict", custom, predictor=f"custom:{tmp_path}/serve.py", batch_size=size)
    assert (ended.code, "different keys: more" in ended.said) == (BadTable.exit_code, True), ended.said


@pytest.mark.parametrize(
    "limit, frame, more, error, said",
    [
        ("1", FRAME.assign(ash=float("nan")), {}, PredictionFailed, "ValueError: no ash"),
        ("-1", FRAME, {"batch_size": 5}, BadTable, "the predictions are not of one type"),
        ("-1", FRAME, {"batch_size": 25}, BadTable, "the predictions are not of one type"),
        ("x", FRAME, {}, ModelDoesNotLoad, "could not load"),
        ("1", FRAME, {"keep": ["row"]}, BadTable, "has no column row"),
        ("1", FRAME, {"features": ["ask"]}, BadTable, "has no column ask"),
        (
            "1",
            FRAME.assign(score=1),
            {"keep": ["score"]},
            BadTable,
            "the column score is one of the predictions",
        ),
        ("1", FRAME.head(0), {}, BadTable, "no row"),
        ("1", FRAME.assign(t=pandas.Timestamp("2026-01-01")), {}, BadTable, "the column t holds timestamp"),
        ("1", FRAME, {"batch_size": 0}, ContractError, "batch_size wants at least 1"),
        ("1", FRAME, {"predictor": "torch"}, ModelDoesNotLoad, "unknown predictor 'torch'"),
    ],
)
def test_what_cannot_be_predicted_is_told_and_leaves_nothing(
    once: Bench, custom: dict[str, Path], tmp_path: Path, limit, frame, more, error, said
) -> None:
    frame.to_parquet(custom["data"], index=False)
    custom["model"].write_text(limit)
    ended = once("batch_predict", custom, **{"predictor": f"custom:{tmp_path}/serve.py", **more})
    assert (ended.code, said in ended.said) == (error.exit_code, True), ended.said
    assert os.listdir(ended.folder) == []


def test_rows_that_the_model_does_not_take_are_bad_features(once: Bench, inputs: dict[str, Path]) -> None:
    ended = once("batch_predict", inputs, features=["grape"])
    assert ended.code == BadFeatures.exit_code
    assert "has none of the model's columns (ash, alcohol)" in ended.said
