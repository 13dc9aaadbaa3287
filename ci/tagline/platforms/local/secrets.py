"""Secrets on one machine: from where the machine has them into one task, and never into a log."""

import os
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from tagline_task import masking
from tagline_task.connectors.settings import PLAIN

from tagline import foreign
from tagline.errors import SecretMissing
from tagline.platforms.local.spec import SecretUse
from tagline.secrets.sources import Source

PREFIX = "TAGLINE_SECRET_"
_PART = 1 << 16


def variable(secret: str, key: str) -> str:
    """The variable that holds a secret's key here: `TAGLINE_SECRET_<SECRET>_<KEY>`."""
    return PREFIX + re.sub(r"[^A-Z0-9]", "_", f"{secret}_{key}".upper())


def resolve(uses: Iterable[SecretUse], source: Source) -> dict[str, dict[str, str]]:
    """The secret values of each task, by variable; raises `SecretMissing` that names what to set."""
    found: dict[str, dict[str, str]] = {}
    for use in uses:
        ours = variable(use.secret, use.key)
        value = source.get(ours) or source.get(use.variable)
        if value is not None:
            found.setdefault(use.task, {})[use.variable] = value
        elif not use.optional:
            raise SecretMissing(
                f"task {use.task!r} needs key {use.key!r} of secret {use.secret!r}, which is not set here",
                fix=f"set {ours} (or {use.variable}) in the environment of this command, or in .env",
            )
    return found


def values(given: Mapping[str, Mapping[str, str]]) -> list[str]:
    """The values, of all tasks, that no output may show: not those that only say where Vault is."""
    found = {value for each in given.values() for name, value in each.items() if name not in PLAIN}
    return sorted(found)


@contextmanager
def masked_log(log: BinaryIO, hidden: Iterable[str]) -> Iterator[Path]:
    """A path to write a log to: what arrives lands in `log` without the hidden values, however encoded.

    The path is a descriptor of this process, `log`'s own where there is nothing to hide. All of it is in `log`
    at the end, unless a process outside the command still holds the path after 10 s.
    """
    words = masking.in_bytes(masking.words(hidden))
    if not words:
        yield foreign.named(log)
        return
    reading, writing = os.pipe()
    source = os.fdopen(reading, "rb")
    target = os.fdopen(os.dup(log.fileno()), "ab")
    copier = threading.Thread(target=_copy, args=(source, target, words), daemon=True)
    copier.start()
    try:
        yield Path(f"/proc/self/fd/{writing}")
    finally:
        os.close(writing)
        copier.join(timeout=10)


def _copy(source: BinaryIO, target: BinaryIO, words: list[bytes]) -> None:
    with source, target:
        cutter = masking.Cutter(words, masking.MASK.encode())
        while part := os.read(source.fileno(), _PART):
            target.write(cutter.feed(part))
            target.flush()
        target.write(cutter.end())
