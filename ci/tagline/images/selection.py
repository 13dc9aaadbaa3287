"""Which files of a tree the patterns of a Dockerfile may take, with what links among them lead to."""

import os
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from glob import escape
from pathlib import Path

_MOST_LINKS = 40  # as the kernel follows


def selected(tree: Path, names: Sequence[Path], patterns: Iterable[str]) -> list[Path]:
    """The `names` (relative paths) that a pattern names, or a folder above them; a link brings what it leads to.

    A pattern with more than `*` and `?`, and one with `..` in it, takes all.
    """
    asked = [pattern.strip("/") for pattern in patterns]
    if any(_everything(pattern) for pattern in asked):
        return list(names)
    wanted = [_parts(pattern) for pattern in asked]
    links = {name for name in names if (tree / name).is_symlink()}
    seen, chosen = set(wanted), set[Path]()
    while wanted:
        parts = wanted.pop()
        found = {name for name in names if _names(parts, name.parts, through=name in links)}
        chosen |= found
        for name in found & links:
            *steps, end = _met(tree, name)
            chosen |= set(steps)
            more = (*(escape(part) for part in end.parts), *parts[len(name.parts) :])
            if not more:
                return list(names)
            wanted += [] if more in seen else [more]
            seen.add(more)
    return [name for name in names if name in chosen]


def _everything(pattern: str) -> bool:
    parts = pattern.split("/")
    return not _parts(pattern) or ".." in parts or any(mark in pattern for mark in ("**", "[", "\\"))


def _parts(pattern: str) -> tuple[str, ...]:
    return tuple(part for part in pattern.split("/") if part not in {"", "."})


def _names(pattern: tuple[str, ...], path: tuple[str, ...], *, through: bool) -> bool:
    """Whether a pattern names a path or a folder above it; with `through` also a path below it."""
    fits = all(fnmatchcase(part, each) for part, each in zip(path, pattern, strict=False))
    return fits and (through or len(pattern) <= len(path))


def _met(tree: Path, link: Path) -> list[Path]:
    """The links of the tree that lead on from a link, and what the last one names; all relative to the tree."""
    top = Path(os.path.realpath(tree))
    return [place.relative_to(top) for place in _places(top / link) if place.is_relative_to(top)]


def _places(path: Path) -> list[Path]:
    """Every link on the way from a path to what it names, then that itself, as the kernel meets them."""
    met: list[Path] = []
    here, left = Path("/"), list(path.parts)
    while left:
        step = Path(os.path.normpath(here / left.pop(0)))
        if step.is_symlink() and len(met) < _MOST_LINKS:
            met.append(step)
            left = [*step.readlink().parts, *left]
        else:
            here = step
    return [*met, here]
