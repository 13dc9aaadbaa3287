"""Virtual environments kept by digest: made once whatever happens, then found in milliseconds."""

import configparser
import contextlib
import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import sys
import time
import venv
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tagline.engines import Command
from tagline.engines.locks import Lock
from tagline.errors import EnvironmentConflict, InstallFailed, TaskTimedOut

INSTALL_LIMIT = 1800.0
CHECK_LIMIT = 120.0
COMPILE_LIMIT = 600.0
COMPLETE = "complete"
_PASSED = ("PIP_", "SSL_CERT_", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")
_CONFLICT = re.compile(r"(\S+) (\S+) has requirement (.+?), but you have (\S+) (\S+?)\.?")
_LACKING = re.compile(r"(\S+) (\S+) requires (.+?), which is not installed\.?")

RunsCommand = Callable[[Command], int]


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
        _install(place, python, recipe.lock, run, environ)
    (site,) = place.glob("lib/python*/site-packages")
    target = site / recipe.task_package.name
    shutil.copytree(recipe.task_package, target, ignore=shutil.ignore_patterns("__pycache__"))
    if recipe.lock.pins:  # on all cores, which pip cannot; a file that does not compile is nobody's error
        words = [str(python), "-m", "compileall", "-q", "-j", "0", str(site)]
        run(Command(words, place, place.with_suffix(".compile.log"), {}, COMPILE_LIMIT))


def _install(place: Path, python: Path, lock: Lock, run: RunsCommand, environ: Mapping[str, str]) -> None:
    wanted = place / "requirements.txt"
    wanted.write_text(lock.text)
    log = place.with_suffix(".log")
    pip = [sys.executable, "-m", "pip", "--python", str(python)]
    flags = [
        "--require-hashes",
        "--no-deps",
        "--no-compile",
        "--no-input",
        "--disable-pip-version-check",
        "--progress-bar=off",
    ]
    env = pip_environment(environ)
    see = _named_paths(env)
    install = Command([*pip, "install", *flags, "-r", str(wanted)], place, log, env, INSTALL_LIMIT, see=see)
    try:
        code = run(install)
    except TaskTimedOut as error:
        raise InstallFailed(
            f"pip did not end within {INSTALL_LIMIT:g} s", where=str(log), fix="look at the log, then repeat"
        ) from error
    if code != 0:
        raise InstallFailed(
            f"pip could not install the project's packages: {_last_error(log)}",
            where=str(log),
            fix="check the network and the index, or lock src/requirements.txt anew",
        )
    checked = place.with_suffix(".check.log")
    if run(Command([*pip, "check"], place, checked, env, CHECK_LIMIT)) != 0:
        raise _misfit(checked.read_text(errors="replace"), lock)


def pip_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What pip needs of this machine: its variables, proxies, certificates, configuration and cache."""
    kept = {
        name: value for name, value in environ.items() if name.startswith(_PASSED) or name.lower() in _PROXIES
    }
    home = Path(environ.get("HOME") or "/")
    config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip/pip.conf"
    for file in (config, home / ".pip/pip.conf"):
        if file.is_file():
            kept.setdefault("PIP_CONFIG_FILE", str(file))
    cache = Path(environ.get("XDG_CACHE_HOME") or home / ".cache") / "pip"
    kept.setdefault("PIP_CACHE_DIR", str(cache))
    return kept


def _named_paths(env: Mapping[str, str]) -> list[Path]:
    """What pip's settings, in variables or its file, name on this disk: its cache, made here, certificates, wheels."""
    with contextlib.suppress(OSError):  # pip says so itself, and works without a cache
        Path(env["PIP_CACHE_DIR"]).mkdir(parents=True, exist_ok=True)
    values = [*env.values(), *_set_in(env.get("PIP_CONFIG_FILE", os.devnull))]
    words = [word.removeprefix("file://") for value in values for word in (value, *value.split())]
    return sorted({Path(word) for word in words if os.path.isabs(word) and os.path.exists(word)})


def _set_in(file: str) -> list[str]:
    """The values of a pip.conf; none where pip, which says so itself, could not read it either."""
    read = configparser.RawConfigParser()
    with contextlib.suppress(configparser.Error, UnicodeDecodeError):
        read.read(file)
    return [value for section in read.values() for value in section.values()]


def _last_error(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()
    errors = [line for line in lines if line.startswith("ERROR")]
    return (errors or lines or ["pip said nothing"])[0].removeprefix("ERROR: ")


def _misfit(report: str, lock: Lock) -> EnvironmentConflict:
    """The error that `pip check`'s report asks for: a conflict names both packages and their versions."""
    found = []
    for line in report.splitlines():
        if match := _CONFLICT.fullmatch(line.strip()):
            found.append(f"{match[1]} {match[2]} needs {match[3]}, the lock has {match[4]} {match[5]}")
        elif match := _LACKING.fullmatch(line.strip()):
            found.append(f"{match[1]} {match[2]} needs {match[3]}, the lock lacks it")
    return EnvironmentConflict(
        "the locked packages do not fit together: " + "; ".join(found or [report.strip()[-300:]]),
        where="src/requirements.txt",
        fix="choose versions that fit, then lock src/requirements.txt anew",
    )
