"""What runs the repository's own code: an engine makes an environment from a source tree and runs commands in it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec


class Environment(msgspec.Struct, frozen=True):
    """A place where a release's code runs.

    `identity` stands where an image reference would: `env:sha256:<64 hex>` on engine `process`, over the
    interpreter, the locked requirements and the source. `python` is the interpreter to call.
    """

    identity: str
    python: Path


class Command(msgspec.Struct, frozen=True):
    """One command in a sandboxed child: only `env` and an allow-list reach it; `timeout` in seconds.

    `hide` names files and folders that it must not see, where this machine allows to hide them; `see` what it
    needs of the user's home and of the machine's temporary folders, of which it otherwise sees nothing, and `keep`
    what of that it must not change. Of a kept folder it can change the entries that hold its `cwd` or one of its
    `own` paths.
    """

    argv: Sequence[str]
    cwd: Path
    log: Path
    env: Mapping[str, str] = {}
    timeout: float = 3600.0
    hide: Sequence[Path] = ()
    see: Sequence[Path] = ()
    keep: Sequence[Path] = ()
    own: Sequence[Path] = ()


class Guards(msgspec.Struct, frozen=True):
    """What every command of an engine must leave alone, where this machine allows to see to it.

    `hide` names files and folders that it cannot see, as `Command.hide` does for one command. Of a folder in
    `keep` it can change only the one entry in which it runs, such as its own run's folder; it sees it also where it
    lies in the user's home. A file in `keep`, or a folder in which it runs and that is itself there, it cannot change.
    """

    hide: list[str] = []
    keep: list[str] = []


class Limits(msgspec.Struct, frozen=True):
    """What a task may use: cores, bytes of memory (0: no limit of its own), and how many GPUs it must see."""

    cpus: float = 0.0
    memory: int = 0
    gpus: int = 0


class TaskContainer(msgspec.Struct, frozen=True):
    """A task to run in a container of its image. `folder` is the run's, at the same path inside; it alone is kept.

    `env` are its variables, `secrets` those whose values nothing may show. `owner` marks the container as this run's;
    stdout and stderr go to `log`; `timeout` in seconds. `home` is where the engine keeps images that no registry has.
    """

    image: str
    argv: list[str]
    env: Mapping[str, str]
    folder: Path
    log: Path
    owner: str
    timeout: float
    limits: Limits = Limits()
    secrets: Mapping[str, str] = {}
    home: Path = Path()


class Containers(Protocol):
    """Runs tasks in containers: a module for each engine that can."""

    def run(self, task: TaskContainer, environ: Mapping[str, str]) -> int:
        """Run to the end and return the task's own exit code; nothing of its container is left then.

        Raises `TaskTimedOut`, `DeviceMissing` (with what this host has), `ImageMissing`, `EngineMissing`,
        `EngineError` where it could not start.
        """
        ...

    def sweep(self, owner: str, environ: Mapping[str, str]) -> int:
        """Remove the containers that a run left because its process was killed; how many there were."""
        ...

    def unheld(self, limits: Limits) -> str:
        """Which of the limits this engine does not hold, in words; empty where it holds all."""
        ...


class Engine(Protocol):
    """Makes environments and runs commands in them; every command is under its `guards`.

    `name` is `process`, `docker` or `dagger`.
    """

    name: str

    @property
    def guards(self) -> Guards: ...

    def build(self, source: Path, *, serving: bool = False, tests: bool = False) -> Environment:
        """Make (or find, by digest) the environment of a source tree.

        `serving` adds the locked KServe, `tests` adds tests/requirements.txt. Raises `LockMissing`,
        `InstallFailed`, `EnvironmentConflict`.
        """
        ...

    def run(self, command: Command) -> int:
        """Run to the end and return the real exit code; stdout and stderr go to `command.log`.

        Raises `TaskTimedOut` past `command.timeout`; nothing of the command's process group is left then.
        """
        ...
