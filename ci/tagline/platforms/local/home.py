"""The local platform's home: one folder per user, what lies where in it, and the machine it belongs to."""

import os
import re
import secrets
import socket
from collections.abc import Iterable, Mapping
from pathlib import Path

from tagline.engines import Guards
from tagline.errors import ConfigError, StateBroken

HOME_VARIABLE = "TAGLINE_HOME"
PORT_VARIABLE = "TAGLINE_PORT"
VENVS_VARIABLE = "TAGLINE_VENVS"
DEFAULT_PORT = 8470
_PRIVATE = ("rollouts", "serving", "locks", "machine", "pipelines.sqlite")
_MACHINE = re.compile(r"[A-Za-z0-9._-]+-[0-9a-f]{12}")


def tagline_home(environ: Mapping[str, str]) -> Path:
    """The folder of the user's local platform: TAGLINE_HOME, or ~/.local/share/tagline; made if missing."""
    named = environ.get(HOME_VARIABLE)
    user = Path(environ.get("HOME") or Path.home())
    home = (Path(named) if named else user / ".local/share/tagline").absolute()
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigError(
            f"cannot make the local platform's folder: {error.strerror}",
            where=str(home),
            fix=f"name a folder that you may write in {HOME_VARIABLE}",
        ) from error
    return home


def tagline_port(environ: Mapping[str, str]) -> int:
    """The router's port: TAGLINE_PORT, or 8470. Raises `ConfigError` for anything but 1..65535."""
    text = environ.get(PORT_VARIABLE) or str(DEFAULT_PORT)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise ConfigError(f"{PORT_VARIABLE} is {text!r}, not a port", fix=f"{PORT_VARIABLE}={DEFAULT_PORT}")
    return int(text)


def venvs_folder(home: Path, environ: Mapping[str, str]) -> Path:
    """Where environments are kept: TAGLINE_VENVS (several homes may share one), or `venvs` in the home."""
    named = environ.get(VENVS_VARIABLE)
    return Path(named).absolute() if named else home / "venvs"


def guards(home: Path, hide: Iterable[Path] = (), keep: Iterable[Path] = ()) -> Guards:
    """What the repository's code must leave alone of a home: all but the run or the work folder it is in.

    `hide` names more files and folders that it must not see, `keep` more folders that it must not change.
    """
    from tagline.platforms.local.serving.paths import Paths

    database = [home / f"pipelines.sqlite{ending}" for ending in ("-wal", "-shm")]
    hidden = [*(home / name for name in _PRIVATE), *database, Paths(home).admin.parent, *hide]
    return Guards(
        [str(path) for path in hidden], [str(home), str(home / "runs"), str(home / "work"), *map(str, keep)]
    )


def machine(home: Path) -> str:
    """The name of this local platform, `<host>-<12 hex>`: made once at random and kept in the home."""
    file = home / "machine"
    if not file.exists():
        _write_once(file, f"{_host()}-{secrets.token_hex(6)}")
    text = file.read_text(errors="replace").strip()
    if not _MACHINE.fullmatch(text):
        raise StateBroken("the local platform's name cannot be read", where=str(file), fix="restore the file")
    return text


def _host() -> str:
    return re.sub(r"[^A-Za-z0-9._-]", "-", socket.gethostname()) or "localhost"


def _write_once(file: Path, text: str) -> None:
    """Write a file that nobody else wrote first; readers see all of it or nothing."""
    draft = file.with_name(f".{file.name}-{secrets.token_hex(4)}")
    draft.write_text(text)
    try:
        os.link(draft, file)
    except FileExistsError:
        return  # another process was first: its name holds
    finally:
        draft.unlink()
