"""The evaluating components over Parquet files of predictions, in every way that they run."""

import json
import math
import os
from pathlib import Path

import pyarrow
import pytest
from pyarrow import parquet
from tagline_task.errors import BadTable, ContractError

from .conftest import Bench

SAID = pyarrow.table(
    {
        "grape": ["barolo", "barolo", "barbera", "barbera"],
        "prediction": ["barolo", "barbera", "barbera", "barbera"],
        "p": [0.9, 0.4, 0.3, 0.2],
    }
)


@pytest.fixture
def said(tmp_path: Path) -> dict[str, Path]:
    parquet.write_table(SAID, tmp_path / "said")
    return {"predictions": tmp_path / "said"}


def test_a_classifiers_predictions_are_measured_drawn_and_reported(run: Bench, said: dict[str, Path]) -> None:
    ended = run("evaluate_classification", said, label="grape", score="p", positive="barolo")
    assert ended.code == 0, ended.said
    assert ended.metadata["metrics"] == pytest.approx(
        {
            "rows": 4,
            "accuracy": 0.75,
            "balanced_accuracy": 0.75,
            "precision_macro": 5 / 6,
            "recall_macro": 0.75,
            "f1_macro": (0.8 + 2 / 3) / 2,
            "mcc": 1 / math.sqrt(3),
            "roc_auc": 1.0,
            "log_loss": -math.log(0.9 * 0.4 * 0.7 * 0.8) / 4,
            "brier": (0.01 + 0.36 + 0.09 + 0.04) / 4,
        }
    )
    shown = ended.metadata["shown"]
    assert [one["displayName"] for one in shown["confusionMatrix"]["annotationSpecs"]] == [
        "barbera",
        "barolo",
    ]
    assert [row["row"] for row in shown["confusionMatrix"]["rows"]] == [[2, 0], [1, 1]]
    assert [one["recall"] for one in shown["confidenceMetrics"]] == [0, 0.5, 1, 1, 1]
    page = Path(ended.path("report")).read_text()
    assert "<td>0.75</td>" in page and "<th>barbera</th>" in page and "4 rows" in page


def test_without_a_score_no_curve_is_drawn_and_classes_may_be_numbers(once: Bench, tmp_path: Path) -> None:
    parquet.write_table(pyarrow.table({"label": [0, 1, 2], "prediction": [0, 1, 1]}), tmp_path / "said")
    ended = once("evaluate_classification", {"predictions": tmp_path / "said"})
    assert ended.metadata["metrics"]["accuracy"] == pytest.approx(2 / 3)
    assert set(ended.metadata["shown"]) == {"confusionMatrix"}
    assert "roc_auc" not in ended.metadata["metrics"]


def test_a_regressors_predictions_are_measured_and_reported(run: Bench, tmp_path: Path) -> None:
    parquet.write_table(pyarrow.table({"y": [1.0, 2.0, 4.0], "prediction": [1, 3, 4]}), tmp_path / "said")
    ended = run("evaluate_regression", {"predictions": tmp_path / "said"}, label="y")
    assert ended.code == 0, ended.said
    assert ended.metadata["metrics"] == pytest.approx(
        {
            "rows": 3,
            "mae": 1 / 3,
            "rmse": math.sqrt(1 / 3),
            "median_absolute_error": 0,
            "max_error": 1,
            "mean_error": 1 / 3,
            "r2": 1 - 1 / (14 / 3),
        }
    )
    assert "<th>rmse</th>" in Path(ended.path("report")).read_text()


def test_a_class_that_is_named_like_a_tag_is_no_tag_on_the_page(once: Bench, tmp_path: Path) -> None:
    parquet.write_table(pyarrow.table({"label": ["<script>"], "prediction": ["&"]}), tmp_path / "said")
    ended = once("evaluate_classification", {"predictions": tmp_path / "said"})
    page = Path(ended.path("report")).read_text()
    assert "<script>" not in page and "&lt;script&gt;" in page


@pytest.mark.parametrize(
    "name, columns, more, error, told",
    [
        ("classification", {"label": ["a"]}, {}, BadTable, "has no column prediction"),
        ("classification", {"label": [1], "prediction": ["1"]}, {}, BadTable, "hold int and str"),
        ("classification", {"label": [None], "prediction": ["a"]}, {}, BadTable, "1 row(s) without a value"),
        ("classification", {"label": [], "prediction": []}, {}, BadTable, "has no row"),
        (
            "classification",
            {"label": ["a"], "prediction": ["a"]},
            {"score": "p"},
            ContractError,
            "belong together",
        ),
        (
            "classification",
            {"label": ["a"], "prediction": ["a"], "p": [1.5]},
            {"score": "p", "positive": "a"},
            BadTable,
            "holds 1.5, which is no probability",
        ),
        (
            "classification",
            {"label": ["a"], "prediction": ["a"], "p": [0.5]},
            {"score": "p", "positive": "a"},
            BadTable,
            "needs rows of the positive class and of another",
        ),
        (
            "regression",
            {"label": ["1"], "prediction": [1]},
            {},
            BadTable,
            "holds '1', which is no finite number",
        ),
        ("regression", {"label": [1.0], "prediction": [math.inf]}, {}, BadTable, "holds inf"),
        ("regression", {"label": [], "prediction": []}, {}, BadTable, "has no row"),
    ],
)
def test_what_cannot_be_measured_is_told(
    once: Bench, tmp_path: Path, name, columns, more, error, told
) -> None:
    parquet.write_table(pyarrow.table(columns), tmp_path / "said")
    ended = once(f"evaluate_{name}", {"predictions": tmp_path / "said"}, **more)
    assert (ended.code, told in ended.said) == (error.exit_code, True), json.dumps(ended.said)
    assert os.listdir(ended.folder) == []
