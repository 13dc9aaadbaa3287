"""A Dockerfile's first lines that say how it is read: its frontend and its escape character, as BuildKit takes them."""

import json
import re
from collections.abc import Iterator

from tagline.errors import ImageRefused
from tagline.images.shell_words import SPACES

_KNOWN = {"syntax", "escape", "check"}
_BLANK = r"[\t\n\f\r ]*"
_DIRECTIVE = re.compile(rf"([a-zA-Z][a-zA-Z0-9]*){_BLANK}={_BLANK}(.+?){_BLANK}")
_ESCAPES = ("\\", "`")


def escape(lines: list[str]) -> str:
    """The character that continues a line.

    Raises `ImageRefused` for a directive that BuildKit refuses, and for one that its versions read in two ways.
    """
    found = list(_directives([line.lstrip(SPACES) for line in lines], "#"))
    names = [name for name, _, _ in found]
    for at, (name, value, line) in enumerate(found):
        where = f"line {line} of the Dockerfile"
        if name in names[:at]:
            raise ImageRefused(f"there are two directives {name}", where=where, fix="keep one of them")
        if name == "escape" and value not in _ESCAPES:
            raise ImageRefused(
                f"the directive escape is {value!r}, neither \\ nor `", where=where, fix="# escape=`"
            )
        if name == "escape" and value != "\\" and ("check" in names[:at] or not lines[line - 1].isascii()):
            raise ImageRefused(
                "some versions of BuildKit overlook the directive escape here",
                where=where,
                fix="write # escape=` in the first line",
            )
    return next((value for name, value, _ in found if name == "escape"), "\\")


def frontend(text: str) -> tuple[str, int] | None:
    """The image that reads the file instead of BuildKit's own parser, and the line that names it (from 1)."""
    lines = text.removeprefix("\ufeff").split("\n")
    skipped = 1 if lines[0].startswith("#!") else 0
    for comment in ("#", "//"):
        for name, value, line in _directives(lines[skipped:], comment):
            if name == "syntax":
                return value.partition(" ")[0], line + skipped
    named = _json("\n".join(lines[skipped:]))
    return (named, 1 + skipped) if named else None


def _json(text: str) -> str:
    if not text.lstrip().startswith("{"):
        return ""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return ""
    named = found.get("syntax")
    return named if isinstance(named, str) else ""


def _directives(lines: list[str], comment: str) -> Iterator[tuple[str, str, int]]:
    """Names, values and lines, up to the first line that is none."""
    for number, line in enumerate(lines, 1):
        match = _DIRECTIVE.fullmatch(line.removeprefix(comment).lstrip(SPACES))
        if not line.startswith(comment) or not match or match[1].lower() not in _KNOWN:
            return
        yield match[1].lower(), match[2], number
