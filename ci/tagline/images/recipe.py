"""All that goes into an image, as one digest, and the folder that holds exactly that and nothing else."""

import hashlib
import os
import platform
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

import msgspec

from tagline import foreign
from tagline.config import Image
from tagline.errors import BaseNotPinned, ImageRefused
from tagline.images import dockerfile
from tagline.images.selection import selected

EPOCH = 315532800  # 1980-01-01: a zip file, and so a wheel, knows no earlier day
TASK_FOLDER = ".tagline/tagline_task"
IGNORE = ".dockerignore"
_PLACE = "/opt/tagline"
_TIMES = 1_200_000_000  # seconds, 38 years: no time lies in the future
TAIL = f"""
# added by tagline: what every task imports
COPY {TASK_FOLDER} {_PLACE}/tagline_task
ENV PYTHONPATH={_PLACE}${{PYTHONPATH:+:$PYTHONPATH}}
"""
_SECRETS = (
    "--mount=type=secret,id=pip.conf,target=/etc/pip.conf,mode=0444 "
    "--mount=type=secret,id=ca.crt,target=/run/secrets/ca.crt,mode=0444"
)


class Entry(msgspec.Struct, frozen=True, order=True):
    """A file that may go in: its path in the context, whether it can be executed, its bytes' SHA-256 (hex).

    Of a link, `link` is the target.
    """

    path: str
    executable: bool
    sha256: str
    link: str = ""

    @property
    def time(self) -> int:
        """The time that the builder sees, seconds since 1970: after EPOCH, to which a reproducible image sets it.

        BuildKit takes a file with the same size and time for the same file, in what it is sent and in what it
        makes a layer of; so the time is another one for other bytes.
        """
        return EPOCH + 1 + int(self.sha256[:15], 16) % _TIMES


class Recipe(msgspec.Struct, frozen=True):
    """Everything that decides what an image is: `text` is the whole Dockerfile, `files` all that it may copy.

    `platform` is the machine's that it is built for, such as `linux/amd64`.
    """

    text: str
    args: dict[str, str]
    files: list[Entry]
    platform: str

    @property
    def content(self) -> str:
        """The content digest: SHA-256 (hex) over this struct as JSON in a fixed order, and EPOCH."""
        parts = {"tagline image": 2, "epoch": EPOCH, "recipe": self}
        return hashlib.sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()

    @property
    def tag(self) -> str:
        """The registry's tag of this content: `content-<64 hex>`."""
        return f"content-{self.content}"


def generated(image: Image) -> str:
    """The Dockerfile of an image that names a base and a requirements file: no Dockerfile is needed.

    It runs as 1000, which is `jovyan` in Kubeflow's notebook images.
    """
    return (
        f"FROM {image.base}\nUSER root\nARG SOURCE_DATE_EPOCH\n"
        f"COPY {image.requirements} {_PLACE}/requirements.txt\n"
        f"RUN {_SECRETS} PYTHONHASHSEED=0 PIP_BREAK_SYSTEM_PACKAGES=1 python3 -m pip install "
        f"--no-cache-dir --require-hashes -r {_PLACE}/requirements.txt\n"
        "USER 1000\nENV PYTHONPATH=/app/src\nCOPY src/ /app/src/\n"
    )


def whole(text: str) -> str:
    """A project's Dockerfile with the lines that put `tagline_task` in."""
    return text.rstrip("\n") + "\n" + TAIL


