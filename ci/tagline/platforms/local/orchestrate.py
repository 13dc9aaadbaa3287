"""The child process that walks a compiled pipeline and runs its tasks.

Called as `python -m tagline.platforms.local.orchestrate`: a `Job` as JSON on standard input, a `Message` a
line on standard output, everything that kfp prints on standard error. It ends with its parent, whatever
ends that.
"""

import ctypes
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import BinaryIO

import msgspec
from tagline_task import masking

from tagline.engines import sandbox
from tagline.errors import PipelineError, TaglineError
from tagline.platforms import TaskEvent
from tagline.platforms.local import secrets
from tagline.platforms.local.executor import Executor, Job
from tagline.platforms.local.graphs.values import State
from tagline.platforms.local.graphs.walk import Walk
from tagline.platforms.local.hands import WORKSPACE, LocalHands

_PR_SET_PDEATHSIG = 1


class Told(msgspec.Struct, frozen=True, tag=True):
    """A task began or ended."""

    event: TaskEvent


class Ended(msgspec.Struct, frozen=True, tag=True):
    """The run's end; no `error` is success. `kind` names the error's class, `log` the failed task's log."""

    error: str = ""
    kind: str = ""
    task: str = ""
    log: str = ""


Message = Told | Ended


class Stopped(BaseException):
    """Somebody wants this process to end: what runs is ended on the way out."""


def end_with_parent(parent: int) -> None:
    """Get SIGTERM when the process `parent` ends; raises `Stopped` where it has ended already."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        raise Stopped


def _stop(_signal: int, _frame: FrameType | None) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    raise Stopped


def orchestrate(job: Job, executor: Executor) -> Ended:
    """Run all tasks that are due; success only if each ended well."""
    import yaml

    ir = yaml.safe_load(job.ir)
    walk = Walk(ir, LocalHands(job, executor, ir))
    try:
        result = walk.run(job.parameters)
    finally:
        shutil.rmtree(Path(job.folder) / WORKSPACE, ignore_errors=True)
    if result.state is not State.FAILED:
        return Ended()
    if error := executor.failures.get(result.task):
        return _failed(result.task, error)
    return Ended(masking.HIDDEN.clean(result.problem), PipelineError.__name__, result.task)


def _failed(task: str, error: TaglineError) -> Ended:
    fix = f" ({error.fix})" if error.fix else ""
    return Ended(masking.HIDDEN.clean(f"{error.what}{fix}"), type(error).__name__, task, error.where)


def _teller(stream: BinaryIO) -> Callable[[Message], None]:
    def tell(message: Message) -> None:
        stream.write(msgspec.json.encode(message) + b"\n")
        stream.flush()

    return tell


def main() -> int:
    """Run the job on standard input; 0 whenever the end could be told, 143 when stopped."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    try:
        job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
        masking.hide(secrets.values(job.secrets))
        end_with_parent(job.parent)
        sandbox.protect_parent()
        tell = _teller(answers)
        executor = Executor(job, lambda event: tell(Told(event)))
        try:
            tell(orchestrate(job, executor))
        except PipelineError as error:
            tell(_failed("", error))
    except Stopped:
        return 128 + signal.SIGTERM
    return 0


if __name__ == "__main__":
    sys.exit(main())
