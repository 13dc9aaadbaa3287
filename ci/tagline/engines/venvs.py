"""Virtual environments kept by digest: made once whatever happens, then found in milliseconds."""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import sys
import time
import venv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tagline.engines import Command, installs
from tagline.engines.installs import CHECK_LIMIT, INSTALL_LIMIT, RunsCommand
from tagline.engines.locks import Lock
from tagline.errors import InstallFailed

COMPILE_LIMIT = 600.0
COMPLETE = "complete"


class Recipe(msgspec.Struct, frozen=True):
    """What an environment holds: locked packages, and the files of `tagline_task` that are copied in."""

    lock: Lock
    task_package: Path

    @property
    def key(self) -> str:
        """32 hex digits over interpreter, locked packages and tagline_task."""
        interpreter = [sys.implementation.cache_tag or "", sys.version, os.path.realpath(sys.executable)]
        parts = [*interpreter, self.lock.text, package_digest(self.task_package)]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def task_package() -> Path:
    """The folder of the installed `tagline_task`."""
    spec = importlib.util.find_spec("tagline_task")
    if spec is None or not spec.submodule_search_locations:
        raise InstallFailed("the package tagline_task is not installed", fix="install tagline again")
    return Path(next(iter(spec.submodule_search_locations)))


def _package_files(package: Path) -> list[Path]:
    return sorted(path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def package_digest(package: Path) -> str:
    """SHA-256 over names and contents of a package's files, compiled ones left out."""
    digest = hashlib.sha256()
    for path in _package_files(package):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(package).as_posix()}\0{content}\n".encode())
    return digest.hexdigest()


def ensure(folder: Path, recipe: Recipe, run: RunsCommand, environ: Mapping[str, str]) -> Path:
    """The interpreter of the environment of `recipe` under `folder`, made if it is not there.

    Two processes at once make it once; one that was killed half-way is made anew. `run` runs pip.
    Raises `InstallFailed`, `EnvironmentConflict`.
    """
    place = folder / recipe.key
    python = place / "bin/python"
    if (place / COMPLETE).exists():
        return python
    folder.mkdir(parents=True, exist_ok=True)
    with _held(folder / f"{recipe.key}.lock"):
        if not (place / COMPLETE).exists():
            _make(place, recipe, run, environ)
            (place / COMPLETE).touch()
    return python


@contextmanager
def _held(lock: Path) -> Iterator[None]:
    deadline = time.monotonic() + INSTALL_LIMIT + CHECK_LIMIT + COMPILE_LIMIT
    with lock.open("a") as handle:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise InstallFailed(
                        "another process has been making this environment for too long",
                        where=str(lock),
                        fix="end that process, then repeat",
                    ) from error
                time.sleep(0.1)
        yield


def _make(place: Path, recipe: Recipe, run: RunsCommand, environ: Mapping[str, str]) -> None:
    shutil.rmtree(place, ignore_errors=True)
    venv.EnvBuilder(symlinks=True, with_pip=False).create(place)
    python = place / "bin/python"
    if recipe.lock.pins:
        installs.install(place, python, recipe.lock, run, environ)
    (site,) = place.glob("lib/python*/site-packages")
    target = site / recipe.task_package.name
    shutil.copytree(recipe.task_package, target, ignore=shutil.ignore_patterns("__pycache__"))
    if recipe.lock.pins:  # on all cores, which pip cannot; a file that does not compile is nobody's error
        words = [str(python), "-m", "compileall", "-q", "-j", "0", str(site)]
        run(Command(words, place, place.with_suffix(".compile.log"), {}, COMPILE_LIMIT))