def recipe(tree: Path, files: Iterable[Path], text: str, args: Mapping[str, str], task: Path) -> Recipe:
    """The recipe of a Dockerfile's text over the tree's `files` (relative paths), and the package `task`.

    Raises `BaseNotPinned`, `ImageRefused`: what a digest cannot hold still, or what leaves the tree.
    """
    _check(text, args)
    patterns = [IGNORE, *dockerfile.copied(text, args)]
    inside = [_entry(tree, name) for name in selected(tree, list(files), patterns)]
    package = [path for path in task.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    ours = [_entry(task, path.relative_to(task), PurePosixPath(TASK_FOLDER)) for path in package]
    return Recipe(whole(text), dict(args), sorted([*inside, *ours]), host_platform())


def host_platform() -> str:
    """This machine as registries write it: `linux/amd64`."""
    machine = platform.machine()
    return f"linux/{ {'x86_64': 'amd64', 'aarch64': 'arm64'}.get(machine, machine) }"


def _check(text: str, args: Mapping[str, str]) -> None:
    for base in dockerfile.bases(text, args):
        if not base.pinned:
            raise BaseNotPinned(
                f"{base.reference} is named by a tag, which may be another image tomorrow",
                where=f"line {base.line} of the Dockerfile",
                fix="tagline check --fix writes the digest of today's image",
            )
    for one, source in dockerfile.downloads(text, args):
        if dockerfile.is_remote(source):
            fix = "add --checksum=sha256:…, or keep the file in the repository"
            raise one.refused(f"it takes {source} from the network, and no digest says what it is", fix)
        raise one.refused(
            f"nobody can tell whether {source} lies in the network", "write the path, or use COPY"
        )


def _entry(tree: Path, name: Path, under: PurePosixPath | None = None) -> Entry:
    path, shown = tree / name, str((under or PurePosixPath()) / name.as_posix())
    if path.is_symlink() and shown == IGNORE:
        raise ImageRefused(f"{shown} is a link", where=shown, fix="write the file itself")
    if path.is_symlink():
        target = os.readlink(path)
        if os.path.isabs(target) or foreign.leaves(path, tree):
            raise ImageRefused(
                f"{shown} is a link that leaves the tree", where=shown, fix="copy the file itself"
            )
        return Entry(shown, False, "", target)
    with _opened(path, tree, shown) as file:
        digest = hashlib.file_digest(cast(BufferedReader, file), "sha256").hexdigest()
        return Entry(shown, bool(os.fstat(file.fileno()).st_mode & 0o100), digest)


@contextmanager
def _opened(path: Path, tree: Path, shown: str) -> Iterator[BinaryIO]:
    """A file of the tree, reached through no link; raises `ImageRefused`."""
    try:
        with foreign.opened(path, tree) as file:
            yield file
    except (OSError, ValueError) as error:
        raise ImageRefused(
            f"{shown} cannot be read as a plain file of the tree: {error}",
            where=shown,
            fix="keep the file itself in the repository",
        ) from error


def stage(made: Recipe, tree: Path, task: Path, to: Path) -> Path:
    """Copy what the recipe lists to the folder `to`, with the same modes everywhere; returns the Dockerfile.

    What is not in the digest is not in the folder, and so not in the image.
    """
    for entry, source in _sources(made, tree, task):
        target = to / entry.path
        _make_folder(target.parent, to, entry.path)
        if entry.link:
            target.symlink_to(entry.link)
            continue
        below = task if PurePosixPath(entry.path).is_relative_to(TASK_FOLDER) else tree
        with _opened(source, below, entry.path) as file, target.open("wb") as copy:
            shutil.copyfileobj(file, copy)
        target.chmod(0o755 if entry.executable else 0o644)
        os.utime(target, (entry.time, entry.time))
    for folder in [path for path in to.rglob("*") if path.is_dir() and not path.is_symlink()]:
        folder.chmod(0o755)
    if any(entry.path == IGNORE for entry in made.files):
        _show_task(to)
    place = to.with_name(f"{to.name}.Dockerfile")
    place.write_text(made.text)
    return place


def _make_folder(folder: Path, to: Path, shown: str) -> None:
    try:
        foreign.make_folder(folder, to)
    except (OSError, ValueError) as error:
        raise ImageRefused(
            f"{shown} lies behind a link: {error}", where=shown, fix="keep a folder in the link's place"
        ) from error


def _show_task(to: Path) -> None:
    """Let .dockerignore leave our package in."""
    try:
        with foreign.append(to / IGNORE, to) as file:
            file.write(f"\n!{PurePosixPath(TASK_FOLDER).parts[0]}\n".encode())
    except (OSError, ValueError) as error:
        raise ImageRefused(f"{IGNORE} is no plain file: {error}", where=IGNORE) from error


def _sources(made: Recipe, tree: Path, task: Path) -> Iterator[tuple[Entry, Path]]:
    for entry in made.files:
        path = PurePosixPath(entry.path)
        ours = path.is_relative_to(TASK_FOLDER)
        yield entry, task / path.relative_to(TASK_FOLDER) if ours else tree / path
