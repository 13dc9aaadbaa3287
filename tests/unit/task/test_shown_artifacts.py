"""What Kubeflow's UI draws beside a run: the same metadata as its own SDK writes, and pages without secrets."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from kfp import dsl
from kfp.dsl.types.artifact_types import ClassificationMetrics as Theirs
from tagline.pipeline.compile import compile_file
from tagline.pipeline.compiled import read
from tagline_task import HTML, ClassificationMetrics, Markdown, masking
from tagline_task.errors import ContractError

NAMES = ["bad", "good"]
MATRIX = [[8, 1], [2, 9]]
CURVE: tuple[list[float], list[float], list[float]] = ([0.0, 0.1, 1.0], [0.0, 0.8, 1.0], [2.0, 0.5, 0.0])


def test_a_matrix_and_a_curve_are_what_kfps_own_sdk_writes(tmp_path: Path) -> None:
    ours, theirs = ClassificationMetrics(tmp_path / "m"), Theirs(name="m", uri="", metadata={})
    ours.log_confusion_matrix(NAMES, MATRIX)
    ours.log_roc_curve(*CURVE)
    theirs.log_confusion_matrix(NAMES, MATRIX)
    theirs.log_roc_curve(*CURVE)
    assert json.loads(json.dumps(ours.metadata)) == json.loads(json.dumps(theirs.metadata))


def test_the_first_threshold_of_scikit_learn_is_no_number_that_json_lacks(tmp_path: Path) -> None:
    ours = ClassificationMetrics(tmp_path / "m")
    ours.log_roc_curve([0.0, 1.0], [0.0, 1.0], [math.inf, 0.4])
    json.dumps(ours.metadata, allow_nan=False)
    assert ours.metadata["confidenceMetrics"][0]["confidenceThreshold"] == pytest.approx(1.4)


@pytest.mark.parametrize("matrix", [[[1, 2]], [[1], [2]], [], [[1, "x"], [1, 2]]])
def test_a_matrix_that_does_not_fit_its_categories_is_refused(tmp_path: Path, matrix: Any) -> None:
    with pytest.raises(ContractError):
        ClassificationMetrics(tmp_path / "m").log_confusion_matrix(NAMES, matrix)


def test_a_curve_of_different_lengths_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="one length"):
        ClassificationMetrics(tmp_path / "m").log_roc_curve([0.0], [0.0, 1.0], [1.0])


@pytest.mark.parametrize("kind", [HTML, Markdown])
def test_a_page_is_written_whole_and_without_what_is_hidden(
    tmp_path: Path, kind: type[HTML] | type[Markdown]
) -> None:
    masking.hide(["page-secret-0123"])
    page = kind(tmp_path / "inner/page")
    page.write("<h1>ä page-secret-0123</h1>")
    text = (tmp_path / "inner/page").read_text(encoding="utf-8")
    assert text.startswith("<h1>ä ") and "page-secret" not in text


def test_a_task_that_hands_them_on_compiles_to_the_types_that_the_ui_draws(tmp_path: Path) -> None:
    step = tmp_path / "src/pipeline_steps/report/task.py"
    step.parent.mkdir(parents=True)
    step.write_text(
        "from tagline_task import HTML, ClassificationMetrics, Markdown, Output, run\n\n"
        "def report(curve: Output[ClassificationMetrics], page: Output[HTML], note: Output[Markdown]) -> None:\n"
        "    page.write('x')\n\nif __name__ == '__main__':\n    run(report)\n"
    )
    pipeline = tmp_path / "pipeline.py"
    pipeline.write_text(
        "import tagline\nfrom kfp import dsl\n\nreport = tagline.component('report', image='x:1')\n\n"
        "@dsl.pipeline(name='shown')\ndef pipeline():\n    report()\n"
    )
    made = read(compile_file(pipeline, tmp_path / "out.yaml"))
    artifacts = made.ir["components"]["comp-report"]["outputDefinitions"]["artifacts"]
    kinds = {name: one["artifactType"]["schemaTitle"] for name, one in artifacts.items()}
    assert kinds == {
        "curve": "system.ClassificationMetrics",
        "page": "system.HTML",
        "note": "system.Markdown",
    }
    assert dsl.Markdown.schema_title == Markdown.schema_title
