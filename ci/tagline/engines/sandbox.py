"""Runs the repository's own code in a child that can reach none of the parent's credentials."""

import ctypes
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from tagline import foreign, temporary
from tagline.engines import Command, Guards, places
from tagline.errors import TaskTimedOut

_LAUNCH = Path(__file__).with_name("launch.py")
_PR_SET_DUMPABLE = 4
_CANCEL_LAG = 1.0
_STOP_SECONDS = 20.0
NO_GUARDS = Guards()
_ALLOWED = {
    "PATH", "LANG", "LANGUAGE", "TZ", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "CUDA_HOME",
    "OMP_NUM_THREADS", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
}  # fmt: skip
_ALLOWED_PREFIXES = ("LC_", "NVIDIA_")
_SEARCHED = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH")
_LONGEST_PATH = 4096


def environment(outer: Mapping[str, str], extra: Mapping[str, str], home: Path) -> dict[str, str]:
    """What reaches the child: allow-listed names of `outer` (no proxy with a password), then `extra`."""
    inner = {
        name: value
        for name, value in outer.items()
        if (name in _ALLOWED or name.startswith(_ALLOWED_PREFIXES))
        and not (name.lower().endswith("_proxy") and "@" in value)
    }
    own = {"HOME": str(home), "TMPDIR": str(home / "tmp"), "PYTHONUNBUFFERED": "1"}
    return {"PATH": os.defpath, "LANG": "C.UTF-8"} | inner | own | dict(extra)


def protect_parent() -> None:
    """Make this process not dumpable: others of its user can no longer read its memory or environment.

    `running` and `run` do so themselves; a process that holds credentials does it at its start. A program that
    this process executes is dumpable again.
    """
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)


class Child:
    """A running command whose every descendant ends with it, with `stop()`, or with this process."""

    def __init__(self, process: "subprocess.Popen[bytes]", life: int) -> None:
        self._process, self._life = process, life

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, negative for a signal; raises `subprocess.TimeoutExpired` after `timeout` s."""
        return self._process.wait(timeout)

    def stop(self) -> None:
        """End the command and all that it started; again is a no-op."""
        if self._life >= 0:
            os.close(self._life)
            self._life = -1
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(_STOP_SECONDS)


@contextmanager
def running(
    command: Command, *, outer: Mapping[str, str] | None = None, guards: Guards = NO_GUARDS
) -> Iterator[Child]:
    """Start a command in the sandbox, with a HOME of its own that is removed afterwards.

    `outer` is the environment to choose from (this process's by default); `command.cwd` is a copy of the tree
    without its `.git`.
    """
    outer = os.environ if outer is None else outer
    protect_parent()
    with temporary.folder(temporary.Kind.HOME) as folder:
        theirs, ours = os.pipe()
        try:
            process = _launch(command, folder, theirs, outer, guards)
        except BaseException:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        child = Child(process, ours)
        try:
            yield child
        finally:
            child.stop()


def run(command: Command, *, outer: Mapping[str, str] | None = None, guards: Guards = NO_GUARDS) -> int:
    """Run a command to its end and return its exit code (negative: the signal that ended it).

    stdout and stderr are appended to `command.log`. Raises `TaskTimedOut` past `command.timeout`; whatever
    happens, also when this process is killed, no process of the command is left.
    """
    with running(command, outer=outer, guards=guards) as child:
        try:
            code = child.wait(command.timeout)
            if code == -signal.SIGTERM:  # a host that cancels ends the deepest process first: ours is next
                time.sleep(_CANCEL_LAG)
            return code
        except subprocess.TimeoutExpired:
            what = f"{Path(command.argv[0]).name} ran longer than {command.timeout:g} s and was stopped"
            raise TaskTimedOut(what, where=foreign.place(command.log)) from None


def start(
    command: Command, home: Path, *, outer: Mapping[str, str] | None = None, guards: Guards = NO_GUARDS
) -> "subprocess.Popen[bytes]":
    """Start a command that outlives this process (a model server): same guards, own session, nobody keeps it.

    `home` is its HOME, kept by the caller. The process returned is the command itself. A caller whose own
    environment holds credentials calls `protect_parent` first.
    """
    return _launch(command, home, -1, os.environ if outer is None else outer, guards)


def _launch(
    command: Command, home: Path, life: int, outer: Mapping[str, str], guards: Guards
) -> "subprocess.Popen[bytes]":
    if (command.cwd / ".git").exists():
        raise ValueError(f"{command.cwd} is a work tree: the repository's code runs in a copy without .git")
    command.log.parent.mkdir(parents=True, exist_ok=True)
    words = [str(life), str(_scratch(home)), *_shut(command, home, outer, guards), *command.argv]
    with foreign.append(command.log) as log:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(_LAUNCH), *words],
            cwd=command.cwd,
            env=environment(outer, command.env, home),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=[life] if life >= 0 else [],
            start_new_session=True,
        )


def _scratch(home: Path) -> Path:
    """A new folder in a new `tmp` of a HOME, whatever an earlier command with this HOME left there.

    Raises `OSError` where that cannot be removed.
    """
    home.mkdir(parents=True, exist_ok=True)
    place = home / "tmp"
    if place.is_symlink() or place.is_file():
        place.unlink()
    shutil.rmtree(place, ignore_errors=True)  # follows no link
    return foreign.make_folder(place / "scratch", home)


def _shut(command: Command, home: Path, outer: Mapping[str, str], guards: Guards) -> Iterator[str]:
    """The six lists of launch.py: kept, own, covered, temporary, shown, hidden; each its length and its paths."""
    see = [*command.see, *command.keep]
    needed = {os.path.realpath(path) for path in see}
    links = {os.path.join(os.path.realpath(path.parent), path.name) for path in see}
    secrets = [path for path in places.secrets(outer) if os.path.realpath(path) not in needed]
    opened = [path for path in secrets if _around(path, needed | links)]
    kept = [*places.interpreter(), *guards.keep, *command.keep]
    covered = [*places.homes(outer), *opened]
    told = _told(command, environment(outer, command.env, home))
    shown = [*places.shown(outer), *guards.keep, *see, *command.own, home, *told]
    hidden = [*(path for path in secrets if path not in opened), *guards.hide, *command.hide]
    for paths in (kept, command.own, covered, places.temporary(), shown, hidden):
        yield str(len(paths))
        yield from map(str, paths)


def _told(command: Command, env: Mapping[str, str]) -> Iterator[str]:
    """What lies in a temporary folder and a command is told of by its arguments or its search paths."""
    searched = (env.get(name, "").split(os.pathsep) for name in _SEARCHED)
    for word in (*command.argv, *chain.from_iterable(searched)):
        inside = len(word) < _LONGEST_PATH and any(word.startswith(f"{one}/") for one in places.temporary())
        if inside and os.path.exists(word):
            yield word
            prefix = os.path.dirname(os.path.dirname(word))
            if os.path.exists(os.path.join(prefix, "pyvenv.cfg")):
                yield prefix


def _around(folder: Path, paths: set[str]) -> bool:
    """Whether one of the paths lies in the folder: then the folder is covered but for them, not hidden."""
    return any(path.startswith(os.path.realpath(folder) + os.sep) for path in paths)
