"""`tagline init --update`: a later template comes into an edited project, and no line of it is lost."""

import os
import shutil
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import msgspec
import semver

import tagline
from tagline import temporary
from tagline.errors import RepositoryError, TemplateUnknown
from tagline.flow.desk import create, origin
from tagline.flow.desk.origin import Origin
from tagline.git import process
from tagline.git.repo import Repo

BESIDE = ".from-template"


class Fate(StrEnum):
    """What becomes of one file of the template."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"
    CONFLICT = "conflict"
    KEPT = "left alone"


class Told(msgspec.Struct, frozen=True):
    """One file: its path, its fate, and why where that is not plain."""

    file: str
    fate: Fate
    why: str = ""


class Updated(msgspec.Struct, frozen=True):
    """What an update did, by file; `later` is false where the template has nothing newer."""

    later: bool
    files: list[Told]

    def conflicts(self) -> list[str]:
        """The files that a person must mend."""
        return [told.file for told in self.files if told.fate is Fate.CONFLICT]


class _Step(msgspec.Struct, frozen=True):
    told: Told
    write: bytes | None = None
    name: str = ""


def is_later(folder: Path) -> bool:
    """Whether this tagline's template, with the project's answers, is another than the project came from.

    Raises `TemplateUnknown` where the project has no record, or a later tagline wrote it.
    """
    known = origin.read(folder)
    _require_no_later(known, folder)
    with temporary.folder(temporary.Kind.INIT) as made:
        return _render(made / "project", known, {}).files != known.files


def update(folder: Path, answers: Mapping[str, str | bool]) -> Updated:
    """Merge the template of this tagline into the project in `folder`, file by file, three ways.

    `answers` are changed ones; the others are those given before. The old side is the recorded rendering, so
    nothing is fetched. Raises `DirtyTree`, `TemplateUnknown`, and what `create` raises of answers.
    """
    folder = folder.resolve()
    Repo.open(folder).require_clean()
    known = origin.read(folder)
    _require_no_later(known, folder)
    with temporary.folder(temporary.Kind.INIT) as scratch:
        made = scratch / "project"
        new = _render(made, known, answers)
        if new.files == known.files and new.answers == known.answers:
            return Updated(False, [])
        steps = [_step(name, known, new, folder) for name in sorted({*known.files, *new.files})]
        for step in steps:
            _act(step, folder, made)
    (folder / origin.FILE).write_text(origin.text(new))
    return Updated(True, [step.told for step in steps])


def _require_no_later(known: Origin, folder: Path) -> None:
    try:
        later = semver.Version.parse(known.version) > semver.Version.parse(tagline.__version__)
    except ValueError as error:
        raise TemplateUnknown(
            f"the record names no version: {error}", where=str(folder / origin.FILE)
        ) from error
    if later:
        raise TemplateUnknown(
            f"the project has the template of tagline {known.version}, and this is {tagline.__version__}",
            where=str(folder / origin.FILE),
            fix=f"install tagline {known.version} or later",
        )


def _render(made: Path, known: Origin, answers: Mapping[str, str | bool]) -> Origin:
    told = {**known.answers, **answers}
    create.check_answers(told, True)
    return origin.of(made, create.render(create.template(), made, told, str(told["name"]), True))


def _step(name: str, known: Origin, new: Origin, folder: Path) -> _Step:
    """What to do about one file: decided here, done elsewhere."""
    old, ours = known.files.get(name), new.files.get(name)
    file = folder / name
    if old == ours:
        return _Step(Told(name, Fate.KEPT))
    if _is_link(file, folder) or file.is_dir():
        return _odd(name, ours, file, folder)
    theirs = file.read_bytes() if file.is_file() else None
    return _decide(name, old, theirs, ours)


def _decide(name: str, old: bytes | None, theirs: bytes | None, ours: bytes | None) -> _Step:
    """`old` and `ours` are the template's file before and now, `theirs` the project's; None where there is none."""
    if theirs == ours:
        return _Step(Told(name, Fate.KEPT, "as the template has it now"))
    if ours is None:
        same = theirs == old
        why = "" if same else "the template dropped it, the project changed it"
        return _Step(Told(name, Fate.REMOVED if same else Fate.KEPT, why))
    if theirs is None:
        return (
            _Step(Told(name, Fate.ADDED), ours, name)
            if old is None
            else _Step(Told(name, Fate.KEPT, "the project deleted it"))
        )
    if theirs == old:
        return _Step(Told(name, Fate.CHANGED), ours, name)
    merged, clean = _merge(old or b"", theirs, ours)
    if merged is None:
        return _beside(name, ours, "it is no text")
    if clean:
        return _Step(Told(name, Fate.CHANGED, "merged with the project's edits"), merged, name)
    return _Step(Told(name, Fate.CONFLICT, "both sides are in it, marked"), merged, name)


def _odd(name: str, ours: bytes | None, file: Path, folder: Path) -> _Step:
    """A link or a folder stands where the template has a file: neither is written through or over."""
    if ours is None or _is_link(file.parent, folder) or file.is_dir():
        return _Step(
            Told(name, Fate.CONFLICT, "the project has a link or a folder there; nothing was written")
        )
    return _beside(name, ours, "the project has a link there")


def _beside(name: str, ours: bytes, why: str) -> _Step:
    return _Step(Told(name, Fate.CONFLICT, f"{why}; the template's is {name}{BESIDE}"), ours, name + BESIDE)


def _is_link(file: Path, folder: Path) -> bool:
    between = [file, *file.parents]
    return any(each.is_symlink() for each in between[: between.index(folder)])


def _merge(old: bytes, theirs: bytes, ours: bytes) -> tuple[bytes | None, bool]:
    """The three ways in one, and whether no conflict is marked; None for what is no text."""
    with temporary.folder(temporary.Kind.INIT) as scratch:
        sides = {"project": theirs, "before": old, "template": ours}
        for name, data in sides.items():
            (scratch / name).write_bytes(data)
        labels = [word for name in sides for word in ("-L", name)]
        said = process.run(["merge-file", "-p", *labels, *sides], cwd=scratch)
    if any(b"\0" in data for data in sides.values()):
        return None, False
    if not 0 <= said.code < 128:
        raise RepositoryError(f"git merge-file failed: {said.err}", where=str(scratch))
    return said.out, said.code == 0


def _act(step: _Step, folder: Path, made: Path) -> None:
    if step.told.fate is Fate.REMOVED:
        (folder / step.told.file).unlink()
    if step.write is None:
        return
    file = folder / step.name
    is_new = not file.exists()
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f"{file.name}.tagline-part")
    part.write_bytes(step.write)
    shutil.copymode(made / step.told.file if is_new else file, part)
    os.replace(part, file)
