"""Components against kfp's own compiler, executor input and proto parser: the file read as text, run for real."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from google.protobuf import json_format
from hypothesis import HealthCheck, given, settings
from kfp import compiler
from kfp.local import executor_input_utils, executor_output_utils
from kfp.pipeline_spec import pipeline_spec_pb2
from tagline.errors import PipelineError, UnknownName
from tagline.pipeline.task_file import TaskFile
from tagline_task import signature

from .signatures import task_files

UNHURRIED = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def runtime_signature(path):
    names = {"__name__": "task_file", "__file__": str(path)}
    exec(compile(path.read_text(), str(path), "exec"), names)
    return signature.read(names["task"])


def compiled(component, path):
    compiler.Compiler().compile(component, str(path))
    return path.read_bytes()


@UNHURRIED
@given(task_files())
def test_a_file_read_as_text_says_what_the_function_says_at_run_time(tmp_path, text):
    path = tmp_path / "task.py"
    path.write_text(text)
    assert TaskFile(path, "task").signature() == runtime_signature(path)


@UNHURRIED
@given(task_files())
def test_every_signature_compiles_to_the_same_bytes_each_time(project, text):
    project.task("task", text)
    made = [project.component("task", "image='wine:dev'") for _ in range(2)]
    first, second = (compiled(each, project.folder / "task.yaml") for each in made)
    spec = yaml.safe_load(first)
    container = spec["deploymentSpec"]["executors"]["exec-task"]["container"]
    assert first == second
    assert container == {
        "image": "wine:dev",
        "command": ["python", "src/pipeline_steps/task/task.py"],
        "args": ["--executor_input", "{{$}}"],
    }


FULL = """
from typing import NamedTuple
from tagline_task import Dataset, Input, Metrics, Output, run

SIZE = 0.25

class Sizes(NamedTuple):
    rows: int
    share: float

def split(data: Input[Dataset], train: Output[Dataset], metrics: Output[Metrics], n: int, size: float = SIZE,
          tags: list | None = None) -> Sizes:
    "Split the rows."
    with open(data.path) as source, open(train.path, "w") as made:
        made.write(source.read())
    metrics.log("loss", float("inf"))
    metrics.log("n", n)
    return Sizes(n, size)

if __name__ == "__main__":
    run(split)
