"""Folders for one step of a flow, gone after it; what a killed process left is swept by the next one."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tagline.platforms.local import locks
from tagline.platforms.local.serving import files


@contextmanager
def folder(home: Path) -> Iterator[Path]:
    """A new folder in the home's `work`, so that a tree in it is on the same disk; held while inside."""
    parent = home / "work"
    parent.mkdir(parents=True, exist_ok=True)
    made, descriptor = _made(parent)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
        os.close(descriptor)


def _made(parent: Path) -> tuple[Path, int]:
    """A folder and the descriptor that holds it: again where a sweep was faster than our lock."""
    while True:
        made = Path(tempfile.mkdtemp(dir=parent))
        try:
            descriptor = os.open(made, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            continue
        if files.flock(descriptor) and files.lies_at(made, descriptor):
            return made, descriptor
        os.close(descriptor)


def sweep(home: Path) -> None:
    """Remove the work folders and locks whose processes are gone: the kernel lets go of what a dead one held."""
    for left in _entries(home / "work"):
        if left.is_dir() and not left.is_symlink():
            _remove(left)
    for lock in _entries(home / "locks"):
        with locks.try_lock(lock):
            continue  # whoever holds a lock removes its file


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _remove(left: Path) -> None:
    try:
        descriptor = os.open(left, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return
    try:
        if files.flock(descriptor):
            shutil.rmtree(left, ignore_errors=True)
    finally:
        os.close(descriptor)
