"""Compiling gives kfp's own bytes, and says in a sentence what is wrong with a pipeline.py that it cannot."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tagline.engines import Guards
from tagline.engines.process import ProcessEngine
from tagline.errors import PipelineError
from tagline.pipeline import compiled
from tagline.pipeline.compile import compile_file, compile_projects, is_current, substitute_image
from tagline.pipeline.compiled import read
from tagline.pipeline.project import Project

from .conftest import HEAD, PLAIN_KFP, SOUND

Write = Callable[[str], Path]
IDENTITY = f"env:sha256:{'4f' * 32}"
ENDS = "before it was compiled"


def by_kfps_command(pipeline: Path, out: Path, seed: str = "0") -> bytes:
    """What `kfp dsl compile` gives, in a process without any code of ours."""
    program = "from kfp.cli.__main__ import main; main()"
    command = [sys.executable, "-c", program, "dsl", "compile", "--py", str(pipeline), "--output", str(out)]
    env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONDONTWRITEBYTECODE": "1"}
    subprocess.run(command, check=True, capture_output=True, env=env, timeout=120)
    return out.read_bytes()


def failure(pipeline: Path, tmp_path: Path, timeout: float = 120.0) -> PipelineError:
    with pytest.raises(PipelineError) as caught:
        compile_file(pipeline, tmp_path / "out.yaml", timeout=timeout)
    assert not (tmp_path / "out.yaml").exists()
    return caught.value


def test_a_plain_kfp_project_compiles_to_the_bytes_of_kfps_own_compiler(tmp_path: Path) -> None:
    pipeline = PLAIN_KFP / "docker/kubeflow_pipeline/pipeline.py"
    made = compile_file(pipeline, tmp_path / "ours.yaml")
    assert made.read_bytes() == by_kfps_command(pipeline, tmp_path / "kfp.yaml")


def test_the_committed_file_of_the_plain_kfp_project_is_current(tmp_path: Path) -> None:
    folder = PLAIN_KFP / "docker/kubeflow_pipeline"
    assert is_current(folder / "pipeline.yaml", compile_file(folder / "pipeline.py", tmp_path / "out.yaml"))


@pytest.mark.parametrize(
    "text",
    [
        SOUND,
        HEAD.replace("def two", "def _two").partition("@dsl.container_component\ndef _two")[0],
        f"{HEAD}\n@dsl.pipeline(name='l')\ndef l():\n  with dsl.ParallelFor([3, 1, 2]) as i:\n    one(n=i)\n",
    ],
    ids=["secrets", "one component", "loop"],
)
def test_any_file_that_kfp_compiles_gives_kfps_bytes(pipeline: Write, tmp_path: Path, text: str) -> None:
    file = pipeline(text)
    made = compile_file(file, tmp_path / "ours.yaml").read_bytes()
    assert made == by_kfps_command(file, tmp_path / "kfp.yaml", seed="7")


def test_the_same_file_compiles_to_the_same_bytes_again(pipeline: Write, tmp_path: Path) -> None:
    first, again = (
        compile_file(pipeline(SOUND), tmp_path / name).read_bytes() for name in ("1.yaml", "2.yaml")
    )
    assert first == again


def test_one_pipeline_under_two_names_is_one_pipeline(pipeline: Write, tmp_path: Path) -> None:
    made = compile_file(pipeline(f"{SOUND}\nalias = sound\n"), tmp_path / "out.yaml")
    assert compiled.read(made).ir["pipelineInfo"]["name"] == "sound"


def test_what_the_pipeline_prints_does_not_reach_the_compiled_file(pipeline: Write, tmp_path: Path) -> None:
    quiet = compile_file(pipeline(SOUND), tmp_path / "quiet.yaml").read_bytes()
    noisy = f"import os, sys\nprint('a: b')\nos.write(1, b'---')\nprint('x', file=sys.stderr)\n{SOUND}"
    assert compile_file(pipeline(noisy), tmp_path / "noisy.yaml").read_bytes() == quiet


def test_the_pipeline_reads_files_of_its_tree_and_writes_none_into_it(
    pipeline: Write, tmp_path: Path
) -> None:
    text = f"from pathlib import Path\nPath('made').touch()\nassert Path('pipeline.py').exists()\n{SOUND}"
    file = pipeline(text)
    compile_file(file, tmp_path / "out.yaml")
    assert [path.name for path in file.parent.iterdir()] == ["pipeline.py"]


def test_the_pipeline_is_under_the_guards_of_the_engine_that_runs_it(pipeline: Write, tmp_path: Path) -> None:
    (tmp_path / "hidden").write_text("secret-1")
    guards = Guards([str(tmp_path / "hidden")], keep=[str(tmp_path)])
    engine = ProcessEngine(tmp_path / "venvs", {}, guards)
    file = pipeline(f"raise ValueError(open({str(tmp_path / 'hidden')!r}).read())")
    with pytest.raises(PipelineError) as caught:
        compile_file(file, tmp_path / "out.yaml", engine.run)
    assert "raised ValueError" in caught.value.what and "secret-1" not in caught.value.what


def test_the_pipeline_sees_no_variable_of_its_parent(
    pipeline: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGISTRY_TOKEN", "secret-1")
    error = failure(pipeline("import os\nraise ValueError(sorted(os.environ.values()))"), tmp_path)
    assert "raised ValueError" in error.what and "secret-1" not in error.what


def test_an_error_in_the_pipeline_shows_the_lines_of_its_own_code_only(
    pipeline: Write, tmp_path: Path
) -> None:
    error = failure(pipeline("def size(x):\n    return x['rows']\n\nsize({})\n"), tmp_path)
    assert error.what.splitlines() == [
        "pipeline.py raised KeyError: 'rows'",
        "    pipeline.py:4 in <module>: size({})",
        "    pipeline.py:2 in size: return x['rows']",
    ]
    assert error.where == "pipeline.py:2"


def test_an_error_inside_kfp_shows_the_line_that_led_there(pipeline: Write, tmp_path: Path) -> None:
    error = failure(pipeline(f"{HEAD}\n@dsl.pipeline\ndef p():\n    one(m=1)\n"), tmp_path)
    assert "unexpected keyword argument" in error.what and error.what.endswith("in p: one(m=1)")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "it defines no pipeline"),
        (f"{HEAD}", "it defines 2 components and no pipeline: 'one', 'two'"),
        (f"{SOUND}\n@dsl.pipeline\ndef other():\n    one(n=1)\n", "it defines 2 pipelines: 'sound', 'other'"),
        ("x = (", "raised SyntaxError: '(' was never closed"),
        ("import no_such_package", "raised ModuleNotFoundError: No module named 'no_such_package'"),
        ("import sys; sys.exit('no')", "raised SystemExit: no"),
        ("import os; print('bye', flush=True); os._exit(0)", f"(exit code 0) {ENDS}\n    bye"),
        ("import os; os.kill(os.getpid(), 9)", f"(exit code -9) {ENDS}"),
    ],
)
def test_a_file_that_gives_no_pipeline_is_told_why(
    pipeline: Write, tmp_path: Path, text: str, what: str
) -> None:
    assert what in failure(pipeline(text), tmp_path).what


def test_a_pipeline_that_hangs_is_stopped(pipeline: Write, tmp_path: Path) -> None:
    error = failure(
        pipeline("import time\nprint('waiting', flush=True)\ntime.sleep(300)"), tmp_path, timeout=3.0
    )
    assert error.what == "pipeline.py did not compile within 3 s and was stopped\n    waiting"


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert str(tmp_path / "pipeline.py") in failure(tmp_path / "pipeline.py", tmp_path).where


def test_the_image_is_replaced_in_every_container_and_nothing_else_changes(tmp_path: Path) -> None:
    text = (PLAIN_KFP / "docker/kubeflow_pipeline/pipeline.yaml").read_text()
    file = tmp_path / "pipeline.yaml"
    file.write_text(text)
    substitute_image(file, IDENTITY)
    assert text.count("image: registry.example.com/seals/base:dev") == 4
    assert file.read_text() == text.replace("registry.example.com/seals/base:dev", f'"{IDENTITY}"')
    assert {container["image"] for container in compiled.read(file).containers().values()} == {IDENTITY}
    assert "secretAsEnv" in str(compiled.read(file).platform)


def test_replacing_the_image_again_changes_nothing(tmp_path: Path) -> None:
    file = tmp_path / "pipeline.yaml"
    file.write_text((PLAIN_KFP / "docker/kubeflow_pipeline/pipeline.yaml").read_text())
    substitute_image(file, IDENTITY)
    once = file.read_bytes()
    substitute_image(file, IDENTITY)
    assert file.read_bytes() == once


def test_an_argument_that_looks_like_an_image_is_left_alone(pipeline: Write, tmp_path: Path) -> None:
    text = SOUND.replace('"one.py"]', '"-c", "image: base:1\\nimage: base:1"]')
    file = compile_file(pipeline(text), tmp_path / "out.yaml")
    substitute_image(file, IDENTITY)
    container = compiled.read(file).containers()["exec-one"]
    assert container["command"][2] == "image: base:1\nimage: base:1" and container["image"] == IDENTITY


@pytest.mark.parametrize(
    ("old", "new", "current"),
    [
        ("registry.example.com/seals/base:dev", IDENTITY, True),
        ("sdkVersion: kfp-2.", "sdkVersion: kfp-9.", True),
        ("# PIPELINE DEFINITION", "# renewed", True),
        ("seals.measured", "seals.other", False),
        ("seals-warehouse", "seals-lake", False),
        ("deploymentSpec:", "x: [", False),
    ],
)
def test_current_means_equal_but_for_images_and_the_sdk(
    tmp_path: Path, old: str, new: str, current: bool
) -> None:
    committed = PLAIN_KFP / "docker/kubeflow_pipeline/pipeline.yaml"
    other = tmp_path / "pipeline.yaml"
    other.write_text(committed.read_text().replace(old, new))
    assert other.read_text() != committed.read_text()
    assert is_current(other, committed) is current


def test_a_committed_file_that_is_missing_is_not_current(tmp_path: Path) -> None:
    assert not is_current(tmp_path / "none.yaml", PLAIN_KFP / "docker/kubeflow_pipeline/pipeline.yaml")


@pytest.mark.parametrize(
    "text", ["", "a: [", "- 1", "a: 1", "root: {}\n---\nroot: {}", "root: {}\n---\nplatforms: {}\n---\nx: 1"]
)
def test_a_file_that_is_no_compiled_pipeline_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "pipeline.yaml"
    file.write_text(text)
    with pytest.raises(PipelineError) as caught:
        compiled.read(file)
    assert (caught.value.where, caught.value.fix) == (str(file), "tagline compile")


def test_the_pipeline_sees_no_git_folder_of_its_tree(pipeline: Write, tmp_path: Path) -> None:
    file = pipeline(
        "from pathlib import Path\nraise ValueError(sorted(p.name for p in Path.cwd().iterdir()))"
    )
    subprocess.run(["git", "init", "-q", str(file.parent)], check=True)
    said = failure(file, tmp_path).what
    assert "'pipeline.py']" in said and "'.git'" not in said


HOSTILE = f"""
import os
from pathlib import Path

