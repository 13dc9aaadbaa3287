"""A local platform of its own for each test, and runs of tiny pipelines in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tagline.engines import Guards
from tagline.engines.process import ProcessEngine
from tagline.platforms import Run, RunRequest, TaskEvent
from tagline.platforms.local.pipelines import LocalPipelines

from . import projects


@dataclass
class World:
    """A home, a source tree, and what was told of the runs in it."""

    folder: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    told: list[TaskEvent] = field(default_factory=list)
    guards: Guards | None = None

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def source(self) -> Path:
        return self.folder / "source"

    @property
    def pipelines(self) -> LocalPipelines:
        engine = ProcessEngine(self.folder / "venvs", {}, self.guards)
        return LocalPipelines(self.home, engine, self.environ)

    def request(
        self, pipeline: Any, owner: str = "wine/full/1", timeout: float = 120.0, **given: Any
    ) -> RunRequest:
        compiled = projects.compile_to(pipeline, self.folder / f"{pipeline.name}.yaml")
        return RunRequest(owner, pipeline.name, compiled, self.source, given, timeout)

    def run(self, pipeline: Any, owner: str = "wine/full/1", timeout: float = 120.0, **given: Any) -> Run:
        return self.pipelines.run(self.request(pipeline, owner, timeout, **given), self.told.append)


@pytest.fixture
def world(tmp_path: Path) -> World:
    (tmp_path / "home").mkdir()
    projects.make_source(tmp_path / "source")
    for name in ("counter", "pids"):  # of a temporary folder a task sees what is there and its arguments name
        (tmp_path / name).touch()
    return World(tmp_path)


def alive(pids: Path) -> list[str]:
    """The processes listed in a file that still run; none where no task got as far as to write it."""
    if not pids.exists():
        return []
    return [pid for pid in pids.read_text().split() if Path("/proc", pid).exists()]
