"""Common components in a pipeline: what they compile to is Kubeflow's, without a finding, and runs."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from tagline.components import v1
from tagline.errors import PipelineError, UnknownName
from tagline.kubeflow_keys import Access
from tagline.pipeline import common
from tagline.pipeline import compiled as compiled_file
from tagline.pipeline.compile import compile_file
from tagline.pipeline.diff.compare import compare
from tagline.pipeline.identity import digest_of
from tagline.pipeline.lint import registry
from tagline.pipeline.lint.finding import Scope
from tagline.pipeline.lint.source import Source
from tagline.platforms.kubeflow.marks import Provenance, owner_of
from tagline.platforms.kubeflow.versions import upload as uploading
from tagline_task.signature import read

from tests.components import page
from tests.contract.kfp.opened import opened
from tests.fakes.kfp import FakeKfp

from .conftest import SOURCE, Asked

EVERY = common.every("v1")
INTERFACE = Path(__file__).with_name("v1.json")
IMAGE = f"registry.example/wine@sha256:{'a' * 64}"


def project(folder: Path, body: str, imports: str = "") -> Path:
    """A pipeline.py with a `kfp_vars.py` beside it."""
    (folder / "src/pipeline_steps").mkdir(parents=True)
    (folder / "kfp_vars.py").write_text(f'BASE_IMAGE = "{IMAGE}"\n')
    head = (
        f'from kfp import dsl\nimport tagline\n{imports}\n@dsl.pipeline(name="wine", description="Wine.")\n'
    )
    (folder / "pipeline.py").write_text(head + body)
    return folder / "pipeline.py"


def alone(each: common.Common) -> str:
    """A pipeline of one component, its inputs imported."""
    signature = read(Asked(each.function, {}, {}, Path()).function)
    given = [f"{slot.name}=dsl.importer('s3://b/{slot.name}', dsl.{slot.kind}).output"
             for slot in signature.slots(output=False)]  # fmt: skip
    given += [f"{one.name}={one.name}" for one in signature.parameters if one.required]
    taken = ", ".join(f"{one.name}: {one.kind}" for one in signature.parameters if one.required)
    task = f"    task = {each.function}({', '.join(given)})\n"
    return f"def pipeline({taken}):\n{task}    task.set_cpu_limit('1').set_memory_limit('2Gi')\n"


@pytest.mark.parametrize("each", EVERY, ids=str)
def test_each_component_compiles_by_its_name_and_has_no_finding(each: common.Common, tmp_path: Path) -> None:
    file = project(tmp_path, alone(each), f"from tagline.components.v1 import {each.function}")
    out = compile_file(file, tmp_path / "out.yaml")
    spec = yaml.safe_load(out.read_text())
    container = spec["deploymentSpec"]["executors"][f"exec-{each}"]["container"]
    assert {name: container[name] for name in ("image", "command", "args")} == {
        "image": IMAGE,
        "command": ["python", "-m", each.module],
        "args": ["--executor_input", "{{$}}"],
    }
    cached = spec["root"]["dag"]["tasks"][str(each)]["cachingOptions"].get("enableCache", False)
    assert cached is not each.fresh
    assert registry.compiled_findings(compiled_file.read(out), Scope.RELEASE) == []
    assert registry.source_findings(Source(file.read_text(), str(file))) == []


def interface(each: common.Common) -> dict[str, Any]:
    """What a pipeline can say to a component and take from it."""
    signature = read(Asked(each.function, {}, {}, Path()).function)
    return {
        "parameters": {
            one.name: [one.kind, "required" if one.required else one.default] for one in signature.parameters
        },
        "inputs": {slot.name: slot.kind for slot in signature.slots(output=False)},
        "outputs": {slot.name: slot.kind for slot in signature.slots(output=True)},
        "returns": {one.name: one.kind for one in signature.returns},
    }


def test_version_one_keeps_its_promise() -> None:
    """What the file lists may grow by arguments with a default; nothing in it may change or go."""
    promised = json.loads(INTERFACE.read_text())
    assert sorted(promised) == [str(each) for each in EVERY]
    for each in EVERY:
        assert interface(each) == promised[str(each)], f"{each}: who changes this makes v2"


def test_each_component_says_what_it_needs_and_the_editor_knows_it() -> None:
    assert sorted(common.NEEDS) == [each.name for each in EVERY]
    assert dir(v1) == sorted(each.function for each in EVERY)
    assert set(v1.__annotations__) - {"VERSION"} == set(dir(v1))


def test_the_extras_of_the_task_package_bring_what_the_components_need() -> None:
    extras = tomllib.loads((SOURCE.parent / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    brought = {each.partition(">")[0] for extra in ("parquet", "s3", "sql") for each in extras[extra]}
    assert brought == {package for packages in common.NEEDS.values() for package in packages}


def test_a_component_is_taken_with_another_image_and_other_defaults(tmp_path: Path) -> None:
    words = "image='other:1', seed=3"
    body = "def pipeline(data: dsl.Input[dsl.Dataset]):\n    tagline.component('tagline-split-v1', %s)(data=data)\n"
    spec = yaml.safe_load(compile_file(project(tmp_path, body % words), tmp_path / "out.yaml").read_text())
    assert spec["deploymentSpec"]["executors"]["exec-tagline-split-v1"]["container"]["image"] == "other:1"
    given = spec["components"]["comp-tagline-split-v1"]["inputDefinitions"]["parameters"]
    assert given["seed"]["defaultValue"] == 3


def test_a_component_that_there_is_not_is_an_error_with_the_nearest_one(tmp_path: Path) -> None:
    body = "def pipeline():\n    tagline.component('tagline-splat-v1')()\n"
    with pytest.raises(PipelineError, match="unknown common component 'tagline-splat-v1'"):
        compile_file(project(tmp_path, body), tmp_path / "out.yaml")
    with pytest.raises(AttributeError, match=re.escape("has no attribute 'splat'; it has")):
        getattr(v1, "splat")  # noqa: B009  # as an import does
    with pytest.raises(UnknownName):
        common.find("tagline-split-v2")
    assert common.find("split") is None


@pytest.mark.parametrize("each", EVERY, ids=str)
def test_each_component_tells_what_it_takes_with_the_standard_library_alone(each: common.Common) -> None:
    words = [sys.executable, "-S", "-m", each.module, "--help"]
    env = {"PYTHONPATH": str(SOURCE)}
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    options = re.findall(r"^  --([a-z-]+)", done.stdout, re.MULTILINE)
    assert options == [
        one.name.replace("_", "-") for one in read(Asked(each.function, {}, {}, Path()).function).arguments
    ]


def test_a_server_takes_the_pipeline_of_the_page_and_keeps_it_as_it_is(tmp_path: Path) -> None:
    """The server parses it as the real one does, and lists its version with the same content."""
    out = compile_file(page.project(tmp_path), tmp_path / "out.yaml")
    digest = digest_of(compiled_file.read(out))
    said = Provenance(
        owner_of("https://git.example.org/ml/wine.git"), "wine", "0.1.0", "c" * 40, digest, IMAGE
    )
    with FakeKfp("database") as server:
        held = uploading.upload(opened(server.url, Access()), out, said)
        assert held.provenance == said
        (version,) = server.world.versions.values()
    assert sorted(version.spec["pipeline_spec"]["components"]) == sorted(
        f"comp-{name}" for name in ("train-model", *(f"tagline-{each}-v1" for each in ON_THE_PAGE))
    )


ON_THE_PAGE = ("batch-predict", "evaluate-classification", "read-parquet", "register", "split")


def test_what_is_said_to_a_component_is_named_by_diff(tmp_path: Path) -> None:
    body = "def pipeline(data: dsl.Input[dsl.Dataset]):\n    split(data=data, seed=%d)\n"
    made = []
    for seed in (1, 2):
        file = project(tmp_path / str(seed), body % seed, "from tagline.components.v1 import split")
        made.append(compiled_file.read(compile_file(file, tmp_path / f"{seed}.yaml")))
    (change,) = compare(*made)
    assert "tagline-split-v1" in change.place and "seed" in str(change)
