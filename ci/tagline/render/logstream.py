"""A stream into GitHub's log in which text of a repository cannot give the runner commands.

The runner reads `::name …::` at the start of a line, behind blanks too, and `##[name …]` anywhere.
"""

import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

_AT_START = re.compile(r"((?:^|[\r\n])\s*:):")
_LATER = re.compile(r"([\r\n]\s*:):")
_BEGUN = re.compile(r"\s*:?")  # a line that may still become a command
_ENDS = re.compile(r"[\r\n]")


class Harmless:
    """Writes like the stream it stands before; what would be a command is set apart: `: :`, `## [`."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._tail, self._begun = "", True  # the end of what was written, as far as a command may begin there

    def write(self, text: str) -> int:
        """Write the text; a command that comes in two pieces is set apart too."""
        pattern = _AT_START if self._begun else _LATER
        mended = pattern.sub(r"\1 :", self._tail + text).replace("##[", "## [")
        self._stream.write(mended[len(self._tail) :])
        line = _ENDS.split(mended)[-1]
        whole = self._begun or len(line) < len(mended)
        self._begun = whole and _BEGUN.fullmatch(line) is not None
        self._tail = line if self._begun else line[-2:]
        return len(text)

    def commands(self, lines: Iterable[str]) -> None:
        """Write commands of our own, each on a line of its own."""
        for line in lines:
            self._stream.write(f"{line}\n" if self._begun and not self._tail else f"\n{line}\n")
            self._tail, self._begun = "", True
        self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        if name in {"buffer", "detach"}:  # the ways past the guard
            raise AttributeError(name)
        return getattr(self._stream, name)


@contextmanager
def harmless() -> Iterator[None]:
    """Everything that is printed in the block goes through the guard."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = Harmless(sys.stdout), Harmless(sys.stderr)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
