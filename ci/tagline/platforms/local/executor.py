"""One container task: as a host process in its own copy of the tree, or in its image; its real exit code."""

import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from tagline import foreign
from tagline.config_keys import EngineName
from tagline.engines import Command, Containers, Guards, Limits, TaskContainer, sandbox
from tagline.errors import (
    EngineError,
    PipelineError,
    TaglineError,
    TaskContractBroken,
    TaskFailed,
    TaskTimedOut,
)
from tagline.platforms import TaskEvent
from tagline.platforms.local import answers, outputs, planted
from tagline.platforms.local.graphs.values import Values
from tagline.platforms.local.image import Image, read_image
from tagline.platforms.local.secrets import masked_log, values
from tagline.platforms.local.spec import file_name

BEGAN, SUCCEEDED, FAILED, WARNING = "began", "succeeded", "failed", "warning"
_TAIL = 400
SIGNALLED = 128  # and the signal's number: as every container engine says it
_LARGEST_REASON = 1 << 20
# as in `tagline_task.runner`, which is imported in the task's own environment only
TERMINATION_LOG = "TAGLINE_TERMINATION_LOG"


class Job(msgspec.Struct, frozen=True):
    """Everything that the orchestrating process is told, through its standard input.

    `ir` is the pipeline, `folder` the run's, `deadline` seconds for all of it, `limits` seconds by
    executor, `secrets` values by executor and variable, `guards` what no task may touch. With `containers`, the
    engine's name, each task runs in its own image, under the `resources` of its executor; `source` and `python` do
    not count, and `home` is where images lie that no registry has.
    """

    ir: str
    parameters: dict[str, Any]
    folder: str
    source: str
    python: str
    parent: int
    deadline: float
    limits: dict[str, float] = {}
    secrets: dict[str, dict[str, str]] = {}
    guards: Guards = sandbox.NO_GUARDS
    containers: EngineName | None = None
    resources: dict[str, Limits] = {}
    home: str = ""


class Call(msgspec.Struct, frozen=True):
    """One task: its command, its executor input, its environment, its image, and its executor's name."""

    argv: list[str]
    given: dict[str, Any]
    env: Mapping[str, str]
    image: str = ""
    executor: str = ""
    kinds: Mapping[str, str] = {}


