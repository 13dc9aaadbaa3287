"""The heredocs that a Dockerfile's instruction opens, and the lines that they take, as BuildKit finds them."""

import re
from collections.abc import Sequence

import msgspec

from tagline.errors import ImageRefused
from tagline.images.shell_words import DIALECTS, Dialect, LexError, words

_WORD = re.compile(r"([0-9]*)<<(-?)([^<]*)", re.DOTALL)
_SPACED_WORD = re.compile(r"([0-9]*)<<(-?)[\t\n\f\r ]*([^<]*)", re.DOTALL)


class Heredoc(msgspec.Struct, frozen=True):
    """One heredoc: the line that ends it, and whether tabs before that are ignored."""

    name: str
    chomp: bool

    def ended_by(self, line: str) -> bool:
        line = line.rstrip("\r\n")
        return (line.lstrip("\t") if self.chomp else line) == self.name


def taken(text: str, following: Sequence[str], line: int) -> int:
    """How many of the `following` lines are the contents of the heredocs that an instruction's `text` opens.

    `line` is where it begins, for the errors. Raises `ImageRefused` for a heredoc that nothing ends, and where one
    version of BuildKit would take other lines than another.
    """
    if "<<" not in text:
        return 0
    found = {
        _length(each, following) for each in {_readings(text, one) for one in DIALECTS} if each is not None
    }
    lengths = found - {None}
    if not lengths:
        raise ImageRefused(
            "no line ends its heredoc",
            where=f"line {line} of the Dockerfile",
            fix="write the name after << alone on a line, or quote what is no heredoc",
        )
    if len(lengths) > 1:
        raise ImageRefused(
            "it opens a heredoc for some versions of BuildKit, and none or another one for others",
            where=f"line {line} of the Dockerfile",
            fix="write <<NAME without a space, and quote other <<",
        )
    return lengths.pop() or 0


def opens(word: str) -> bool:
    """Whether a source of COPY or ADD is text in place."""
    match = _WORD.fullmatch(word)
    return match is not None and bool(match[3])


def _length(heredocs: tuple[Heredoc, ...], following: Sequence[str]) -> int | None:
    at = 0
    for one in heredocs:
        end = next((number for number in range(at, len(following)) if one.ended_by(following[number])), None)
        if end is None:
            return None
        at = end + 1
    return at


def _readings(text: str, dialect: Dialect) -> tuple[Heredoc, ...] | None:
    """The heredocs of a line; None where that BuildKit would refuse it."""
    try:
        found = words(text, dialect, quotes=True, escapes=True)
    except LexError:
        return ()  # BuildKit goes on without heredocs
    except RecursionError:
        return None
    try:
        heredocs = [_heredoc(word, dialect) for word in found]
    except (LexError, RecursionError):
        return None
    return tuple(one for one in heredocs if one is not None)


def _heredoc(word: str, dialect: Dialect) -> Heredoc | None:
    match = (_SPACED_WORD if dialect.spaced else _WORD).fullmatch(word)
    if match is None or not match[3]:
        return None
    names = words(match[3], dialect, quotes=False, escapes=False)
    if len(names) != 1:
        return None
    if len(words(match[3], dialect, quotes=True, escapes=False)) != 1:
        raise LexError("not one word with its quotes")
    return Heredoc(names[0], match[2] == "-")
