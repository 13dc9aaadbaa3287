"""How each CI host cancels: which signals, to which processes, in which order and time."""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

Child = subprocess.Popen[str]


def children(pid: int) -> list[int]:
    file = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(word) for word in file.read_text().split()] if file.exists() else []


def as_a_shell_says(code: int) -> int:
    """What the host's shell is told: a command that was about to end when the signal came is ended by it."""
    return code if code >= 0 else 128 - code


def wait(child: Child, seconds: float) -> bool:
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def gone(pid: int) -> bool:
    """Whether a process has ended, as /proc tells: a zombie of ours is gone for a host."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def end_tree(pid: int, deadline: float) -> None:
    """SIGTERM to each process of a tree, the deepest first, each waited for until the deadline."""
    for child in children(pid):
        end_tree(child, deadline)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    while not gone(pid) and time.monotonic() < deadline:
        time.sleep(0.01)


def jenkins(child: Child) -> None:
    """SIGTERM to the process tree, the deepest first, each waited for, 5 s in all; then SIGKILL.

    core/src/main/java/hudson/util/ProcessTree.java (SoftKillWaitSeconds), read 2026-11-25: `documented`.
    """
    end_tree(child.pid, time.monotonic() + 5)
    if not wait(child, 0.5):
        child.kill()


def gitlab(child: Child) -> None:
    """SIGTERM to the process group; 10 s later SIGKILL to it.

    https://gitlab.com/gitlab-org/gitlab-runner/-/merge_requests/3906, read 2026-11-25: `documented`.
    """
    os.killpg(child.pid, signal.SIGTERM)
    if not wait(child, 10):
        os.killpg(child.pid, signal.SIGKILL)


def github(child: Child) -> None:
    """SIGINT to the step's entry process; after 7.5 s SIGTERM, after 2.5 s more SIGKILL to the tree.

    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-cancellation, read 2026-11-25:
    `documented`. The entry process is the step's shell: `exec tagline ci`.
    """
    child.send_signal(signal.SIGINT)
    if not wait(child, 7.5):
        child.send_signal(signal.SIGTERM)
        if not wait(child, 2.5):
            child.kill()


def impatient(child: Child) -> None:
    """SIGINT and SIGTERM at once, again and again: as a host does that somebody clicks at."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
        child.send_signal(number)
        time.sleep(0.15)
    if not wait(child, 5):
        child.kill()