class Executor:
    """Runs the tasks of one job, tells of each, and keeps the last failure of each."""

    def __init__(self, job: Job, tell: Callable[[TaskEvent], None]) -> None:
        self.job, self.tell = job, tell
        self.folder = Path(job.folder)
        self.failures: dict[str, TaglineError] = {}
        self._image: Image = read_image(Path(job.source))
        self._source = self.folder if job.containers else foreign.held(Path(job.source))
        self._end = time.monotonic() + job.deadline

    def run(self, task: str, call: Call) -> Values | None:
        """Run a task, named by its path; its outputs only if it ended well and kept its contract."""
        log = self._log(task)
        began = time.monotonic()
        self.tell(TaskEvent(task, BEGAN, None, str(log)))
        try:
            found = self._attempt(task, call)
        except (PipelineError, EngineError) as error:
            error.where = error.where or str(log)
            self.failures[task] = error
            self.tell(TaskEvent(task, FAILED, time.monotonic() - began, str(log)))
            return None
        self.failures.pop(task, None)
        self.tell(TaskEvent(task, SUCCEEDED, time.monotonic() - began, str(log)))
        return found

    def left(self) -> float:
        """The seconds that the run has left."""
        return self._end - time.monotonic()

    def _log(self, task: str) -> Path:
        return self.folder / "logs" / f"{file_name(task)}.log"

    @contextmanager
    def _logged(self, task: str) -> Iterator[BinaryIO]:
        """The task's log, open to be appended to and read back: its path may be another's when the task ends."""
        log = self._log(task)
        with planted.refused(str(log)):
            foreign.make_folder(log.parent, self.folder)
            opened = foreign.append(log, self.folder)
        with opened:
            yield opened

    def _termination_log(self, task: str) -> Path:
        """Where `tagline_task` says that its contract ended the task; nothing lies there at first."""
        place = self._work() / f"{file_name(task)}.told"
        shutil.rmtree(place, ignore_errors=True)
        with planted.refused(str(place)):
            return foreign.make_folder(place, self.folder) / "termination-log"

    def _work(self) -> Path:
        """The folder of the tasks' own trees; raises `TaskContractBroken` where a task made a link of it."""
        folder = self.folder / "work"
        with planted.refused(str(folder)):
            return foreign.make_folder(folder, self.folder)

    def _attempt(self, task: str, call: Call) -> Values:
        from tagline.pipeline.rules import argument_too_long

        given = call.given
        if problem := argument_too_long(call.argv, given):
            raise TaskFailed(f"task {task!r}: {problem}", fix="hand large values over as an artifact")
        outputs.prepare(given, self.folder)
        told = self._termination_log(task)
        variables = {**call.env, TERMINATION_LOG: str(told)}
        call = msgspec.structs.replace(call, env=variables)
        with self._logged(task) as kept:
            with masked_log(kept, values(self.job.secrets)) as log, self._in_time(task, call):
                code = (self._in_container if self.job.containers else self._on_host)(task, call, log)
            broken = code != 0 and _names(told, "OutputError", self.folder)
            shutil.rmtree(told.parent, ignore_errors=True)
            if code != 0:  # the log is whole only now
                kind = TaskContractBroken if broken else TaskFailed
                raise kind(f"task {task!r} ended with exit code {code}{_tail(kept)}")
        found = outputs.complete(task, given, self.folder)
        for item in found:
            if not item.written:
                self.tell(TaskEvent(task, f"{WARNING}: declared output {item.name!r} was not written"))
        outputs.record(self.folder, task, found)
        return answers.read(task, given, call.kinds, self.folder)

    def _on_host(self, task: str, call: Call, log: Path) -> int:
        with self._tree(task) as tree:
            places = [self._image.host_path(item, tree) for item in call.argv]
            own = [
                outputs.folder_of(call.given),
                self._work() / f"{file_name(task)}.told",
                self.folder / "workspace",
            ]
            kept = [self.folder, *outputs.around(call.given, self.folder), self._work()]
            env = self._env(tree, {**call.env, **self.job.secrets.get(call.executor, {})})
            given = (places, tree, log, env, self._limit(task, call))
            command = Command(*given, keep=kept, own=own)
            code = sandbox.run(command, guards=self.job.guards)
            return code if code >= 0 else SIGNALLED - code

    def _in_container(self, task: str, call: Call, log: Path) -> int:
        assert self.job.containers
        containers = containers_of(self.job.containers)
        limits = self.job.resources.get(call.executor, Limits())
        if said := containers.unheld(limits):
            self.tell(TaskEvent(task, f"{WARNING}: {said}"))
        given = (
            call.image,
            call.argv,
            call.env,
            self.folder,
            log,
            self.job.folder,
            self._limit(task, call),
            limits,
            self.job.secrets.get(call.executor, {}),
            Path(self.job.home),
        )
        return containers.run(TaskContainer(*given), os.environ)

    @contextmanager
    def _in_time(self, task: str, call: Call) -> Iterator[None]:
        limit = self._limit(task, call)
        try:
            yield
        except TaskTimedOut as error:
            raise TaskTimedOut(
                f"task {task!r} ran past its limit of {limit:.3g} s and was stopped",
                fix="give it more time (set_timeout in pipeline.py), or mend the task",
            ) from error

    def _limit(self, task: str, call: Call) -> float:
        left = self.left()
        if left <= 0:
            raise TaskTimedOut(f"task {task!r} did not start: the run's {self.job.deadline:g} s are over")
        return min(left, self.job.limits.get(call.executor, left))

    def _env(self, tree: Path, env: Mapping[str, str]) -> dict[str, str]:
        python = Path(self.job.python)
        path = f"{python.parent}:{os.environ.get('PATH', os.defpath)}"
        ours = {"PATH": path, "VIRTUAL_ENV": str(python.parent.parent), "PYTHONUNBUFFERED": "1"}
        return {**self._image.host_env(tree), **ours, **env}

    @contextmanager
    def _tree(self, task: str) -> Iterator[Path]:
        """A copy of the release's source tree: what one task leaves in it, no other task sees."""
        tree = self._work() / file_name(task)
        shutil.rmtree(tree, ignore_errors=True)
        shutil.copytree(self._source, tree, symlinks=True, ignore=shutil.ignore_patterns(".git"))
        try:
            yield tree
        finally:
            shutil.rmtree(tree, ignore_errors=True)


def containers_of(engine: EngineName) -> Containers:
    """What runs tasks in the containers of an engine."""
    if engine is EngineName.DAGGER:
        from tagline.engines import dagger_tasks

        return dagger_tasks
    from tagline.engines.docker import containers

    return containers


def _names(told: Path, error: str, run_folder: Path) -> bool:
    """Whether a termination log names this error of `tagline_task`; the task may have written anything."""
    try:
        return foreign.read(told, _LARGEST_REASON, run_folder).startswith(f"{error}:".encode())
    except (OSError, ValueError):
        return False


def _tail(log: BinaryIO) -> str:
    """The last line that a task printed, as the end of a sentence."""
    lines = foreign.end_of(log).strip().splitlines()
    return f": {lines[-1].strip()[-_TAIL:]}" if lines else ", and printed nothing"
