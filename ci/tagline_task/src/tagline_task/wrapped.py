"""Words that lie broken over lines, as base64 is wrapped at 76 or 64 columns: where they are in a text."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import accumulate
from typing import Any, AnyStr, Generic

# the end of a line, also as JSON and `repr` write it, and the next line's indentation
_BREAK = re.compile(r"(?:[\r\n]|\\[rn])[ \t]*")
_BREAK_BYTES = re.compile(rb"(?:[\r\n]|\\[rn])[ \t]*")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]*")
_BASE64_BYTES = re.compile(rb"[A-Za-z0-9+/_-]*")


class Joined(Generic[AnyStr]):
    """A text with its line breaks taken out; `place` says where a character of it was before."""

    def __init__(self, text: AnyStr) -> None:
        pattern: Any = _BREAK if isinstance(text, str) else _BREAK_BYTES
        self._lines: list[AnyStr] = pattern.split(text)
        self._raw: AnyStr = text
        self._pattern: Any = pattern
        self._starts: list[int] = []
        self._shifts: list[int] = []
        self.breaks = len(self._lines) - 1
        self.text: AnyStr = text[:0].join(self._lines)

    def place(self, at: int) -> int:
        """The place in the text of the character at `at` in the joined one."""
        self._measure()
        return at + self._shifts[bisect_right(self._starts, at) - 1]

    def broken(self, at: int, size: int) -> bool:
        """Whether a line ends between the characters `at` and `at + size - 1`."""
        return self.place(at + size - 1) - self.place(at) >= size

    def _measure(self) -> None:
        if not self._starts:
            self._starts = list(accumulate(map(len, self._lines[:-1]), initial=0))
            widths = (match.end() - match.start() for match in self._pattern.finditer(self._raw))
            self._shifts = list(accumulate(widths, initial=0))


def wraps(found: Sequence[AnyStr]) -> list[AnyStr]:
    """Those of the words that may be broken over lines: of base64's characters alone."""
    return [word for word in found if _is_base64(word)]


@lru_cache(maxsize=1 << 14)
def _is_base64(word: Any) -> bool:
    pattern: Any = _BASE64 if isinstance(word, str) else _BASE64_BYTES
    return pattern.fullmatch(word) is not None


def spans(text: AnyStr, found: Sequence[AnyStr]) -> list[tuple[int, int]]:
    """Begin and end of each word in the text that is broken over lines, joined where they overlap.

    The words are such as may be broken.
    """
    lines = Joined(text)
    if not lines.breaks:
        return []
    merged: list[tuple[int, int]] = []
    for begin, end in sorted(_spans(lines, found)):
        if merged and begin < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((begin, end))
    return merged


def _spans(lines: Joined[AnyStr], found: Sequence[AnyStr]) -> Iterator[tuple[int, int]]:
    for word in found:
        at = lines.text.find(word)
        while at >= 0:
            if lines.broken(at, len(word)):
                yield lines.place(at), lines.place(at + len(word) - 1) + 1
            at = lines.text.find(word, at + 1)


def _breaks_inside(text: AnyStr) -> bool:
    """Whether more than the text's last line ends in it."""
    pattern: Any = _BREAK if isinstance(text, str) else _BREAK_BYTES
    return pattern.search(text.strip()) is not None


def replace(text: AnyStr, found: Sequence[AnyStr], mask: AnyStr) -> AnyStr:
    """The text with each word that is broken over lines replaced, the line breaks inside it too."""
    if not _breaks_inside(text):
        return text
    at = 0
    parts: list[AnyStr] = []
    for begin, end in spans(text, wraps(found)):
        parts.append(text[at:begin])
        parts.append(mask)
        at = end
    parts.append(text[at:])
    return text[:0].join(parts)