"""


def component_spec(project, words=""):
    """What kfp makes of the task, as its own message."""
    return project.component("split", words).pipeline_spec.components["comp-split"]


def test_the_compiled_component_has_the_tasks_interface(project):
    project.task("split", FULL)
    spec = json_format.MessageToDict(component_spec(project))
    assert spec["inputDefinitions"] == {
        "artifacts": {"data": {"artifactType": {"schemaTitle": "system.Dataset", "schemaVersion": "0.0.1"}}},
        "parameters": {
            "n": {"parameterType": "NUMBER_INTEGER"},
            "size": {"parameterType": "NUMBER_DOUBLE", "defaultValue": 0.25, "isOptional": True},
            "tags": {"parameterType": "LIST", "isOptional": True},
        },
    }
    outputs = spec["outputDefinitions"]
    types = {name: each["artifactType"]["schemaTitle"] for name, each in outputs["artifacts"].items()}
    assert types == {"train": "system.Dataset", "metrics": "system.Metrics"}
    assert outputs["parameters"] == {
        "rows": {"parameterType": "NUMBER_INTEGER"},
        "share": {"parameterType": "NUMBER_DOUBLE"},
    }


def test_a_task_run_with_kfps_executor_input_gives_what_kfp_reads_back(project):
    path = project.task("split", FULL)
    (project.folder / "wine.csv").write_text("rows")
    spec = component_spec(project)
    from kfp import dsl

    arguments = {"data": dsl.Dataset(name="data", uri=str(project.folder / "wine.csv")), "n": 3}
    asked = executor_input_utils.construct_executor_input(
        spec, arguments, str(project.folder / "root/task"), block_input_artifact=False
    )
    text = json.dumps(executor_input_utils.executor_input_to_dict(asked, spec))
    subprocess.run([sys.executable, str(path), "--executor_input", text], check=True, timeout=60)
    outputs = executor_output_utils.get_outputs_for_task(asked, spec)
    train, metrics = outputs.pop("train"), outputs.pop("metrics")
    assert outputs == {"rows": 3, "share": 0.25}
    assert (type(train).__name__, Path(train.path).read_text()) == ("Dataset", "rows")
    assert metrics.metadata == {"loss": "Infinity", "n": 3}


def test_the_executor_output_is_what_the_strict_proto_parser_takes(project):
    path = project.task("split", FULL)
    (project.folder / "wine.csv").write_text("rows")
    entry = {"artifacts": [{"name": "x", "uri": str(project.folder / "wine.csv")}]}
    made = {name: {"artifacts": [{"uri": str(project.folder / "o" / name)}]} for name in ("train", "metrics")}
    asked = {
        "inputs": {"parameterValues": {"n": 3.0}, "artifacts": {"data": entry}},
        "outputs": {"artifacts": made, "outputFile": str(project.folder / "o/out.json")},
    }
    subprocess.run([sys.executable, str(path), "--executor_input", json.dumps(asked)], check=True, timeout=60)
    text = (project.folder / "o/out.json").read_text()
    message = json_format.Parse(text, pipeline_spec_pb2.ExecutorOutput())
    assert json_format.MessageToDict(message) == json.loads(text)
    with pytest.raises(json_format.ParseError, match="unknown"):
        json_format.Parse(json.dumps({**json.loads(text), "unknown": {}}), pipeline_spec_pb2.ExecutorOutput())


def test_the_image_is_the_pipelines_development_image_unless_one_is_given(project):
    project.task("split", FULL)
    made = [project.component("split", words).pipeline_spec for words in ("", "image='other:1'")]
    specs = [json_format.MessageToDict(each) for each in made]
    images = [each["deploymentSpec"]["executors"]["exec-split"]["container"]["image"] for each in specs]
    assert images == ["registry:5000/wine:dev", "other:1"]


def test_other_defaults_may_be_given_to_a_component(project):
    project.task("split", FULL)
    spec = json_format.MessageToDict(component_spec(project, "n=7, size=1"))
    given = spec["inputDefinitions"]["parameters"]
    assert (given["n"]["defaultValue"], given["size"]["defaultValue"]) == (7, 1)


@pytest.mark.parametrize(
    "name, words, error, said",
    [
        ("splat", "", UnknownName, "unknown task 'splat'"),
        ("split", "sise=1", UnknownName, "unknown parameter of task split 'sise'"),
        ("split", "size='big'", PipelineError, "argument size (its default) wants float, got 'big'"),
    ],
)
def test_what_a_component_is_asked_wrongly_is_named(project, name, words, error, said):
    project.task("split", FULL)
    with pytest.raises(error) as raised:
        project.component(name, words)
    assert said in raised.value.what


def test_a_pipeline_without_an_image_says_where_to_write_it(project):
    project.task("split", FULL)
    (project.caller.parent / "kfp_vars.py").write_text("")
    with pytest.raises(PipelineError) as raised:
        project.component("split")
    assert "BASE_IMAGE" in raised.value.fix and raised.value.where.endswith("kfp_vars.py")


def test_a_tree_without_tasks_says_where_they_belong(project):
    with pytest.raises(PipelineError, match="no folder src/pipeline_steps above"):
        project.component("split")


@pytest.mark.parametrize(
    "text, line, said",
    [
        ("def split(data):\n    pass", 1, "argument data has no type"),
        ("\ndef split(a: int,\n    b: bytes):\n    pass", 3, "argument b has the type bytes"),
        ("def split(a: int = 2 ** 3):\n    pass", 1, "a default that is no literal: 2 ** 3"),
        ("def split(a: int = 'x'):\n    pass", 1, "argument a (its default) wants int, got 'x'"),
        ("def split(*a: int):\n    pass", 1, "argument a is variadic"),
        ("def split() -> bytes:\n    pass", 1, "return value output has the type bytes"),
        ("async def split():\n    pass", 1, "is async"),
        ("def other():\n    pass", 1, "has no function split and no call run(...)"),
        ("from tagline_task import run\nrun(3)", 2, "run() must be given a function"),
        ("def split(:\n    pass", 1, "is no Python"),
        ("def split(a: 'in t'):\n    pass", 1, "the type 'in t' is no Python"),
        ("from tagline_task import *\ndef split(a: Input[Dataset]):\n    pass", 2, "argument a has the type"),
        (
            "from kfp.dsl import Input, Dataset\ndef split(a: Input[Dataset]):\n    pass",
            2,
            "argument a has the type",
        ),
    ],
)
def test_a_signature_that_cannot_be_read_is_named_with_file_and_line(project, text, line, said):
    path = project.task("split", text)
    with pytest.raises(PipelineError) as raised:
        project.component("split")
    assert raised.value.what.startswith("task split") and said in raised.value.what
    assert raised.value.where == f"{path}:{line}"


def test_the_task_is_never_imported(project):
    project.task("split", "import no_such_package\n" + FULL)
    assert project.component("split").name == "split"


def test_compiling_twice_with_other_hash_seeds_gives_the_same_bytes(project):
    project.task("split", FULL)
    code = "from kfp import compiler, dsl\nfrom tagline import component\nmade = component('split')\n"
    project.caller.write_text(code + "import sys\ncompiler.Compiler().compile(made, sys.argv[1])\n")
    for seed in ("0", "7"):
        subprocess.run(
            [sys.executable, str(project.caller), str(project.folder / f"{seed}.yaml")],
            env={**os.environ, "PYTHONHASHSEED": seed},
            check=True,
            timeout=60,
        )
    assert (project.folder / "0.yaml").read_bytes() == (project.folder / "7.yaml").read_bytes()
