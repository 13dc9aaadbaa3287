"""Tasks in containers: the compiled file's own images, limits, users, secrets, devices, and real exit codes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from kfp import compiler, dsl, kubernetes
from tagline.config_keys import EngineName
from tagline.engines import Guards
from tagline.engines.process import ProcessEngine
from tagline.errors import DeviceMissing, ImageMissing, TaskFailed, TaskTimedOut
from tagline.pipeline.compile import substitute_image
from tagline.platforms import Run, RunRequest, RunState, TaskEvent
from tagline.platforms.local.pipelines import LocalPipelines
from tagline.secrets.sources import Names

from tests.contract.images.conftest import BASE
from tests.real import debian

SECRET = "correct-horse-battery"


def shell(script: str, *words: object) -> dsl.ContainerSpec:
    return dsl.ContainerSpec(image="dev:1", command=["sh", "-ec", script, "task"], args=list(words))


@dsl.container_component
def write(text: str, out: dsl.Output[dsl.Dataset]):
    return shell('printf "$1" > "$2"; id -u', text, out.path)


@dsl.container_component
def double(given: dsl.Input[dsl.Dataset], model: dsl.Output[dsl.Model]):
    return shell('cat "$1" "$1" > "$2"', given.path, model.path)


@dsl.container_component
def do(script: str):
    return shell('eval "$1"', script)


@dsl.pipeline(name="two")
def two(text: str = "ab"):
    double(given=write(text=text).outputs["out"])


@dsl.pipeline(name="one")
def one(script: str):
    do(script=script)


@dsl.pipeline(name="limited")
def limited(script: str):
    do(script=script).set_cpu_limit("500m").set_memory_limit("64Mi")


@dsl.pipeline(name="with-gpu")
def with_gpu():
    do(script="exit 0").set_accelerator_type("nvidia.com/gpu").set_accelerator_limit(1)


@dsl.pipeline(name="secret")
def secret():
    task = do(script='echo "it is $ROLE"; test -n "$ROLE"')
    kubernetes.use_secret_as_env(task, secret_name="vault", secret_key_to_env={"role": "ROLE"})


@dsl.pipeline(name="rounds")
def rounds(words: list = ["a", "b"]):  # noqa: B006
    with dsl.ParallelFor(words) as word, dsl.If(word == "b"):
        double(given=write(text=word).outputs["out"])


@dataclass
class World:
    """A local platform whose tasks run in containers."""

    folder: Path
    environ: Mapping[str, str]
    image: str = BASE
    told: list[TaskEvent] = field(default_factory=list)

    def request(self, pipeline: Any, timeout: float = 60.0, **given: Any) -> RunRequest:
        file = self.folder / f"{pipeline.name}.yaml"
        compiler.Compiler().compile(pipeline, str(file))
        substitute_image(file, self.image)
        return RunRequest("wine/smoke/x/1", pipeline.name, file, self.folder, given, timeout)

    def run(self, pipeline: Any, timeout: float = 60.0, **given: Any) -> Run:
        engine = ProcessEngine(self.folder / "venvs", {}, Guards())
        pipelines = LocalPipelines(
            self.folder / "home", engine, Names(self.environ), containers=EngineName.DOCKER
        )
        return pipelines.run(self.request(pipeline, timeout, **given), self.told.append)

    def log(self, run: Run, task: str = "do") -> str:
        return (run.outputs / f"logs/{task}.log").read_text()

    def left(self) -> list[str]:
        """The containers of this world's runs in the engine, which other tests may use at the same time."""
        return debian.owned(self.folder, self.environ)


@pytest.fixture
def world(environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "home").mkdir()
    made = World(tmp_path, environ)
    yield made
    assert made.left() == []


def test_an_artifact_goes_from_one_container_to_the_next_and_no_task_is_root(world: World) -> None:
    run = world.run(two)
    assert run.problem() is None
    (model,) = run.outputs.rglob("model")
    assert model.read_text() == "abab"
    assert world.log(run, "write").strip() == str(os.getuid() or 1000)


def test_a_branch_in_a_loop_runs_in_containers_where_its_condition_holds(world: World) -> None:
    run = world.run(rounds)
    assert (run.state, run.error) == (RunState.SUCCEEDED, "")
    assert [path.read_text() for path in run.outputs.glob("outputs/*/*.double/model")] == ["bb"]


def test_the_task_s_own_exit_code_decides(world: World) -> None:
    run = world.run(one, script="echo so far; exit 7")
    problem = run.problem()
    assert isinstance(problem, TaskFailed)
    assert "exit code 7: so far" in problem.what


def test_what_a_task_sees_is_its_image_and_its_limits_not_this_host(world: World) -> None:
    script = "nproc >/dev/null; cat /proc/self/status | grep -E 'CapEff|NoNewPrivs'; ls /work /root 2>&1 || true; env"
    run = world.run(limited, script=script)
    said = world.log(run)
    assert "CapEff:\t0000000000000000" in said
    assert "NoNewPrivs:\t1" in said
    assert "DOCKER_HOST" not in said
    assert str(Path.home()) + "/" not in said


def test_a_task_that_takes_more_than_its_memory_is_killed_and_says_so(world: World) -> None:
    run = world.run(limited, script="python3 -c 'x = bytearray(300_000_000); print(len(x))'")
    assert isinstance(run.problem(), TaskFailed)
    assert "memory" in world.log(run)


def test_without_a_limit_the_same_task_succeeds(world: World) -> None:
    assert world.run(one, script="python3 -c 'x = bytearray(300_000_000); print(len(x))'").problem() is None


def test_a_task_past_its_time_is_stopped(world: World) -> None:
    begun = time.monotonic()
    problem = world.run(one, timeout=3.0, script="sleep 600").problem()
    assert isinstance(problem, TaskTimedOut)
    assert time.monotonic() - begun < 25


def test_a_task_that_asks_for_a_gpu_fails_with_what_this_host_has(world: World) -> None:
    if Path("/dev/nvidia0").exists():
        pytest.skip("not applicable here: this host has a GPU")
    problem = world.run(with_gpu).problem()
    assert isinstance(problem, DeviceMissing)
    assert "1 GPU" in problem.what
    assert problem.where == "this host has no /dev/nvidia*"


def test_a_secret_reaches_its_task_and_no_log(world: World) -> None:
    world.environ = {**world.environ, "TAGLINE_SECRET_VAULT_ROLE": SECRET}
    run = world.run(secret)
    assert run.problem() is None
    assert world.log(run).strip() == "it is ***"
    assert not [file for file in run.outputs.rglob("*") if file.is_file() and SECRET in file.read_text()]


def test_an_image_that_is_nowhere_is_missing_and_never_built(world: World) -> None:
    world.image = f"127.0.0.1:9/nowhere@sha256:{'0' * 64}"
    problem = world.run(one, script="true").problem()
    assert isinstance(problem, ImageMissing)


CHILD = """
import sys
from pathlib import Path
import os
from tests.contract.images.test_runs import World, one
World(Path(sys.argv[1]), dict(os.environ)).run(one, script="echo began; sleep 600")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_whatever_ends_the_command_its_container_goes_and_the_next_one_runs(
    world: World, number: signal.Signals
) -> None:
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(world.folder)], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while not world.left() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert world.left()
    child.send_signal(number)
    child.wait(30)
    while world.left() and time.monotonic() < deadline + 30:
        time.sleep(0.2)
    assert world.left() == []
    assert world.run(one, script="echo well").state is RunState.SUCCEEDED
