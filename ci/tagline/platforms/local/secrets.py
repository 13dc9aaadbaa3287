"""Secrets on one machine: from the environment of the command into one task, and never into a log."""

import os
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from tagline.errors import SecretMissing
from tagline.platforms.local.spec import SecretUse

PREFIX = "TAGLINE_SECRET_"
MASK = b"***"
_LINE_LIMIT = 1 << 16


def variable(secret: str, key: str) -> str:
    """The variable that holds a secret's key here: `TAGLINE_SECRET_<SECRET>_<KEY>`."""
    return PREFIX + re.sub(r"[^A-Z0-9]", "_", f"{secret}_{key}".upper())


def resolve(uses: Iterable[SecretUse], environ: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The secret values of each task, by variable; raises `SecretMissing` that names what to set."""
    found: dict[str, dict[str, str]] = {}
    for use in uses:
        ours = variable(use.secret, use.key)
        value = environ.get(ours) or environ.get(use.variable)
        if value is not None:
            found.setdefault(use.task, {})[use.variable] = value
        elif not use.optional:
            raise SecretMissing(
                f"task {use.task!r} needs key {use.key!r} of secret {use.secret!r}, which is not set here",
                fix=f"set {ours} (or {use.variable}) in the environment of this command",
            )
    return found


def mask(text: bytes, hidden: Iterable[str]) -> bytes:
    """`text` with every hidden value, and every line of 4 characters or more of one, replaced by ***."""
    lines: set[str] = set()
    for value in hidden:
        lines |= {value.strip(), *(line.strip() for line in value.splitlines() if len(line.strip()) >= 4)}
    for line in sorted(lines - {""}, key=len, reverse=True):
        text = text.replace(line.encode(), MASK)
    return text


@contextmanager
def masked_log(log: Path, hidden: Iterable[str]) -> Iterator[Path]:
    """A path to write a log to: what arrives lands in `log`, line by line, without the hidden values."""
    values = sorted(hidden)
    if not values:
        yield log
        return
    reading, writing = os.pipe()
    source = os.fdopen(reading, "rb")
    copier = threading.Thread(target=_copy, args=(source, log, values), daemon=True)
    copier.start()
    try:
        yield Path(f"/proc/self/fd/{writing}")
    finally:
        os.close(writing)
        copier.join(timeout=10)


def _copy(source: BinaryIO, log: Path, values: list[str]) -> None:
    with source, log.open("ab") as target:
        while line := source.readline(_LINE_LIMIT):
            target.write(mask(line, values))
            target.flush()
