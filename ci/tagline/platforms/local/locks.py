"""File locks that die with their holder, whatever ends it; the file goes with the lock."""

import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tagline.errors import PlatformUnavailable
from tagline.platforms.local.serving import files

STEP = 0.1


def lock_file(home: Path, kind: str, name: str) -> Path:
    """The lock's file: names of any length and letters, one file each."""
    folder = home / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{kind}-{hashlib.sha256(name.encode()).hexdigest()[:32]}.lock"


@contextmanager
def try_lock(file: Path) -> Iterator[IO[str] | None]:
    """Hold the lock while inside and give its open file, or None where another process holds it.

    The file is removed with the lock: whoever waits for it sees that another one lies there, or none.
    """
    while True:
        with file.open("a") as handle:
            if not files.flock(handle.fileno()):
                yield None
                return
            if not files.lies_at(file, handle.fileno()):
                continue
            try:
                yield handle
            finally:
                file.unlink(missing_ok=True)
            return


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
