"""A task's executor output, as the local platform completes it, holds no secret that the run knows."""

import json
from pathlib import Path
from typing import Any

import pytest
from tagline.platforms.local import outputs
from tagline_task import masking
from tagline_task.masking import Hidden

VALUE = "p4ss/w0rd+of the=warehouse"


@pytest.fixture
def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """An executor input whose task has answered, with the value in every place."""
    monkeypatch.setattr(masking, "HIDDEN", Hidden())
    masking.HIDDEN.add([VALUE])
    made: dict[str, Any] = {
        "outputs": {
            "parameters": {"dsn": {"outputFile": str(tmp_path / "dsn")}},
            "artifacts": {"data": {"artifacts": [{"name": "data", "uri": str(tmp_path / "data")}]}},
            "outputFile": str(tmp_path / "task/executor_output.json"),
        }
    }
    outputs.prepare(made, tmp_path)
    (tmp_path / "dsn").write_text(f"postgres://u:{VALUE}@h")
    answer = {
        "parameterValues": {"other": [f"x {VALUE}"]},
        "artifacts": {"data": {"artifacts": [{"name": "data", "metadata": {"url": {VALUE: VALUE}}}]}},
    }
    (tmp_path / "task/executor_output.json").write_text(json.dumps(answer))
    return made


def test_no_place_of_the_answer_holds_the_value(given: dict[str, Any], tmp_path: Path) -> None:
    found = outputs.complete("task", given, tmp_path)
    outputs.record(tmp_path / "run", "task", found)
    kept = "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())
    assert VALUE not in kept
    assert "postgres://u:***@h" in kept and found[0].metadata == {"url": {"***": "***"}}


def test_without_the_mask_it_would_be_there(
    given: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(masking, "HIDDEN", Hidden())
    assert VALUE in str(outputs.complete("task", given, tmp_path))
