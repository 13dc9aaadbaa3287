"""Reads a file that strangers may have written: no link is followed, no pipe waited for, no size trusted."""

import os
import stat
from pathlib import Path


def read(file: Path, limit: int) -> bytes:
    """The content of a plain file, at most `limit` bytes.

    Raises `OSError` where it cannot be read, `ValueError` where it is no plain file or larger.
    """
    opened = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            raise ValueError("it is no plain file")
        with os.fdopen(opened, "rb", closefd=False) as stream:
            content = stream.read(limit + 1)
    finally:
        os.close(opened)
    if len(content) > limit:
        raise ValueError(f"it is larger than {limit / 2**20:g} MiB")
    return content
