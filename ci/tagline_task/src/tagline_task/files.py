"""Files written whole or not at all, and the digest of a file or folder."""

import hashlib
import json
import os
import tempfile
from typing import Any

from tagline_task import masking
from tagline_task.errors import OutputError

_CHUNK = 1 << 20


def make_parent(path: str) -> None:
    """Make the folder that `path` lies in; Kubeflow makes it for artifacts, the local runner for nothing."""
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)


def write_text(path: str, text: str) -> None:
    """Write a file that is there whole or not at all, also after a crash of the machine."""
    make_parent(path)
    folder, name = os.path.split(os.path.abspath(path))
    handle, temporary = tempfile.mkstemp(prefix=f".{name}.", dir=folder)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def write_json(path: str, value: Any) -> None:
    """Write strict JSON (no bare NaN) with sorted keys, without hidden values; `write_text` says how."""
    value = masking.HIDDEN.clean_all(value)
    write_text(path, json.dumps(value, allow_nan=False, ensure_ascii=False, sort_keys=True, indent=1) + "\n")


def digest(path: str | os.PathLike[str]) -> str:
    """The sha256, in hex, of a file's bytes; of a folder, that of a list of its files.

    The list has a line `<sha256 of the file>  <path in the folder>\\n` for each file at any depth, ordered by
    the bytes of the path; times, rights and empty folders do not count. By hand it is
    `find . -type f -printf '%P\\\\0' | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum`.
    Raises `OutputError` for a folder with no file, a link or a special file, or a line break in a name;
    `FileNotFoundError` where nothing is there.
    """
    path = os.fspath(path)
    if not os.path.isdir(path):
        return _of_file(path)
    names = sorted(_files(path), key=os.fsencode)
    if not names:
        raise OutputError(f"{path} is a folder without a file")
    total = hashlib.sha256()
    for name in names:
        total.update(f"{_of_file(os.path.join(path, name))}  ".encode() + os.fsencode(name) + b"\n")
    return total.hexdigest()


def _of_file(path: str) -> str:
    total = hashlib.sha256()
    with open(path, "rb") as stream:
        while chunk := stream.read(_CHUNK):
            total.update(chunk)
    return total.hexdigest()


def _files(folder: str, inside: str = "") -> list[str]:
    found: list[str] = []
    with os.scandir(os.path.join(folder, inside)) as entries:
        for entry in entries:
            name = os.path.join(inside, entry.name)
            if entry.is_dir(follow_symlinks=False):
                found += _files(folder, name)
            elif entry.is_file(follow_symlinks=False) and not set(name) & set("\n\r\\"):
                found.append(name)
            else:
                raise OutputError(
                    f"{entry.path!r} is a link, a special file or has an unusable name: no digest"
                )
    return found
