"""Folders in the system's temporary place, gone after use; what a killed process left is swept a day later."""

import fcntl
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

OLD = 24 * 3600.0  # seconds


class Kind(StrEnum):
    """What a folder is for: the second word of its name."""

    CHECK = "check"
    COMPILE = "compile"
    DOORS = "doors"
    HOME = "home"
    IMAGE = "image"
    INDEX = "index"
    INIT = "init"
    PLATFORM = "platform"


# our words, what mkdtemp adds, and nothing else: a folder that a person called tagline-… is not ours
_OURS = re.compile(rf"tagline-({'|'.join(Kind)})-[a-z0-9_]{{8}}")


@contextmanager
def folder(kind: Kind) -> Iterator[Path]:
    """A new folder that nobody else may enter, held by this process while inside: no sweep takes it."""
    with tempfile.TemporaryDirectory(prefix=f"tagline-{kind}-", ignore_cleanup_errors=True) as made:
        descriptor = _opened(Path(made))
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield Path(made)
        finally:
            os.close(descriptor)


def sweep(now: float) -> None:
    """Remove this user's folders of ours that nobody holds and that are a day old at `now` (seconds since 1970)."""
    for entry in os.scandir(tempfile.gettempdir()):
        if _OURS.fullmatch(entry.name):
            _remove_left(Path(entry.path), now)


def _remove_left(left: Path, now: float) -> None:
    try:
        descriptor = _opened(left)
    except OSError:  # a link, a file, another's, or gone meanwhile
        return
    try:
        if _is_left(os.fstat(descriptor), now):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left, ignore_errors=True)
    except BlockingIOError:
        return  # its process lives
    finally:
        os.close(descriptor)


def _opened(place: Path) -> int:
    return os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)


def _is_left(found: os.stat_result, now: float) -> bool:
    """Whether it is as mkdtemp makes it, this user's own, and a day old."""
    private = stat.S_IMODE(found.st_mode) == stat.S_IRWXU
    return private and found.st_uid == os.getuid() and now - found.st_mtime >= OLD
