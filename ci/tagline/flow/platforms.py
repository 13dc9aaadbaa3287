"""Finds a platform file: by a variable of the CI, in an installed package, or in a git repository."""

import hashlib
import os
import re
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tagline import __version__, config, foreign, platform_file, temporary
from tagline.config import Config
from tagline.errors import ConfigError, RemoteUnavailable, UnknownName
from tagline.git import process, remote
from tagline.platform_file import Found

VARIABLE = "TAGLINE_PLATFORM_FILE"
GROUP = "tagline.platforms"
GIT = "git+"
TIMEOUT = 60.0
RETRIES = (0.5, 2.0)
_LARGEST = 2**20
_ADDRESS = re.compile(r"git\+((?:https|ssh|file)://[^\s]*/[^\s@]+)@([A-Za-z0-9][\w./-]*)")


def find(
    text: str, where: str, environ: Mapping[str, str], root: Path, seen: Path | None = None
) -> Found | None:
    """The platform file for a tagline.yaml's text, or None where there is none; one from git is kept in `seen`.

    The CI's variable rules for every repository, whatever it says; else `platform:` names an entry point of
    the group `tagline.platforms`, or `git+URL@REF`. Raises `ConfigError`, `UnknownName` (the installed ones),
    `RemoteUnavailable`, and what reading the file raises.
    """
    said, place = _said(text, where)
    given = environ.get(VARIABLE, "")
    if given:
        found = _of_file(Path(given), root)
        if said not in ("", config.LOCAL, found.file.name):
            raise ConfigError(
                f"platform is {said!r}, and {VARIABLE} brings {found.file.name!r}",
                where=place,
                fix=f"platform: {found.file.name}",
            )
        return found
    if said in ("", config.LOCAL):
        return None
    return _of_git(said, place, seen) if said.startswith(GIT) else _of_package(said, place)


def last_seen(text: str, where: str, seen: Path) -> Found | None:
    """A platform file from git as `find` last kept it, for a call that must not wait for a host; None elsewhere."""
    said, _ = _said(text, where)
    file = seen / _kept_name(said)
    return (
        platform_file.parse(file.read_text(), str(file)) if said.startswith(GIT) and file.is_file() else None
    )


def _kept_name(said: str) -> str:
    return f"platform-{hashlib.sha256(said.encode()).hexdigest()[:16]}.yaml"


def of_work_tree(
    root: Path, environ: Mapping[str, str], default_name: str, where: str = config.FILE
) -> Config:
    """tagline.yaml as it lies in a work tree, under its platform file; raises what `find` and reading raise, and
    `WrongVersion`."""
    try:
        text = foreign.read_inside(root / config.FILE, root, _LARGEST).decode()
    except FileNotFoundError:
        text = ""
    except (OSError, ValueError) as error:
        problem = "it is not UTF-8" if isinstance(error, UnicodeError) else error
        raise ConfigError(f"{config.FILE} cannot be read: {problem}", where=where) from None
    under = find(text, where, environ, root)
    platform_file.require_version(text, where, under, __version__)
    return platform_file.read(text, where, default_name, under)


def _said(text: str, where: str) -> tuple[str, str]:
    """The word after `platform:` and its place; "" where there is none, or no word that could be one."""
    from tagline import strict_yaml

    data, marks = strict_yaml.load(text, where)
    said: Any = data.get("platform") if isinstance(data, dict) else None
    if not isinstance(said, str):
        return "", where
    line, column = marks[("platform",)].at
    return said, f"{where}:{line}:{column}"


def _of_file(path: Path, root: Path) -> Found:
    if not path.is_absolute() or path.resolve().is_relative_to(root.resolve()):
        raise ConfigError(
            f"{VARIABLE} must be an absolute path outside the work tree, whose files a pull request can change",
            where=str(path),
            fix=f"{VARIABLE}=/etc/tagline/{platform_file.NAME}",
        )
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"the platform file of {VARIABLE} cannot be read: {error}", where=str(path)
        ) from error
    return platform_file.parse(text, str(path))


def _of_package(name: str, place: str) -> Found:
    """The platform.yaml in the package that an entry point names; nothing of the package is run."""
    from importlib.metadata import entry_points

    known = {one.name: one for one in entry_points(group=GROUP)}
    if name not in known:
        raise UnknownName(
            f"no platform {name!r} is installed; known: {', '.join(sorted(known)) or 'none'}, {config.LOCAL}",
            where=place,
            fix=f"install the package of {name} beside tagline, or set {VARIABLE} to a platform file"
            + (" of kind kubeflow" if name == platform_file.KUBEFLOW else ""),
        )
    spec = find_spec(known[name].module)
    folders = list(spec.submodule_search_locations or []) if spec else []
    file = Path(folders[0]) / platform_file.NAME if folders else None
    if file is None or not file.is_file():
        raise ConfigError(
            f"the package {known[name].module!r} of the platform {name!r} holds no {platform_file.NAME}",
            where=place,
        )
    return _named(platform_file.parse(file.read_text(), str(file)), name)


def _named(found: Found, name: str) -> Found:
    if found.file.name != name:
        raise ConfigError(
            f"the platform file calls itself {found.file.name!r}, not {name!r}",
            where=found.where,
            fix=f"name: {name}",
        )
    return found


def _of_git(said: str, place: str, seen: Path | None) -> Found:
    """The platform.yaml at the top of a git reference, fetched into a repository that is thrown away."""
    address = _ADDRESS.fullmatch(said)
    if not address:
        raise ConfigError(
            f"platform {process.mask(said)!r} is not git+URL@REF",
            where=place,
            fix="platform: git+https://git.example.org/ml/platform.git@v1 (or git+ssh://…)",
        )
    url, ref = address.groups()
    with temporary.folder(temporary.Kind.PLATFORM) as folder:
        _git(folder, url, "init", "--quiet", "--bare", ".")
        fetch = ("fetch", "--quiet", "--no-tags", "--depth=1", "--", url, ref)
        _git(folder, url, *fetch)
        text = _git(folder, url, "cat-file", "blob", f"FETCH_HEAD:{platform_file.NAME}")
    said_there = text.decode("utf-8", "replace")
    found = platform_file.parse(said_there, f"{process.mask(url)}@{ref}:{platform_file.NAME}")
    if seen:
        _keep(seen / _kept_name(said), said_there)
    return found


def _keep(file: Path, text: str) -> None:
    file.parent.mkdir(exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    draft.write_text(text)
    os.replace(draft, file)


def _git(folder: Path, url: str, *words: str) -> bytes:
    environ = {"GIT_ALLOW_PROTOCOL": "https:ssh:file"}
    answer = process.run(words, cwd=folder, timeout=TIMEOUT, env=environ)
    for wait in RETRIES:
        if answer.code == 0 or remote.trouble(answer.err) is not remote.Trouble.NETWORK:
            break
        time.sleep(wait)
        answer = process.run(words, cwd=folder, timeout=TIMEOUT, env=environ)
    if answer.code != 0:
        raise RemoteUnavailable(
            f"the platform file cannot be read from git: {answer.err}",
            where=process.mask(url),
            fix="git ls-remote",
        )
    return answer.out
