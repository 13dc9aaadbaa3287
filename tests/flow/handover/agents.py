"""Agents that hand a plan over: each has a clone and a home of its own; the state folder is all that travels."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fakes.repositories import git
from tests.flow.stage import Desk, Result


@dataclass(frozen=True)
class Agent:
    """One machine: its clone, its home, and what came with the last handing over."""

    desk: Desk
    folder: Path

    @property
    def clone(self) -> Path:
        return self.folder / "clone"

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def plan_file(self) -> Path:
        return self.folder / "plan.json"

    def tagline(self, *args: str, **more: str) -> Result:
        return self.desk.tagline(*args, cwd=self.clone, TAGLINE_HOME=str(self.folder / "home"), **more)

    def plan(self, *args: str) -> Any:
        """Plan and keep the file; returns what it says."""
        done = self.tagline("plan", "-o", str(self.plan_file), "--json", *args)
        assert done.code == 0, done
        assert json.loads(self.plan_file.read_text()) == done.json()
        return done.json()

    def run(self, *args: str, **more: str) -> Result:
        return self.tagline("run", str(self.plan_file), "--state", str(self.state), *args, **more)

    def takes_over_from(self, other: "Agent") -> None:
        """What a CI's stash or artefacts bring: the plan file and the state folder, and nothing else."""
        shutil.copy(other.plan_file, self.plan_file)
        shutil.rmtree(self.state, ignore_errors=True)
        if other.state.exists():
            shutil.copytree(other.state, self.state)


def agent(desk: Desk, name: str) -> Agent:
    """A new machine with a clone of the remote, its HEAD detached at main's head as CI checks out."""
    made = Agent(desk, desk.folder / name)
    made.folder.mkdir()
    git(made.folder, "clone", "--quiet", str(desk.bare.path), str(made.clone))
    git(made.clone, "checkout", "--quiet", "--detach", "origin/main")
    return made


def last_line(done: Result) -> str:
    return done.out.strip().splitlines()[-1]
