"""One task in a container of a Dagger engine that runs already: a module that is `engines.Containers`.

A Dagger engine mounts nothing of this machine: the run's folder is copied in, and what the task left of it is put in
its place when the task has ended. What the task prints reaches its log then. The engine ends the container with its
client's session.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tagline import foreign
from tagline.engines import Limits, TaskContainer
from tagline.engines.dagger import runner, session
from tagline.engines.dagger_images import kept_images, kept_reference, kept_tar
from tagline.errors import DeviceMissing, ImageMissing
from tagline.images.credentials import login
from tagline.images.reference import Reference

STAYS = ("logs", "orchestrator.log")  # of the run's folder, what this machine writes while the task runs
NOBODY_SPECIAL = "1000:1000"
_BACK = ".from-dagger-"


def run(task: TaskContainer, environ: Mapping[str, str]) -> int:
    """Run to the end and return the task's own exit code; the run's folder is then as the task left it.

    After a task that a signal ended the folder is as it was before it.

    Raises `TaskTimedOut`, `DeviceMissing`, `ImageMissing`, `EngineMissing` within seconds, `EngineError`.
    """
    ready = runner.require(environ)
    with _back(task.folder) as back:
        asked = asked_of(task, back, environ)
        ended = session.perform(asked, ready, log_to=sys.stderr, run_limit=task.timeout)
        with foreign.append(task.log) as log:
            log.write(ended.said.encode())
        _require(task, ended)
        if ended.folder:
            take(back, task.folder)
    return ended.code


def sweep(_owner: str, _environ: Mapping[str, str]) -> int:
    """Nothing: the engine ended the containers when their client was gone."""
    return 0


def unheld(limits: Limits) -> str:
    """A Dagger engine holds a container to no limits."""
    asked = [f"{limits.cpus:g} core(s)"] if limits.cpus else []
    asked += [f"{limits.memory} bytes of memory"] if limits.memory else []
    return (
        f"engine dagger holds a task to no limits, this one asks for {' and '.join(asked)}" if asked else ""
    )


def asked_of(task: TaskContainer, back: Path, environ: Mapping[str, str]) -> session.Task:
    """A task as the client process is told it; a container of it runs as the caller, where that is root as 1000."""
    kept = kept_tar(kept_images(task.home), task.image)
    image = str(kept) if kept_reference(kept) == task.image else task.image
    known = None if image.startswith("/") else login(Reference.parse(task.image).host, environ)
    return session.Task(
        image,
        task.argv,
        str(task.folder),
        str(back),
        NOBODY_SPECIAL if os.getuid() == 0 else f"{os.getuid()}:{os.getgid()}",
        {"HOME": "/tmp", "PYTHONUNBUFFERED": "1", **task.env},
        dict(task.secrets),
        [*STAYS, back.name],
        task.limits.gpus,
        session.Login(Reference.parse(task.image).host, known.user, known.password) if known else None,
    )


@contextmanager
def _back(folder: Path) -> Iterator[Path]:
    """An empty folder on the same disk, gone afterwards with what is left in it."""
    with tempfile.TemporaryDirectory(prefix=_BACK, dir=folder, ignore_cleanup_errors=True) as made:
        yield Path(made)


def _require(task: TaskContainer, ended: session.Ended) -> None:
    if ended.no_image:
        raise ImageMissing(
            f"the Dagger engine has no image {task.image} and cannot pull it: {ended.no_image}",
            fix="build it first: tagline build --engine dagger",
        )
    if ended.no_devices:
        raise DeviceMissing(
            f"the task asks for {task.limits.gpus} GPU(s): {ended.no_devices}",
            where="the Dagger engine",
            fix="an engine with GPU support, or another agent: docs/how-to/dagger.md",
        )


def take(back: Path, folder: Path) -> None:
    """Put what came back in the place of what went in: entry by entry, following no link.

    An entry that the task removed is gone; what this machine writes meanwhile stays its own.
    """
    ours = {*STAYS, back.name}
    for entry in list(folder.iterdir()):
        if entry.name not in ours:
            _remove(entry)
    for entry in list(back.iterdir()):
        if entry.name not in ours:
            entry.rename(folder / entry.name)


def _remove(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink()
