"""Opens files that strangers may have written: no link is followed, no pipe waited for, no size trusted."""

import fcntl
import os
import secrets
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_SHUT = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_OWN_DESCRIPTORS = Path("/proc/self/fd")


def read(file: Path, limit: int, below: Path | None = None) -> bytes:
    """The content of a plain file, at most `limit` bytes; from `below` on, no folder on the way is a link.

    Raises `OSError` where it cannot be read, `ValueError` where it is no plain file, larger, or not below.
    """
    with _plain(file, os.O_RDONLY, below) as opened, os.fdopen(opened, "rb", closefd=False) as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise ValueError(f"it is larger than {limit / 2**20:g} MiB")
    return content


def read_inside(file: Path, tree: Path, limit: int) -> bytes:
    """The content of a file of a tree, at most `limit` bytes, also through links that stay in the tree.

    Raises as `read` does, and `ValueError` where a link leaves the tree.
    """
    real, top = Path(os.path.realpath(file)), Path(os.path.realpath(tree))
    if not real.is_relative_to(top):
        raise ValueError("it is a link that leaves the tree")
    return read(real, limit, top)


@contextmanager
def opened(file: Path, below: Path | None = None) -> Iterator[BinaryIO]:
    """A plain file to read from, of any size; raises as `read` does."""
    with _plain(file, os.O_RDONLY, below) as held, os.fdopen(held, "rb", closefd=False) as stream:
        yield stream


def leaves(link: Path, tree: Path) -> bool:
    """Whether a link of a tree leads out of it, by whatever other links."""
    return not Path(os.path.realpath(link)).is_relative_to(os.path.realpath(tree))


def append(file: Path, below: Path | None = None) -> BinaryIO:
    """Open a plain file to append to, made where it is missing, that can also be read; the caller closes it.

    `/proc/self/fd/N` is the open descriptor N. Raises as `read` does.
    """
    if file.parent == _OWN_DESCRIPTORS:
        return os.fdopen(os.dup(int(file.name)), "ab")
    with _plain(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, below) as opened:
        os.set_blocking(opened, True)
        return os.fdopen(os.dup(opened), "ab")


@contextmanager
def nameless() -> Iterator[BinaryIO]:
    """An empty file to append to and read back that has no path: nothing can be put in its place."""
    with tempfile.TemporaryFile() as opened:
        fcntl.fcntl(opened, fcntl.F_SETFL, fcntl.fcntl(opened, fcntl.F_GETFL) | os.O_APPEND)
        yield opened


def named(opened: BinaryIO) -> Path:
    """The path by which a command is given an open file, whatever happens to its name."""
    return _OWN_DESCRIPTORS / str(opened.fileno())


def held(folder: Path) -> Path:
    """A path, of this process alone and as long as it lives, to a folder that may later be another at its own."""
    return _OWN_DESCRIPTORS / str(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))


def place(log: Path) -> str:
    """The path of a log in words; "" for an open file, whose name only its opener knows."""
    return "" if log.parent == _OWN_DESCRIPTORS else str(log)


def end_of(opened: BinaryIO, limit: int = 1 << 16) -> str:
    """The last `limit` bytes of an open file as text, whatever lies at its path by now."""
    size = os.fstat(opened.fileno()).st_size
    return os.pread(opened.fileno(), limit, max(0, size - limit)).decode(errors="replace")


def replace(file: Path, content: bytes, below: Path) -> None:
    """Put a new file in a file's place at once, its folder made where it is missing, through no link.

    Raises `OSError`, `ValueError` where it is not below.
    """
    draft = f".{file.name}.{secrets.token_hex(8)}"
    with _folder(file.parent, below, make=True) as at:
        opened = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _SHUT, 0o666, dir_fd=at)
        with os.fdopen(opened, "wb") as stream:
            stream.write(content)
        os.replace(draft, file.name, src_dir_fd=at, dst_dir_fd=at)


def make_folder(path: Path, below: Path) -> Path:
    """Make a folder with those above it, from `below` on, where they are missing; none of them is a link.

    Raises `OSError`, `ValueError` where it is not below.
    """
    with _folder(path, below, make=True):
        return path


def astray(root: Path) -> Path | None:
    """The first entry of a file or folder that is neither plain, nor a folder, nor a link that stays in it."""
    if root.is_symlink() or not root.is_dir():
        return None if stat.S_ISREG(root.lstat().st_mode) else root
    top = Path(os.path.realpath(root))
    for place, folders, names in os.walk(root):
        for path in (Path(place, name) for name in sorted([*folders, *names])):
            mode = path.lstat().st_mode
            stays = stat.S_ISLNK(mode) and Path(os.path.realpath(path)).is_relative_to(top)
            if not (stays or stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
                return path
    return None


@contextmanager
def _plain(file: Path, flags: int, below: Path | None) -> Iterator[int]:
    if below is None:
        opened = os.open(file, flags | _SHUT, 0o666)
    else:
        with _folder(file.parent, below) as at:
            opened = os.open(file.name, flags | _SHUT, 0o666, dir_fd=at)
    try:
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            raise ValueError("it is no plain file")
        yield opened
    finally:
        os.close(opened)


@contextmanager
def _folder(path: Path, below: Path, *, make: bool = False) -> Iterator[int]:
    """The descriptor of a folder, each step from `below` to it taken through no link."""
    parts = path.relative_to(below).parts
    if ".." in parts:
        raise ValueError(f"it does not lie below {below}")
    at = os.open(below, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(part, dir_fd=at)
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | _SHUT, dir_fd=at)
            os.close(at)
            at = inner
        yield at
    finally:
        os.close(at)
