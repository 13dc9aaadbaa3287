import json
import os
import subprocess
import sys
from pathlib import Path

STEPS = Path(__file__).resolve().parents[1] / "src/pipeline_steps"


def run(step, folder, inputs, outputs, parameters=None, *args, **env):
    """Run a task as Kubeflow does, and return its answer and where its outputs lie."""
    paths = {name: str(folder / f"{step}-{name}") for name in outputs}
    given = {
        "inputs": {
            "parameterValues": parameters or {},
            "artifacts": {name: {"artifacts": [{"name": name, "uri": uri}]} for name, uri in inputs.items()},
        },
        "outputs": {
            "artifacts": {name: {"artifacts": [{"name": name, "uri": uri}]} for name, uri in paths.items()},
            "parameters": {"rows": {"outputFile": str(folder / "rows")}},
            "outputFile": str(folder / step / "executor_output.json"),
        },
    }
    command = [sys.executable, str(STEPS / step / "task.py"), "--executor_input", json.dumps(given), *args]
    inner = {name: value for name, value in os.environ.items() if name != "WAREHOUSE_TOKEN"}
    return subprocess.run(command, capture_output=True, text=True, env=inner | env), paths


def test_without_the_secret_the_download_fails_clearly(tmp_path):
    done, _ = run("download_data", tmp_path, {}, ["data"], {"table": "seals.measured"})
    assert done.returncode == 1
    assert "WAREHOUSE_TOKEN is not set" in done.stderr


def test_the_tasks_in_a_row_give_a_good_model(tmp_path):
    table = {"table": "seals.measured"}
    done, downloaded = run("download_data", tmp_path, {}, ["data"], table, WAREHOUSE_TOKEN="t")
    assert done.returncode == 0, done.stderr
    done, prepared = run("prepare_data", tmp_path, downloaded, ["train", "test"], {"test_share": 0.25})
    assert done.returncode == 0, done.stderr
    done, trained = run("train_model", tmp_path, {"train": prepared["train"]}, ["model"], {"rounds": 20})
    assert done.returncode == 0, done.stderr
    rows = (tmp_path / "rows").read_text()
    inputs = {**trained, "test": prepared["test"]}
    done, _ = run("evaluate", tmp_path, inputs, ["metrics"], {"rows": int(rows)}, "--rows", rows)
    assert done.returncode == 0, done.stderr
    answer = json.loads((tmp_path / "evaluate/executor_output.json").read_text())
    assert answer["artifacts"]["metrics"]["artifacts"][0]["metadata"]["accuracy"] > 0.9
