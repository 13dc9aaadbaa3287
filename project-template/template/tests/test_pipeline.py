"""The compiled pipeline as a graph: the order of its tasks, and what it may be asked to change."""

from pathlib import Path

import pytest
import yaml

PIPELINE = Path(__file__).resolve().parents[1] / "docker/kubeflow_pipeline/pipeline.yaml"
ORDER = {
    "download-data": set(),
    "prepare-data": {"download-data"},
    "train-model": {"prepare-data"},
    "switch-model": {"prepare-data", "train-model"},
}


@pytest.fixture(scope="module")
def root() -> dict:
    return next(yaml.safe_load_all(PIPELINE.read_text()))["root"]


def test_each_task_waits_for_the_ones_that_feed_it(root: dict) -> None:
    tasks = root["dag"]["tasks"]
    assert {name: set(task.get("dependentTasks", [])) for name, task in tasks.items()} == ORDER


def test_the_parameters_are_the_ones_that_tagline_yaml_may_set(root: dict) -> None:
    assert set(root["inputDefinitions"]["parameters"]) == {"test_share", "trees"}
