"""The orchestrating child process as its parent sees it: started, listened to, and always ended."""

import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec

from tagline.platforms import TaskEvent
from tagline.platforms.local.executor import Job
from tagline.platforms.local.orchestrate import Ended, Message, Told

GRACE = 15.0
LOG = "orchestrator.log"
MODULE = "tagline.platforms.local.orchestrate"


def follow(job: Job, lock: IO[str], told: Callable[[TaskEvent], None]) -> Ended | None:
    """Run a job to its end in a child that shares `lock`; None where the child vanished without an end.

    Whatever ends this call (an interrupt, an error in `told`), the child and its tasks are ended first.
    """
    deadline = time.monotonic() + job.deadline + GRACE
    with _started(job, lock) as child:
        for line in _lines(child, deadline):
            match msgspec.json.decode(line, type=Message):
                case Told(event):
                    told(event)
                case Ended() as ended:
                    return ended
        if child.poll() is None and time.monotonic() >= deadline:
            return Ended(f"the run did not end within its {job.deadline:g} s", "TaskTimedOut")
    return None


@contextmanager
def _started(job: Job, lock: IO[str]) -> Iterator[subprocess.Popen[bytes]]:
    log = Path(job.folder) / LOG
    with log.open("ab") as errors:
        child = subprocess.Popen(
            [sys.executable, "-P", "-m", MODULE],
            cwd=job.folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            pass_fds=[lock.fileno()],
            start_new_session=True,
        )
    try:
        _send(child, msgspec.json.encode(job))
        yield child
    finally:
        _end(child)


def _send(child: subprocess.Popen[bytes], job: bytes) -> None:
    assert child.stdin is not None
    try:
        with child.stdin:
            child.stdin.write(job)
    except BrokenPipeError:
        return  # the child is gone already: the missing end says so


def _lines(child: subprocess.Popen[bytes], deadline: float) -> Iterator[bytes]:
    """The child's lines as they come, until it closes its end or the deadline has passed."""
    assert child.stdout is not None
    held = b""
    with selectors.DefaultSelector() as selector:
        selector.register(child.stdout, selectors.EVENT_READ)
        while (left := deadline - time.monotonic()) > 0:
            if not selector.select(min(left, 1.0)):
                continue
            part = os.read(child.stdout.fileno(), 1 << 16)
            if not part:
                return
            *lines, held = (held + part).split(b"\n")
            yield from lines


def _end(child: subprocess.Popen[bytes]) -> None:
    assert child.stdout is not None
    if child.poll() is None:
        child.terminate()
    try:
        child.wait(GRACE)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    child.stdout.close()
