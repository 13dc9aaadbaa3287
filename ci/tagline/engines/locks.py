"""Locked requirements: every line pinned with a hash, and how several such files become one."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from tagline import foreign
from tagline.errors import LockMissing

LOCK_COMMAND = "uv pip compile --generate-hashes src/requirements.in -o src/requirements.txt"
LARGEST = 16 * 2**20
_PINNED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(\[[^]]*\])?\s*(===?\s*[^\s;*,]+|@\s*\S+)\s*(;.*)?")
_NAMED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^]]*\])?\s*(?:(?:[=<>!~]=|[<>;@]).*)?")
_OPTION = re.compile(
    r"--(index-url|extra-index-url|find-links|trusted-host|only-binary|no-binary|prefer-binary|pre)\b"
)


class Pin(msgspec.Struct, frozen=True):
    """One locked requirement: the project's normal name, what is pinned, and the line as pip reads it."""

    name: str
    version: str
    line: str


class Lock(msgspec.Struct, frozen=True):
    """A requirements file of pins; `options` are pip's own lines, such as --extra-index-url."""

    pins: list[Pin] = []
    options: list[str] = []

    @property
    def names(self) -> set[str]:
        return {pin.name for pin in self.pins}

    @property
    def text(self) -> str:
        return "\n".join([*self.options, *(pin.line for pin in self.pins), ""])

    def beside(self, other: "Lock") -> "Lock":
        """This lock and those pins of `other` which this one lacks."""
        extra = [pin for pin in other.pins if pin.name not in self.names]
        return Lock([*self.pins, *extra], [*self.options, *other.options])


def normal_name(name: str) -> str:
    """A package's name as indexes compare it (PEP 503): `Foo.Bar_baz` is `foo-bar-baz`."""
    return re.sub(r"[-_.]+", "-", name).lower()


def lock_of(tree: Path, name: str) -> Lock:
    """The lock in a file of a source tree, an empty one where there is none.

    Raises `LockMissing` as `read_lock` does, and where the file leads out of the tree or cannot be read.
    """
    file = tree / name
    if not os.path.lexists(file):
        return Lock()
    try:
        text = foreign.read_inside(file, tree, LARGEST).decode()
    except (OSError, ValueError) as error:
        problem = "it is not UTF-8" if isinstance(error, UnicodeError) else getattr(error, "strerror", error)
        fix = f"a file of your own, made with: pip install uv && {LOCK_COMMAND}"
        raise LockMissing(f"{name} cannot be read: {problem}", where=name, fix=fix) from None
    return read_lock(text, name)


def read_lock(text: str, where: str) -> Lock:
    """Read a requirements file; raises `LockMissing` at the first line that is not pinned with a hash."""
    pins: list[Pin] = []
    options: list[str] = []
    for number, line in _logical_lines(text):
        if _OPTION.match(line):
            options.append(line)
            continue
        pins.append(_pin(line, f"{where}:{number}"))
    return Lock(pins, options)


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Lines as pip sees them, continued ones joined, with the number of their first; no comments."""
    held, start = "", 0
    for number, raw in enumerate(text.splitlines(), 1):
        if raw.lstrip().startswith("#"):
            continue
        line = re.sub(r"(^|\s)#.*$", "", raw).rstrip()
        start = start if held else number
        if line.endswith("\\"):
            held += line[:-1].strip() + " "
            continue
        whole = (held + line.strip()).strip()
        held = ""
        if whole:
            yield start, whole
    if held.strip():
        yield start, held.strip()


def _pin(line: str, where: str) -> Pin:
    requirement = re.split(r"\s--", line, maxsplit=1)[0].strip()
    match = _PINNED.fullmatch(requirement)
    if match and "--hash=" in line:
        return Pin(normal_name(match[1]), match[3].lstrip("=@ "), line)
    lack = "hash" if match else "pinned version"
    named = _NAMED.fullmatch(requirement)  # a line that is none may be anything, also a credential
    raise LockMissing(
        f"{repr(named[1]) if named else 'a line'} is not locked: it has no {lack}",
        where=where,
        fix=f"name what you need in src/requirements.in, then: pip install uv && {LOCK_COMMAND}",
    )
