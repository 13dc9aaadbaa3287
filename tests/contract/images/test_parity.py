"""One project on engines process, docker and dagger: the same plan, pipeline.yaml, metrics and exit codes."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.contract.images.test_story import PASSED
from tests.flow.stage import TASK, Desk, Result, new_desk
from tests.real import dagger_engine
from tests.real.registry import Registry

RECIPE = "FROM {base}\nWORKDIR /app\nENV PYTHONPATH=/app/src\nCOPY src/ src/\nUSER 1000\n"
TRAINS = "time.sleep(seconds)"
CONTAINERS = ["docker", pytest.param("dagger", marks=dagger_engine.NEEDED)]
_LAST_WORDS = "import os; print('last words', flush=True); "
FAILURES = {
    "raises": ("raise ValueError('no such column')", "1: ValueError: no such column"),
    "exits": (f"{_LAST_WORDS}os._exit(3)", "3: last words"),
    "is killed": (f"{_LAST_WORDS}os.kill(os.getpid(), 9)", "137: last words"),
}


@dataclass
class Said:
    """What one engine made of the project: a plan, a compiled file, the checks with their smoke training, a call."""

    plan: Any
    compiled: str
    checked: list[tuple[str, str, Any]]
    code: int
    called: list[tuple[str, str]]
    ended: int


@dataclass
class Stand:
    """A project on a pull request's branch, and where each engine is."""

    desk: Desk
    docker: dict[str, str]

    def on(self, engine: str) -> Said:
        """What an engine makes of it, with a home of its own: nothing succeeded there before."""
        more = self.environ(engine)
        file = self.desk.folder / f"{engine}.yaml"
        planned = self.run("ci", "--dry-run", "--json", **more)
        compiled = self.run("compile", f"--output={file}", **more)
        assert compiled.code == 0, compiled
        checked = self.run("check", "--smoke", "--json", **more)
        called = self.run("ci", "--json", **more)
        return Said(
            planned.json(),
            file.read_text(),
            steps(checked.out),
            checked.code,
            outcomes(called.out),
            called.code,
        )

    def run(self, *words: str, **more: str) -> Result:
        return self.desk.tagline(*words, **more)

    def environ(self, engine: str) -> dict[str, str]:
        reached = dagger_engine.require() | dagger_engine.sources() if engine == "dagger" else {}
        own = {"TAGLINE_ENGINE": engine, "TAGLINE_HOME": str(self.desk.folder / engine)}
        return {**self.docker, **reached, **own}

    def failing(self, engine: str, how: str) -> tuple[int, str]:
        """How a smoke training ends whose task fails: the exit code, and why in words."""
        self.desk.change(TASK, TRAINS, how)
        try:
            checked = self.run("check", "--smoke", "--json", **self.environ(engine))
        finally:
            self.desk.change(TASK, how, TRAINS)
        said = json.loads(checked.out[checked.out.index("{") :])["steps"][-1]
        return checked.code, said["why"]


def steps(said: str) -> list[tuple[str, str, Any]]:
    """The checks of a report, with what they measured; an image is made on engine docker alone."""
    report = json.loads(said[said.index("{") :])
    return [(one["step"], one["outcome"], one["facts"].get("metrics")) for one in report["steps"]]


def outcomes(said: str) -> list[tuple[str, str]]:
    return [(step, outcome) for step, outcome, _ in steps(said)]


def masked(said: Said) -> Said:
    """Without what names an engine: the reference of the image that tasks run in."""
    said.compiled = re.sub(r"(?m)^(\s+image: ).*$", r"\1IMAGE", said.compiled)
    return said


@pytest.fixture(scope="module")
def stand(
    environ: dict[str, str],
    plain: Registry,
    base: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stand]:
    desk = new_desk(tmp_path_factory.mktemp("parity") / "desk")
    tree = desk.clone.path
    (tree / "docker/base_image").mkdir()
    (tree / "docker/base_image/Dockerfile").write_text(RECIPE.format(base=base))
    with (tree / "tagline.yaml").open("a") as file:
        file.write(f"image: {{repository: {plain.host}/team/parity}}\n")
    desk.merge("feat: an image of its own")
    desk.clone.git("switch", "-q", "-c", "idea")
    desk.change(TASK, TRAINS, f"{TRAINS}  # an idea")
    desk.clone.commit("fix: an idea")
    desk.clone.git("push", "-q", "origin", "idea")
    docker = {name: environ[name] for name in PASSED if name in environ}
    docker |= {name: value for name, value in environ.items() if name.startswith("PIP_")}
    yield Stand(desk, docker)
    desk.close()


@pytest.fixture(scope="module")
def process(stand: Stand) -> Said:
    return masked(stand.on("process"))


@pytest.mark.timeout(600)
@pytest.mark.parametrize("engine", CONTAINERS)
def test_an_engine_of_containers_says_what_process_says(engine: str, stand: Stand, process: Said) -> None:
    assert masked(stand.on(engine)) == process


@pytest.mark.timeout(600)
@pytest.mark.parametrize("how", FAILURES)
@pytest.mark.parametrize("engine", ["process", *CONTAINERS])
def test_a_task_that_fails_ends_alike_on_every_engine(engine: str, how: str, stand: Stand) -> None:
    code, words = FAILURES[how]
    assert stand.failing(engine, code) == (34, f"task 'train-model' ended with exit code {words}")


def test_what_is_compared_is_there(stand: Stand, process: Said) -> None:
    assert (process.code, process.ended) == (0, 0)
    assert {step["type"] for step in process.plan["steps"]} == {"Check"}
    assert "image: IMAGE" in process.compiled
    assert process.checked[-1] == ("smoke training", "done", {"tiny": {"threshold": 40}})
