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
_PART = 1 << 16


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
    return _mask(text, _words(hidden))


def _words(hidden: Iterable[str]) -> list[bytes]:
    """What must not be seen of the values, longest first."""
    lines: set[str] = set()
    for value in hidden:
        lines |= {value.strip(), *(line.strip() for line in value.splitlines() if len(line.strip()) >= 4)}
    return sorted((os.fsencode(line) for line in lines - {""}), key=len, reverse=True)


def _mask(text: bytes, words: list[bytes]) -> bytes:
    for word in words:
        text = text.replace(word, MASK)
    return text


@contextmanager
def masked_log(log: Path, hidden: Iterable[str]) -> Iterator[Path]:
    """A path to write a log to: what arrives lands in `log` without the hidden values.

    All of it is in `log` at the end, unless a process outside the command still holds the path after 10 s.
    """
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
        words, held = _words(values), b""
        while part := os.read(source.fileno(), _PART):
            text = held + part
            end = _settled(text, words)
            target.write(_mask(text[:end], words))
            target.flush()
            held = text[end:]
        target.write(_mask(held, words))


def _settled(text: bytes, words: list[bytes]) -> int:
    """Where to cut the text so that no word is cut, whatever follows."""
    sizes = range(min(len(text), max(map(len, words), default=1) - 1), 0, -1)
    begun = next((size for size in sizes if any(word.startswith(text[-size:]) for word in words)), 0)
    end = len(text) - begun
    while starts := [at for word in words if (at := text.find(word, *_across(end, len(word)))) >= 0]:
        end = min(starts)
    return end


def _across(end: int, size: int) -> tuple[int, int]:
    """Where a word of that size lies if `end` cuts it."""
    return max(0, end - size + 1), end + size - 1
