"""A task's file run as a real process, the way Kubeflow and a person run it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import tagline_task

SOURCE = Path(tagline_task.__file__).parent.parent
HEADER = "from tagline_task import Artifact, Dataset, Input, Metrics, Model, Output, run, write_facts\n"


@dataclass
class Ended:
    """How a process ended."""

    code: int
    out: str
    err: str


@dataclass
class TaskProcess:
    """A folder with one task file, and ways to run it with nothing but the standard library."""

    folder: Path

    def write(self, body: str, function: str = "task") -> None:
        """Write the file: imports, `body`, and the call of `run`."""
        (self.folder / "task.py").write_text(
            f"{HEADER}{body}\nif __name__ == '__main__':\n    run({function})\n"
        )

    def run(self, *words: str) -> Ended:
        """Run it in its folder; no site-packages are seen."""
        done = subprocess.run(
            [sys.executable, "-S", "task.py", *words],
            cwd=self.folder,
            env={"PYTHONPATH": str(SOURCE), "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def under_kfp(self, executor_input: dict[str, Any]) -> Ended:
        return self.run("--executor_input", json.dumps(executor_input))

    def output(self) -> dict[str, Any]:
        """The executor output that the last run wrote."""
        written: dict[str, Any] = json.loads((self.folder / "root/deep/executor_output.json").read_text())
        return written

    def executor_input(
        self,
        parameters: dict[str, Any] | None = None,
        inputs: dict[str, str] | None = None,
        outputs: dict[str, str] | None = None,
        returned: list[str] | None = None,
    ) -> dict[str, Any]:
        """An executor input whose every output lies in folders that nobody made; artifacts are name: type."""
        root = self.folder / "root/deep"
        return {
            "inputs": {
                "parameterValues": parameters or {},
                "artifacts": {
                    name: artifact(self.folder / name, name, kind) for name, kind in (inputs or {}).items()
                },
            },
            "outputs": {
                "parameters": {name: {"outputFile": str(root / "values" / name)} for name in returned or []},
                "artifacts": {
                    name: artifact(root / "made" / name, name, kind) for name, kind in (outputs or {}).items()
                },
                "outputFile": str(root / "executor_output.json"),
            },
        }


def artifact(path: Path, name: str, kind: str) -> dict[str, Any]:
    """One artifact of an executor input."""
    schema = {"schemaTitle": f"system.{kind}", "schemaVersion": "0.0.1"}
    return {"artifacts": [{"name": name, "type": schema, "uri": str(path), "metadata": {}}]}


@pytest.fixture
def task(tmp_path: Path) -> TaskProcess:
    return TaskProcess(tmp_path)


@pytest.fixture
def table(tmp_path: Path) -> Callable[[str], Path]:
    """Writes a CSV file and gives its path."""

    def write(text: str) -> Path:
        path = tmp_path / "features.csv"
        path.write_text(text)
        return path

    return write
