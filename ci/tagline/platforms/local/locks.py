"""File locks that die with their holder, whatever ends it."""

import fcntl
import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tagline.errors import PlatformUnavailable

STEP = 0.1


def lock_file(home: Path, kind: str, name: str) -> Path:
    """The lock's file: names of any length and letters, one file each."""
    folder = home / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{kind}-{hashlib.sha256(name.encode()).hexdigest()[:32]}.lock"


@contextmanager
def try_lock(file: Path) -> Iterator[IO[str] | None]:
    """Hold the lock while inside and give its open file, or None where another process holds it."""
    with file.open("a") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        yield handle


@contextmanager
def held(file: Path, timeout: float) -> Iterator[None]:
    """Hold the lock, waiting up to `timeout` seconds; raises `PlatformUnavailable` after that."""
    deadline = time.monotonic() + timeout
    while True:
        with try_lock(file) as handle:
            if handle:
                yield
                return
        if time.monotonic() > deadline:
            raise PlatformUnavailable(
                f"another process held this for {timeout:g} s", where=str(file), fix="repeat"
            )
        time.sleep(STEP)
