"""State files that are whole or not there: written atomically, read strictly, never thrown away."""

import fcntl
import os
import secrets
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from tagline.errors import StateBroken

T = TypeVar("T", bound="Record")


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What a state file holds; `schema` says which layout it was written in."""

    schema: int = 1


def write_bytes(path: Path, data: bytes) -> None:
    """Put `data` at `path` in one step (readable by its owner only), so that a crash leaves old or new."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def write(path: Path, record: Record) -> None:
    """Write a record as indented JSON, atomically."""
    write_bytes(path, msgspec.json.format(msgspec.json.encode(record, enc_hook=_plain)) + b"\n")


def encode(record: msgspec.Struct) -> bytes:
    """A struct as one line of JSON; paths as text."""
    return msgspec.json.encode(record, enc_hook=_plain)


def decode(data: bytes, kind: type[Any]) -> Any:
    """Read what `encode` wrote; raises `msgspec.DecodeError` for anything else."""
    return msgspec.json.decode(data, type=kind, dec_hook=_rich)


def read(path: Path, kind: type[T]) -> T | None:
    """The record at `path`, or None where there is no file.

    Raises `StateBroken` for one that cannot be read or was written in a newer layout; the file stays.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StateBroken(f"the state file cannot be read: {error.strerror}", where=str(path)) from error
    try:
        record: T = decode(data, kind)
    except msgspec.DecodeError as error:
        raise _broken(path, str(error)) from error
    if record.schema != kind().schema:
        raise _broken(path, f"layout {record.schema}, this tagline knows {kind().schema}")
    return record


def flock(descriptor: int) -> bool:
    """Take the lock of an open file or folder; False where somebody else has it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def hold(path: Path) -> int | bytes:
    """A descriptor that holds the lock at `path` until it is closed, or what its holder wrote there.

    It is the file that lies there now, not one just removed: so a holder may remove its file.
    """
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        if not flock(descriptor):
            text = os.pread(descriptor, 4096, 0)
            os.close(descriptor)
            return text
        if lies_at(path, descriptor):
            return descriptor
        os.close(descriptor)


def lies_at(path: Path, descriptor: int) -> bool:
    """Whether the open file is the one that lies at `path` now: not removed, not replaced."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return False
    return os.path.samestat(found, os.fstat(descriptor))


def _broken(path: Path, why: str) -> StateBroken:
    return StateBroken(
        f"the state file is not readable: {why}",
        where=str(path),
        fix=f"restore it from a copy, or start without it: mv {path} {path}.broken",
    )


def _plain(value: object) -> str:
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(f"cannot write a {type(value).__name__}")


def _rich(kind: type, value: Any) -> Any:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise NotImplementedError(f"cannot read a {kind.__name__}")
