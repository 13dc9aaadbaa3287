"""Pipelines to compile: tiny projects in a folder of their own."""

from collections.abc import Callable
from pathlib import Path

import pytest
from kfp.compiler import Compiler
from tagline.pipeline import compiled
from tagline.pipeline.compiled import Compiled

PLAIN_KFP = Path(__file__).parents[2] / "projects/plain_kfp"
HEAD = """
from kfp import dsl, kubernetes

@dsl.container_component
def one(n: int, data: dsl.Output[dsl.Dataset], out: dsl.OutputPath(int)):
    return dsl.ContainerSpec(
        image="base:1", command=["python", "one.py"],
        args=["--executor_input", dsl.PIPELINE_TASK_EXECUTOR_INPUT_PLACEHOLDER],
    )

@dsl.container_component
def two(data: dsl.Input[dsl.Dataset], model: dsl.Output[dsl.Model], text: str = "x"):
    return dsl.ContainerSpec(
        image="base:1", command=["python", "two.py"],
        args=["--executor_input", dsl.PIPELINE_TASK_EXECUTOR_INPUT_PLACEHOLDER],
    )
"""
SOUND = f"""{HEAD}
@dsl.pipeline(name="sound")
def sound(n: int = 3):
    first = one(n=n)
    kubernetes.use_secret_as_env(first, "warehouse", {{"token": "TOKEN"}})
    two(data=first.outputs["data"])
"""


@pytest.fixture
def pipeline(tmp_path: Path) -> Callable[[str], Path]:
    """Write a pipeline.py in a project of its own, and return it."""

    def write(text: str) -> Path:
        file = tmp_path / "project/pipeline.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        return file

    return write


@pytest.fixture
def by_kfp(tmp_path: Path) -> Callable[[str], Compiled]:
    """Compile a pipeline's text here, with kfp alone; the pipeline is the function `p`."""

    def compile_text(text: str) -> Compiled:
        source = tmp_path / "by_kfp.py"
        source.write_text(f"{HEAD}\n{text}")
        names: dict[str, object] = {}
        exec(compile(source.read_text(), str(source), "exec"), names)
        out = tmp_path / "by_kfp.yaml"
        Compiler().compile(names["p"], str(out))
        return compiled.read(out)

    return compile_text
