"""A real engine, a real registry, and a small project whose base is a Debian image in that registry."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tagline import config
from tagline.engines.docker.builder import DockerBuilder
from tagline.engines.venvs import task_package
from tagline.images import Builder
from tagline.images.making import Made, Maker, Source
from tagline.pipeline.project import listed

from tests.real import debian, engine
from tests.real.engine import ROOT
from tests.real.registry import Registry, registry

BASE = "tagline-test/python:4"
TEMPLATE = (ROOT / "project-template/template/docker/base_image/Dockerfile").read_text()
DOCKERFILE = TEMPLATE.replace("python:3.11-slim", "{base}")
LOCK = ROOT / "requirements/test.txt"


def locked(*names: str) -> str:
    """The lines of our own lock for these packages, with their hashes."""
    pins = re.finditer(r"^(\S+?)==.*(?:\n    --hash.*)+", LOCK.read_text(), re.MULTILINE)
    found = {match[1]: match[0] for match in pins}
    return "\n".join(found[name] for name in names) + "\n"


@pytest.fixture(scope="session")
def environ() -> Iterator[dict[str, str]]:
    """The environment that reaches a real Docker engine with the Debian base in it."""
    if lack := engine.lacks():
        pytest.skip(lack)
    with engine.docker_environ() as environ:
        debian.imported(BASE, debian.archive("python", debian.PYTHON), environ)
        yield environ


@pytest.fixture(scope="session")
def plain(environ: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with registry(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture(scope="session")
def base(environ: dict[str, str], plain: Registry) -> str:
    """The Debian base in the registry, by digest."""
    return debian.pushed(BASE, f"{plain.host}/base", environ)


@dataclass
class Bench:
    """A project in `tree` and the maker of its images; `builds` counts what reached the engine."""

    tree: Path
    environ: dict[str, str]
    own: config.Config
    logs: Path
    builds: list[str] = field(default_factory=list)
    dotenv: dict[str, str] = field(default_factory=dict)

    def builder(self) -> Builder:
        self.builds.append("asked")
        return DockerBuilder(self.environ)

    def make(self, *, push: bool = True) -> Made:
        self.builds.clear()
        files = sorted(listed(self.tree))
        source = Source(self.tree, files, self.own, task_package())
        return Maker(self.builder, self.environ, self.logs, lambda: self.dotenv).make(source, push=push)


@pytest.fixture
def bench(environ: dict[str, str], plain: Registry, base: str, tmp_path: Path) -> Bench:
    tree = tmp_path / "tree"
    (tree / "src").mkdir(parents=True)
    (tree / "src/requirements.txt").write_text(locked("six"))
    (tree / "src/task.py").write_text("import tagline_task\n\nprint('task', tagline_task.__name__)\n")
    (tree / "Dockerfile").write_text(DOCKERFILE.format(base=base))
    image = config.Image(
        repository=f"{plain.host}/{tmp_path.name.replace('_', '-')}", dockerfile="Dockerfile"
    )
    return Bench(tree, environ, config.Config(pipeline="wine", image=image), tmp_path / "logs")
