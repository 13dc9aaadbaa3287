"""A run's model is a file of that run: what its facts name elsewhere is not registered."""

import hashlib
import json
from pathlib import Path

import pytest
from tagline.errors import TaskContractBroken
from tagline.platforms.local import outputs
from tagline.platforms.local.outputs import FACTS, MODEL, Output

DIGEST = hashlib.sha256(b"weights").hexdigest()


def run_with_facts(folder: Path, uri: Path) -> Path:
    """The folder of a run whose task `note` wrote facts that name this model."""
    note = folder / "run/note/facts"
    note.parent.mkdir(parents=True)
    note.write_text(json.dumps({"uri": str(uri), "sha256": DIGEST, "metrics": {}}))
    outputs.record(folder / "run", "note", [Output("note", FACTS, "system.Artifact", str(note))])
    return folder / "run"


def test_facts_that_name_a_model_of_the_run_are_taken(tmp_path: Path) -> None:
    model = tmp_path / "run/train/model"
    model.parent.mkdir(parents=True)
    model.write_bytes(b"weights")
    facts = outputs.model_facts(run_with_facts(tmp_path, model), [])
    assert facts is not None
    assert (facts.uri, facts.sha256) == (str(model), DIGEST)


def test_facts_that_name_a_model_that_is_not_there_are_refused(tmp_path: Path) -> None:
    model = tmp_path / "run/train/model"
    with pytest.raises(TaskContractBroken, match=r"model' that note\.facts names is not there"):
        outputs.model_facts(run_with_facts(tmp_path, model), [])


@pytest.mark.parametrize("way", ["beside", "up and out", "linked"])
def test_facts_that_name_a_model_outside_the_run_are_refused(tmp_path: Path, way: str) -> None:
    beside = tmp_path / "other"
    beside.write_bytes(b"weights")
    (tmp_path / "run").mkdir()
    (tmp_path / "run/link").symlink_to(beside)
    uri = {"beside": beside, "up and out": tmp_path / "run/../other", "linked": tmp_path / "run/link"}[way]
    with pytest.raises(TaskContractBroken, match=r"note\.facts names lies outside the run's folder"):
        outputs.model_facts(run_with_facts(tmp_path, uri), [])


def test_a_model_artifact_outside_the_run_is_refused_too(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"weights")
    run = tmp_path / "run"
    outputs.record(run, "train", [Output("train", "model", MODEL, str(tmp_path / "other"))])
    with pytest.raises(TaskContractBroken, match=r"train\.model names lies outside the run's folder"):
        outputs.model_facts(run, [])
