"""The child process in which kfp's own local orchestrator runs a compiled pipeline, our executor under it.

Called as `python -m tagline.platforms.local.orchestrate`: a `Job` as JSON on standard input, a `Message` a
line on standard output, everything that kfp prints on standard error. It ends with its parent, whatever
ends that.
"""

import ctypes
import inspect
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, BinaryIO

import msgspec
from tagline_task import masking

from tagline.engines import sandbox
from tagline.errors import PipelineError, TaglineError
from tagline.platforms import TaskEvent
from tagline.platforms.local import secrets
from tagline.platforms.local.executor import Executor, Job

_PR_SET_PDEATHSIG = 1
HANDLER_TAKES = ["self", "image", "full_command", "pipeline_root", "runner", "env_vars"]


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


def handler_of(executor: Executor) -> type:
    """The class that kfp calls for each task instead of its own; raises `PipelineError` if kfp's changed."""
    from kfp.local import status, subprocess_task_handler

    theirs = subprocess_task_handler.SubprocessTaskHandler
    if list(inspect.signature(theirs.__init__).parameters) != HANDLER_TAKES:
        raise PipelineError(
            "this kfp has another local task handler than tagline knows", fix="pip install 'kfp==2.17.0'"
        )

    class TaskHandler:
        def __init__(
            self, image: str, full_command: list[str], env_vars: dict[str, str] | None = None, **_: Any
        ) -> None:
            self.image, self.full_command, self.env_vars = image, full_command, env_vars or {}

        def run(self) -> Any:
            good = executor.run(self.full_command, self.env_vars, self.image)
            return status.Status.SUCCESS if good else status.Status.FAILURE

    return TaskHandler


def orchestrate(job: Job, executor: Executor) -> Ended:
    """Run all tasks; success only if our executor itself saw every task of the graph end well."""
    import yaml
    from kfp import components, local
    from kfp.local import subprocess_task_handler

    subprocess_task_handler.SubprocessTaskHandler = handler_of(executor)
    folder = Path(job.folder)
    local.init(
        runner=local.SubprocessRunner(use_venv=False),
        pipeline_root=str(folder / "outputs"),
        workspace_root=str(folder / "workspace"),
        raise_on_error=True,
    )
    problem = ""
    try:
        components.load_component_from_text(job.ir)(**job.parameters)
    except PipelineError:
        raise
    except Exception as error:
        problem = masking.HIDDEN.clean(f"{type(error).__name__}: {error}")
    if executor.failure and executor.failure[0] not in executor.done:
        return _failed(*executor.failure)
    left = set(yaml.safe_load(job.ir)["root"]["dag"]["tasks"]) - executor.done
    if problem or left:
        return Ended(problem or f"tasks that never ran: {', '.join(sorted(left))}", PipelineError.__name__)
    return Ended()


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
