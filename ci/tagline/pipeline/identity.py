"""What a release is made of, as one digest: interpreter, locked requirements and source."""

import hashlib
import json
import os
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

from tagline.pipeline import compiled as compiled_file
from tagline.pipeline.compiled import Compiled
from tagline.pipeline.project import REQUIREMENTS

PREFIX = "env:sha256:"
_SKIPPED = {".git", "__pycache__"}


def interpreter() -> str:
    """`NAME VERSION PLATFORM` of the interpreter that runs tagline, from which every environment is made.

    An environment's own is never asked: what a release's code may have put in its place must not run here.
    """
    return f"{sys.implementation.name} {sys.version.split()[0]} {sysconfig.get_platform()}"


def environment_identity(source: Path, python: str = "") -> str:
    """`env:sha256:<64 hex>` of a source tree and the interpreter that runs it (by default `interpreter()`).

    SHA-256 over these lines, each ended by a newline: `tagline environment 1`,
    `python NAME VERSION PLATFORM`, `lock DIGEST` (of src/requirements.txt, empty where there is none),
    `source DIGEST` (see `tree_digest`).
    """
    lock = source / REQUIREMENTS
    lines = (
        "tagline environment 1",
        f"python {python or interpreter()}",
        f"lock {hashlib.sha256(lock.read_bytes() if lock.is_file() else b'').hexdigest()}",
        f"source {tree_digest(source)}",
    )
    return PREFIX + hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()


def tree_digest(source: Path) -> str:
    """SHA-256 (hex) of a tree: over `MODE DIGEST PATH` and a NUL for each file, by path as bytes.

    MODE is git's: 100755 where the owner may execute, 100644 otherwise, 120000 for a link, whose content is
    its target. Empty folders, times and owners do not count; `.git` and `__pycache__` are left out.
    """
    total = hashlib.sha256()
    for name, path in sorted(_files(source)):
        if path.is_symlink():
            mode, digest = "120000", hashlib.sha256(os.fsencode(os.readlink(path))).hexdigest()
        else:
            mode = "100755" if path.stat().st_mode & 0o100 else "100644"
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        total.update(f"{mode} {digest} ".encode() + name + b"\0")
    return total.hexdigest()


def _files(source: Path) -> Iterator[tuple[bytes, Path]]:
    for folder, folders, names in os.walk(source):
        links = [name for name in folders if Path(folder, name).is_symlink()]
        folders[:] = [name for name in folders if name not in _SKIPPED]
        for path in (Path(folder, name) for name in [*names, *links] if name not in _SKIPPED):
            yield os.fsencode(path.relative_to(source).as_posix()), path


def content_digest(compiled: Path) -> str:
    """SHA-256 (hex) of what a compiled file says: images count, kfp's version and the layout do not."""
    return digest_of(compiled_file.read(compiled))


def digest_of(read: Compiled) -> str:
    """`content_digest` of what was read already."""
    ir = {key: value for key, value in read.ir.items() if key != "sdkVersion"}
    text = json.dumps([ir, read.platform], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
