"""Logs of long-lived processes: their last lines, and a bound on their size."""

import shutil
from pathlib import Path

LIMIT = 5 * 1024 * 1024


def tail(path: Path, lines: int = 20) -> str:
    """The last lines of a log; empty where there is none."""
    try:
        with open(path, "rb") as file:
            file.seek(max(0, path.stat().st_size - 64 * 1024))
            text = file.read().decode(errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def bound(folder: Path, limit: int = LIMIT) -> None:
    """Keep each log and one older copy under `limit` bytes.

    Copy and truncate: the writers hold the file open, and append.
    """
    for path in folder.glob("*.log"):
        if path.stat().st_size > limit:
            shutil.copyfile(path, path.with_suffix(".log.1"))
            with open(path, "r+b") as file:
                file.truncate(0)
