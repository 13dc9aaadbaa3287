"""Task files in a project's tree, and an interpreter with KServe and scikit-learn."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from tagline.engines.process import ProcessEngine

from . import servers

HERE = Path(__file__).parent


@dataclass
class Project:
    """A tree with tasks and a caller in `docker/kubeflow_pipeline`."""

    folder: Path

    @property
    def caller(self) -> Path:
        return self.folder / "docker/kubeflow_pipeline/pipeline.py"

    def task(self, name: str, text: str) -> Path:
        """Write a task's file."""
        path = self.folder / "src/pipeline_steps" / name / "task.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def component(self, name: str, words: str = "") -> Any:
        """`component(name, ...)`, called from the pipeline's file."""
        module = ModuleType("pipeline")
        module.__file__ = str(self.caller)
        code = f"from tagline import component\nmade = component({name!r}, {words})"
        exec(compile(code, str(self.caller), "exec"), vars(module))
        return vars(module)["made"]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    made = Project(tmp_path)
    made.caller.parent.mkdir(parents=True)
    (made.caller.parent / "kfp_vars.py").write_text('BASE_IMAGE = "registry:5000/wine:dev"\n')
    return made


@pytest.fixture(scope="session")
def kserve_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter with the locked KServe, scikit-learn and xgboost: `TAGLINE_KSERVE_PYTHON`, else made once."""
    given = os.environ.get("TAGLINE_KSERVE_PYTHON")
    if given:
        return Path(given)
    source = tmp_path_factory.mktemp("source")
    (source / "src").mkdir()
    (source / "src/requirements.txt").write_text((HERE / "requirements.txt").read_text())
    return ProcessEngine(Path(os.environ["TAGLINE_VENVS"])).build(source, serving=True).python


CUSTOM = """
import os, time
from tagline_task.errors import BadInput

class Model:
    def load(self, path):
        self.text = open(path).read()

    def predict(self, instances):
        return [self.answer(each) for each in instances]

    def answer(self, each):
        match each["do"]:
            case "answer":
                return self.text
            case "sleep":
                time.sleep(each["seconds"])
                return "slept"
            case "raise":
                raise ValueError("of the model")
            case "refuse":
                raise BadInput("not this one")
            case "leave":
                raise SystemExit(0)
            case "not implemented":
                raise NotImplementedError
            case "nan":
                return float("nan")
            case "object":
                return object()
"""


@pytest.fixture(scope="session")
def folder(kserve_python, tmp_path_factory):
    """Models, rows and a custom predictor."""
    made = tmp_path_factory.mktemp("models")
    script = Path(__file__).with_name("models.py")
    subprocess.run([kserve_python, script, made], check=True, timeout=120)
    (made / "src").mkdir()
    (made / "src/serve.py").write_text(CUSTOM)
    (made / "text").write_text("hello")
    return made


@pytest.fixture(scope="session")
def rows(folder):
    return json.loads((folder / "rows.json").read_text())


@pytest.fixture(scope="session")
def good(kserve_python, folder):
    with servers.serving(kserve_python, folder, "sklearn", "good.joblib") as server:
        yield server


@pytest.fixture(scope="session")
def custom(kserve_python, folder):
    with servers.serving(kserve_python, folder, "custom:src/serve.py", "text") as server:
        yield server