pid = os.getppid()
while pid > 1:
    try:
        environment = Path("/proc", str(pid), "environ").read_text(errors="replace")
    except PermissionError:
        environment = ""
    if "REGISTRY_TOKEN" in environment:
        raise ValueError("found the token of process " + str(pid))
    pid = int(Path("/proc", str(pid), "stat").read_text().rpartition(")")[2].split()[1])
{SOUND}
"""
COMPILE = "import sys; from pathlib import Path; from tagline.pipeline.compile import compile_file as c; "


@pytest.mark.parametrize(
    ("program", "found"),
    [
        (f"{COMPILE} c(Path(sys.argv[1]), Path(sys.argv[2]))", False),
        ("import subprocess, sys; subprocess.run([sys.executable, sys.argv[1]], env={}, check=True)", True),
    ],
    ids=["with the guards", "without"],
)
def test_a_hostile_pipeline_finds_no_credential_in_its_parents(
    pipeline: Write, tmp_path: Path, program: str, found: bool
) -> None:
    words = [sys.executable, "-c", program, str(pipeline(HOSTILE)), str(tmp_path / "out.yaml")]
    env = {**os.environ, "REGISTRY_TOKEN": "secret-1"}
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert ("found the token" in done.stderr) is found
    assert (done.returncode == 0) is not found


SEVERAL = """import builtins
from kfp import dsl

