"""Engine `process`: no containers; a release's code runs in a virtual environment of its locked packages."""

import os
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path

from tagline.engines import Command, Environment, Guards, venvs
from tagline.engines.locks import Lock, lock_of, read_lock
from tagline.errors import InstallFailed

REQUIREMENTS = "src/requirements.txt"
TEST_REQUIREMENTS = "tests/requirements.txt"


class ProcessEngine:
    """Environments under `folder`, one per interpreter, lock and tagline_task; commands in the sandbox.

    `environ` is where pip's own settings come from. No command can change an environment but the one that it
    installs; `guards` names what else it must leave alone.
    """

    name = "process"

    def __init__(
        self, folder: Path, environ: Mapping[str, str] | None = None, guards: Guards | None = None
    ) -> None:
        self.folder = folder
        given = guards or Guards()
        self.guards = Guards(given.hide, [*given.keep, str(folder)])
        self._environ = dict(os.environ if environ is None else environ)

    def build(self, source: Path, *, serving: bool = False, tests: bool = False) -> Environment:
        """Make or find the environment of a source tree; a tree without requirements needs no pip.

        Raises `LockMissing` (file and line), `InstallFailed`, `EnvironmentConflict` (both packages).
        """
        from tagline.pipeline.identity import environment_identity

        recipe = venvs.Recipe(wanted(source, serving=serving, tests=tests), venvs.task_package())
        python = venvs.ensure(self.folder, recipe, self.run, self._environ)
        return Environment(environment_identity(source), python)

    def run(self, command: Command) -> int:
        """Run to the end in the sandbox; the real exit code. Raises `TaskTimedOut`."""
        from tagline.engines import sandbox

        return sandbox.run(command, guards=self.guards)


def wanted(source: Path, *, serving: bool, tests: bool) -> Lock:
    """The locked packages of a source tree: its own pins first, then what it lacks for tests and serving."""
    lock = lock_of(source, REQUIREMENTS)
    if tests:
        lock = lock.beside(lock_of(source, TEST_REQUIREMENTS))
    if serving:
        lock = lock.beside(serving_lock())
    return lock


@cache
def serving_lock() -> Lock:
    """The locked KServe that tagline brings: beside the package in a wheel, else in requirements/."""
    packed = resources.files("tagline") / "serving.txt"
    checkout = Path(__file__).resolve().parents[3] / "requirements/serving.txt"
    for place in (packed, checkout):
        if place.is_file():
            return read_lock(place.read_text(), "requirements/serving.txt")
    raise InstallFailed(
        "the locked serving packages are missing", where=str(checkout), fix="install tagline again"
    )
