"""A Dockerfile's instructions as BuildKit reads them: lines joined, comments and heredocs' contents left out."""

import json
import re
from collections.abc import Iterator

import msgspec

from tagline.errors import ImageRefused
from tagline.images import directives, heredocs
from tagline.images.shell_words import SPACES

BLANKS = re.compile(r"[\t\v\f\r ]+")
_ASCII_SPACES = "\t\n\v\f\r "
_TAKES_HEREDOCS = {"RUN", "COPY", "ADD"}


class Instruction(msgspec.Struct, frozen=True):
    """One instruction: its word in capitals, its flags, the rest, and the line where it begins (from 1).

    With `later` it is one that ONBUILD holds back until another stage or image starts from this one.
    """

    word: str
    flags: tuple[str, ...]
    rest: str
    line: int
    later: bool = False

    @property
    def listed(self) -> list[str] | None:
        """The rest where it is a JSON list.

        Raises `ImageRefused` where that holds more than strings, and where a version of BuildKit would overlook
        what follows it.
        """
        if not self.rest.startswith("["):
            return None
        try:
            found, end = json.JSONDecoder().raw_decode(self.rest)
        except ValueError:
            return None  # the shell form then
        except RecursionError:
            raise self.refused("it nests too deep", "write a list of strings") from None
        if end < len(self.rest):
            if self.word == "RUN" and "<<" not in self.rest:
                return None  # a test of the shell: [ "$X" ] && …
            raise self.refused("something follows its list", "end the line with the list")
        if not all(isinstance(each, str) for each in found):
            raise self.refused("its list holds more than strings", "write a list of strings")
        return list(found)

    def words(self) -> list[str]:
        """The rest as a list, in JSON form or between blanks."""
        listed = self.listed
        return [word for word in BLANKS.split(self.rest) if word] if listed is None else listed

    def flag(self, name: str) -> list[str]:
        """The values of one flag."""
        return [flag.partition("=")[2] for flag in self.flags if flag.partition("=")[0] == f"--{name}"]

    def refused(self, what: str, fix: str) -> ImageRefused:
        """The error that names this instruction's line."""
        return ImageRefused(f"{self.word}: {what}", where=f"line {self.line} of the Dockerfile", fix=fix)


def instructions(text: str) -> list[Instruction]:
    """The instructions in order.

    Raises `ImageRefused` for a heredoc that nothing ends, a directive that BuildKit refuses, and for what it would
    read in two ways.
    """
    return list(_instructions(lines_of(text)))


def lines_of(text: str) -> list[str]:
    """The lines as BuildKit counts them: only a line feed ends one; its byte order mark is gone."""
    lines = text.removeprefix("\ufeff").split("\n")
    return lines if lines[-1] else lines[:-1]


def _instructions(lines: list[str]) -> Iterator[Instruction]:
    escape = directives.escape(lines)
    ends = _continued(escape)
    at = 0
    while at < len(lines):
        start = at
        whole, more = _cut(_plain(lines[at].lstrip(SPACES)), ends)
        at += 1
        if not more and not whole:
            continue
        while more and at < len(lines):
            line = _plain(lines[at])
            at += 1
            if line.strip(SPACES):
                part, more = _cut(line, ends)
                whole += part
        one = _instruction(whole, start + 1, escape)
        if one.word in _TAKES_HEREDOCS and one.listed is None:
            at += heredocs.taken(whole, lines[at:], start + 1)
        yield one


def _plain(line: str) -> str:
    """A line without its end; nothing of a comment."""
    return "" if line.lstrip(SPACES).startswith("#") else line.rstrip("\r\n")


def _continued(escape: str) -> re.Pattern[str]:
    token = re.escape(escape)
    return re.compile(rf"([^{token}]){token}[ \t]*\Z|\A{token}[ \t]*\Z")


def _cut(line: str, ends: re.Pattern[str]) -> tuple[str, bool]:
    """A line without the character that continues it, and whether there is one."""
    if match := ends.search(line):
        return line[: match.start()] + (match[1] or ""), True
    return line, False


def _instruction(text: str, line: int, escape: str, later: bool = False) -> Instruction:
    word, *rest = BLANKS.split(text.strip(SPACES), maxsplit=1)
    word = word.upper() if word.isascii() else word
    flags, left = _flags(rest[0] if rest else "", line, escape)
    if word == "ONBUILD" and left:
        return _instruction(left, line, escape, later=True)
    return Instruction(word, tuple(flags), left.strip(SPACES), line, later)


def _flags(rest: str, line: int, escape: str) -> tuple[list[str], str]:
    """The flags before the rest, without their quotes and escapes."""
    flags: list[str] = []
    at = 0
    while True:
        at += len(rest[at:]) - len(rest[at:].lstrip(_ASCII_SPACES))
        if not rest.startswith("--", at):
            return flags, rest[at:]
        begun = at
        flag, quoted, at = _flag(rest, at, escape)
        if not flag.isascii() or (escape != "\\" and re.search(r"[\\`]", rest[begun:at])):
            raise ImageRefused(
                f"versions of BuildKit read the flag {rest[begun:at]!a} in two ways",
                where=f"line {line} of the Dockerfile",
                fix="use only ASCII in flags, and no \\ or ` beside # escape=`",
            )
        if flag == "--" and at < len(rest):
            return flags, rest[at:]
        flags += [flag] if flag != "--" and (quoted or flag) else []


def _flag(rest: str, at: int, escape: str) -> tuple[str, bool, int]:
    """One flag from `at` on, whether something in it was quoted, and where it ends."""
    flag, quote, quoted = "", "", False
    while at < len(rest):
        char = rest[at]
        if not quote and char in _ASCII_SPACES:
            break
        if char == quote:
            quote = ""
        elif not quote and char in "'\"":
            quote, quoted = char, True
        elif char == escape:
            at += 1
            flag += rest[at : at + 1]
        else:
            flag += char
        at += 1
    return flag, quoted, at