assert not hasattr(builtins, "met"), "another pipeline's code ran in this process"
builtins.met = True

@dsl.container_component
def step():
    return dsl.ContainerSpec(image="python:3.11", command=["true"])

@dsl.pipeline(name="{name}")
def pipeline():
    step()
"""


def several(folder: Path, *names: str) -> list[Project]:
    (folder / "pipelines").mkdir()
    for name in names:
        (folder / f"pipelines/{name}.py").write_text(SEVERAL.format(name=name))
    return [Project(folder, folder / f"pipelines/{name}.py") for name in names]


def test_several_pipelines_are_compiled_by_one_child_and_none_meets_another(tmp_path: Path) -> None:
    projects = several(tmp_path, "one", "two", "three")
    outs = compile_projects(projects, [project.committed for project in projects])
    assert [read(out).ir["pipelineInfo"]["name"] for out in outs] == ["one", "two", "three"]
    alone = compile_file(projects[1].pipeline, tmp_path / "alone.yaml")
    assert alone.read_bytes() == outs[1].read_bytes()


@pytest.mark.parametrize(
    "broken", ["raise ValueError('mine')", "import os; os._exit(7)", "import sys; sys.exit(3)"]
)
def test_one_that_fails_is_named_and_nothing_of_the_others_is_written(tmp_path: Path, broken: str) -> None:
    projects = several(tmp_path, "one", "two")
    projects[0].pipeline.write_text(broken)
    with pytest.raises(PipelineError) as caught:
        compile_projects(projects, [project.committed for project in projects])
    assert "pipelines/one.py" in caught.value.what
    assert not projects[1].committed.exists()
