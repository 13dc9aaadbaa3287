"""`tagline build --engine dagger`: the same content, question, recipe and refusals as engine docker."""

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest
from tagline.engines.dagger import runner
from tagline.engines.dagger_images import NOT_THE_SAME, DaggerBuilder
from tagline.errors import (
    BaseNotPinned,
    BuildFailed,
    EngineMissing,
    ImageRefused,
    SecretExposed,
    TaglineError,
)
from tagline.images import LABEL, Builder

from tests.contract.images.conftest import Bench
from tests.contract.images.test_building import inspected, requests
from tests.real import dagger_engine, debian
from tests.real.registry import Registry

LIMIT = 5.0


@dataclass
class DaggerBench(Bench):
    """The same project, whose images a Dagger engine makes: the one in `reached`, where there is one."""

    reached: dict[str, str] = field(default_factory=dict)

    def builder(self) -> Builder:
        self.builds.append("asked")
        return DaggerBuilder(self.environ | self.reached, self.logs / "kept")


@pytest.fixture
def nowhere(bench: Bench) -> DaggerBench:
    """A project where no Dagger engine answers."""
    return DaggerBench(
        bench.tree,
        {name: value for name, value in bench.environ.items() if name != runner.RUNNER_VARIABLE},
        bench.own,
        bench.logs,
    )


@pytest.fixture
def there(bench: Bench) -> DaggerBench:
    """A project in front of a real engine."""
    return DaggerBench(bench.tree, bench.environ, bench.own, bench.logs, reached=dagger_engine.require())


def test_what_engine_docker_pushed_is_found_by_one_head_and_no_dagger_engine(
    bench: Bench, nowhere: DaggerBench, plain: Registry
) -> None:
    made = bench.make()
    before = len(requests(plain, bench))
    again = nowhere.make()
    assert (again.reference, again.content, again.built) == (made.reference, made.content, False)
    assert nowhere.builds == []
    path = bench.own.image.repository.partition("/")[2]
    assert requests(plain, bench)[before:] == [f"HEAD /v2/{path}/manifests/content-{made.content}"]


def test_where_something_must_be_built_and_no_engine_is_named_the_command_says_so_at_once(
    nowhere: DaggerBench, plain: Registry
) -> None:
    image = f"{{repository: {nowhere.own.image.repository}, dockerfile: Dockerfile}}"
    (nowhere.tree / "tagline.yaml").write_text(f"pipeline: wine\nengine: docker\nimage: {image}\n")
    line = [str(Path(sys.executable).parent / "tagline"), "build", "--push", "--engine", "dagger"]
    home = {"TAGLINE_HOME": str(nowhere.logs)}
    begun = time.monotonic()
    done = subprocess.run(
        line, cwd=nowhere.tree, env=nowhere.environ | home, capture_output=True, text=True, timeout=60
    )
    assert time.monotonic() - begun < LIMIT
    assert done.returncode == EngineMissing.exit_code, done.stdout + done.stderr
    assert "no Dagger engine is named, and tagline starts none" in done.stdout + done.stderr
    assert {word.split()[0] for word in requests(plain, nowhere)} == {"HEAD"}


def _unpinned(bench: Bench, base: str) -> None:
    file = bench.tree / "Dockerfile"
    file.write_text(file.read_text().replace(base, f"{base.partition('@')[0]}:1"))


def _leaves(bench: Bench, base: str) -> None:
    (bench.tree / "src/out").symlink_to("/etc/passwd")


def _argument(bench: Bench, base: str) -> None:
    image = msgspec.structs.replace(bench.own.image, args={"PIP_TOKEN": "x"})
    bench.own = msgspec.structs.replace(bench.own, image=image)


@pytest.mark.parametrize(
    ("harm", "error"),
    [(_unpinned, BaseNotPinned), (_leaves, ImageRefused), (_argument, SecretExposed)],
    ids=["a base by tag", "a link out of the tree", "an argument named like a secret"],
)
def test_what_engine_docker_refuses_is_refused_before_any_engine_is_asked(
    harm: Callable[[Bench, str], None], error: type[TaglineError], nowhere: DaggerBench, base: str
) -> None:
    harm(nowhere, base)
    with pytest.raises(error):
        nowhere.make()
    assert nowhere.builds == []


@pytest.mark.timeout(600)
def test_an_engine_builds_the_same_content_with_the_one_label_and_what_runs(
    there: DaggerBench, bench: Bench
) -> None:
    made = there.make()
    assert (made.built, made.pushed, made.why_not) == (True, True, NOT_THE_SAME)
    found = inspected(made, there)
    assert (found["Labels"], found["User"]) == ({LABEL: made.content}, "1000")
    words = ("run", "--rm", "--network=host", made.reference, "python3", "/app/src/task.py")
    assert debian.docker(there.environ, *words) == "task tagline_task"
    for other in (there, bench):
        again = other.make()
        assert (again.reference, again.content, other.builds) == (made.reference, made.content, [])


@pytest.mark.timeout(600)
def test_a_step_mounts_a_secret_that_no_layer_keeps_and_no_copy_takes_the_recipe(there: DaggerBench) -> None:
    there.environ = {**there.environ, "PIP_INDEX_URL": "https://packages.example/simple"}
    file = there.tree / "Dockerfile"
    mount = "--mount=type=secret,id=pip.conf,target=/etc/pip.conf,mode=0444"
    file.write_text(
        f"{file.read_text().partition('ARG')[0].rstrip()}\n"
        f"RUN {mount} grep -q packages.example /etc/pip.conf\nCOPY . /all\nUSER 1000\n"
    )
    made = there.make(push=False)
    assert not made.pushed
    (kept,) = (there.logs / "kept").iterdir()
    debian.docker(there.environ, "load", "--quiet", "--input", str(kept))
    words = (
        "run",
        "--rm",
        "--network=host",
        made.reference,
        "sh",
        "-c",
        "ls -A /all; cat /etc/pip.conf || true",
    )
    said = debian.docker(there.environ, *words).splitlines()
    assert said == [".tagline", "Dockerfile", "src"]
    assert not there.make(push=False).built


@pytest.mark.timeout(600)
def test_a_failing_step_shows_the_end_of_the_engine_s_words(there: DaggerBench) -> None:
    file = there.tree / "Dockerfile"
    file.write_text(file.read_text() + "RUN echo this step is broken >&2 && false\n")
    with pytest.raises(BuildFailed, match="this step is broken") as caught:
        there.make()
    assert Path(str(caught.value.where)).is_file()


@pytest.mark.timeout(600)
def test_an_image_that_runs_as_root_never_reaches_the_registry(there: DaggerBench, plain: Registry) -> None:
    file = there.tree / "Dockerfile"
    file.write_text(file.read_text().replace("USER 1000", "USER root"))
    with pytest.raises(ImageRefused, match="root"):
        there.make()
    assert {word.split()[0] for word in requests(plain, there)} == {"HEAD"}
