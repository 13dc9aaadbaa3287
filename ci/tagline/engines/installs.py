"""Installs locked packages by pip: wheels fetched with the machine's settings, put in place without them."""

import configparser
import contextlib
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from tagline import foreign
from tagline.engines import Command
from tagline.engines.locks import Lock
from tagline.errors import EnvironmentConflict, InstallFailed, TaskTimedOut

INSTALL_LIMIT = 1800.0
CHECK_LIMIT = 120.0
_MOST_SAID = 16 * 2**20
_PASSED = ("PIP_", "SSL_CERT_", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")
_CONFLICT = re.compile(r"(\S+) (\S+) has requirement (.+?), but you have (\S+) (\S+?)\.?")
_LACKING = re.compile(r"(\S+) (\S+) requires (.+?), which is not installed\.?")
_NO_WHEEL = re.compile(r"No matching distribution found for ([^\s;]+)")
_WITH_USER = re.compile(r"://[^/\s]*@|^[^/\s]*:[^/\s]*@")
_WITH_TOKEN = re.compile(r"https?://\S*/(?=[^/\s]*\d)[\w-]{16,}(?:/|\s|$)|https?://\S*\?")
_TELLING = re.compile(r"(?i)client.cert|keyring")
_ALONE = {"PIP_CONFIG_FILE": os.devnull, "PIP_NO_CACHE_DIR": "1"}
_FLAGS = ("--require-hashes", "--no-deps", "--no-input", "--disable-pip-version-check", "--progress-bar=off")

RunsCommand = Callable[[Command], int]


def install(place: Path, python: Path, lock: Lock, run: RunsCommand, environ: Mapping[str, str]) -> None:
    """Fetch wheels with the machine's settings, then install them without: no package's code runs beside a password.

    A package that has no wheel is built only where the settings hold no password.
    """
    (place / "requirements.txt").write_text(lock.text)
    pip = _Pip(place, python, run)
    env = pip_environment(environ)
    wheels = str(place / "wheels")
    fetch = ["download", "--only-binary", ":all:", "-d", wheels]
    if pip.locked(fetch, env, see=_named_paths(env)) == 0:
        code = pip.locked(["install", "--no-compile", "--no-index", "--find-links", wheels], _ALONE)
    elif (lacking := _NO_WHEEL.search(pip.said)) is None:
        code = 1
    elif hold_password(env):
        raise _no_wheel(lacking[1], pip.log)
    else:
        own = {name: value for name, value in env.items() if name != "PIP_CACHE_DIR"} | {
            "PIP_NO_CACHE_DIR": "1"
        }
        code = pip.locked(["install", "--no-compile"], own, keep=_named_paths(own))
    if code != 0:
        raise InstallFailed(
            f"pip could not install the project's packages: {_last_error(pip.said)}",
            where=str(pip.log),
            fix="check the network and the index, or lock src/requirements.txt anew",
        )
    shutil.rmtree(wheels, ignore_errors=True)
    checked = place.with_suffix(".check.log")
    with _opened(checked) as log:
        words = [*pip.words, "check"]
        if run(Command(words, place, foreign.named(log), _ALONE, CHECK_LIMIT)) != 0:
            raise _misfit(foreign.end_of(log, _MOST_SAID), lock)


@contextlib.contextmanager
def _opened(log: Path) -> Iterator[BinaryIO]:
    """A new log that is read back from where it was opened: a build may put a link in its place."""
    log.unlink(missing_ok=True)
    with foreign.append(log) as opened:
        yield opened


class _Pip:
    """pip for one environment; `said` is what its last call printed."""

    def __init__(self, place: Path, python: Path, run: RunsCommand) -> None:
        self.log = place.with_suffix(".log")
        self.words = [sys.executable, "-m", "pip", "--python", str(python)]
        self.said = ""
        self._place, self._run = place, run

    def locked(
        self, what: list[str], env: Mapping[str, str], *, see: Sequence[Path] = (), keep: Sequence[Path] = ()
    ) -> int:
        """The exit code of a call for the locked packages. Raises `InstallFailed` where it takes too long."""
        with _opened(self.log) as log:
            code = self._call(what, log, env, see, keep)
            self.said = foreign.end_of(log, _MOST_SAID)
        return code

    def _call(
        self,
        what: list[str],
        log: BinaryIO,
        env: Mapping[str, str],
        see: Sequence[Path],
        keep: Sequence[Path],
    ) -> int:
        words = [*self.words, *what, *_FLAGS, "-r", str(self._place / "requirements.txt")]
        command = Command(words, self._place, foreign.named(log), env, INSTALL_LIMIT, see=see, keep=keep)
        try:
            return self._run(command)
        except TaskTimedOut as error:
            raise InstallFailed(
                f"pip did not end within {INSTALL_LIMIT:g} s",
                where=str(self.log),
                fix="look at the log, then repeat",
            ) from error


def _no_wheel(name: str, log: Path) -> InstallFailed:
    return InstallFailed(
        f"{name} has no wheel that fits here, and its source is not built: its code would see the index's password",
        where=str(log),
        fix=f"pip wheel --no-deps {name}, put the wheel into your index, then lock src/requirements.txt anew",
    )


def hold_password(env: Mapping[str, str]) -> bool:
    """Whether pip's settings name a user or what looks like a token in a URL, a client's certificate or a keyring."""
    config = env.get("PIP_CONFIG_FILE", os.devnull)
    named = [*env, *_names_in(config)]
    values = [*env.values(), *_set_in(config)]
    secret = any(_WITH_USER.search(value) or _WITH_TOKEN.search(value) for value in values)
    return secret or any(_TELLING.search(name) for name in named)


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
    if cache := env.get("PIP_CACHE_DIR"):
        with contextlib.suppress(OSError):  # pip says so itself, and works without a cache
            Path(cache).mkdir(parents=True, exist_ok=True)
    values = [*env.values(), *_set_in(env.get("PIP_CONFIG_FILE", os.devnull))]
    words = [word.removeprefix("file://") for value in values for word in (value, *value.split())]
    return sorted({Path(word) for word in words if os.path.isabs(word) and os.path.exists(word)})


def _set_in(file: str) -> list[str]:
    return [value for section in _config(file).values() for value in section.values()]


def _names_in(file: str) -> list[str]:
    return [name for section in _config(file).values() for name in section]


def _config(file: str) -> configparser.RawConfigParser:
    """A pip.conf; empty where pip, which says so itself, could not read it either."""
    read = configparser.RawConfigParser()
    with contextlib.suppress(configparser.Error, UnicodeDecodeError):
        read.read(file)
    return read


def _last_error(said: str) -> str:
    lines = said.splitlines()
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
