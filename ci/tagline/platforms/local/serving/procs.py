"""Processes by identity (pid and start time), started detached, found again, stopped for good."""

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from tagline.engines import Command, Guards, places, sandbox
from tagline.errors import PlatformUnavailable

MARK = "TAGLINE_PLATFORM"
PACKAGE = "tagline.platforms.local.serving"
_PASSED = (
    "PATH",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "LD_LIBRARY_PATH",
    "CUDA_VISIBLE_DEVICES",
    "OMP_NUM_THREADS",
)
# The last lines are where credentials may lie, with whatever names a file of them: the supervisor hides those
# places from the model servers.
_OURS = (
    *(*_PASSED, "HOME", "PYTHONPATH", "TAGLINE_HOME", "TAGLINE_PORT"),
    *("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"),
    *("SSH_AUTH_SOCK", "XDG_RUNTIME_DIR", "DOCKER_HOST"),
)


class Identity(msgspec.Struct, frozen=True):
    """One process and no other: `start` is when it began, in ticks after boot (/proc/<pid>/stat, 22)."""

    pid: int
    start: int


class Launch(msgspec.Struct, frozen=True):
    """A process to start: what it runs, where, what it sees, and the log that takes what it prints.

    With a HOME of its own it runs the repository's code: in the sandbox, where `env` is added to the allowed
    names, under `guards`, and `see` can be seen although it lies in the user's home.
    """

    argv: Sequence[str]
    cwd: Path
    env: Mapping[str, str]
    log: Path
    own_home: Path | None = None
    guards: Guards = sandbox.NO_GUARDS
    see: Sequence[Path] = ()


def _stat(pid: int) -> tuple[str, int] | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (OSError, ValueError):
        return None
    fields = text.rpartition(")")[2].split()  # the name in brackets may hold spaces
    return fields[0], int(fields[19])


def identify(pid: int) -> Identity | None:
    """The identity of a live process, or None where it is gone or a zombie."""
    found = _stat(pid)
    return Identity(pid, found[1]) if found and found[0] not in "ZX" else None


def alive(identity: Identity | None) -> bool:
    """Whether exactly this process still lives; another one with its pid does not count."""
    return identity is not None and identify(identity.pid) == identity


def command(pid: int) -> str:
    """A process's command line, shortened; empty where it may not be read."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    return shlex.join(word.decode(errors="replace") for word in words if word)[:200]


def own_environment(home: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """What the supervisor and the router see of the caller's environment, marked with their home."""
    kept = {
        name: value for name, value in environ.items() if name in _OURS or places.names_secret(name, value)
    }
    return kept | {MARK: str(home)}


def start(launch: Launch) -> subprocess.Popen[bytes]:
    """Start a process in a new session, with nothing of ours but its log; the caller reaps it."""
    if launch.own_home:
        command = Command(launch.argv, launch.cwd, launch.log, launch.env, see=launch.see)
        return sandbox.start(command, launch.own_home, guards=launch.guards)
    launch.log.parent.mkdir(parents=True, exist_ok=True)
    with open(launch.log, "ab") as log:
        return subprocess.Popen(
            list(launch.argv),
            cwd=launch.cwd,
            env=dict(launch.env),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def start_detached(launch: Launch) -> None:
    """Start a process that is nobody's child, so that it outlives us: a shell forks it and is gone.

    Raises `PlatformUnavailable` where it cannot be started.
    """
    twice = msgspec.structs.replace(launch, argv=["/bin/sh", "-c", '"$@" &', "sh", *launch.argv])
    try:
        code = start(twice).wait(timeout=10)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PlatformUnavailable(
            f"the local platform cannot be started: {error}", where=launch.argv[0]
        ) from error
    if code:
        raise PlatformUnavailable("the local platform cannot be started", where=str(launch.log))


def send(identity: Identity, number: signal.Signals) -> None:
    """Signal this process and its group, if it still lives."""
    if not alive(identity):
        return
    try:
        if os.getpgid(identity.pid) == identity.pid:
            os.killpg(identity.pid, number)
        else:
            os.kill(identity.pid, number)
    except ProcessLookupError:
        return


def marked(home: Path) -> list[Identity]:
    """Every live process of this user that carries this home's mark, but for the caller itself.

    Supervisor and router are not dumpable, so only root can read their environment: their command line says
    which home is theirs.
    """
    mark = os.fsencode(f"{MARK}={home}")
    pids = [int(entry.name) for entry in os.scandir("/proc") if entry.name.isdigit()]
    found = [
        identify(pid)
        for pid in pids
        if pid != os.getpid() and (mark in _words(pid, "environ") or _serves(pid, home))
    ]
    return [identity for identity in found if identity]


def strays(home: Path, known: set[int]) -> list[Identity]:
    """Processes of this home that no record names: started just before a supervisor was killed.

    `known` are the process groups of the records; a supervisor is never a stray.
    """
    found = []
    for identity in marked(home):
        group = os.getpgid(identity.pid) if alive(identity) else 0
        if group and group not in known and "serving.daemon" not in command(identity.pid):
            found.append(identity)
    return found


def _serves(pid: int, home: Path) -> bool:
    words = _words(pid, "cmdline")
    ours = [b"--home", os.fsencode(home)]
    at = next((n + 1 for n, word in enumerate(words) if word.startswith(PACKAGE.encode())), 0)
    return at > 0 and words[at : at + 2] == ours and _user(pid) == os.getuid()


def _user(pid: int) -> int | None:
    """Whose process it is; what /proc/<pid> belongs to would not say so of one that is not dumpable."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(errors="replace")
    except OSError:
        return None
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("Uid:")), None)


def _words(pid: int, name: str) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes().split(b"\0")
    except OSError:
        return []


def end_all(home: Path, *, grace: float) -> None:
    """Stop every marked process: asked first, killed after `grace` seconds.

    Raises `PlatformUnavailable` if one is left after `grace` + 10 seconds.
    """
    began = time.monotonic()
    asked: set[Identity] = set()
    while left := marked(home):
        waited = time.monotonic() - began
        if waited > grace + 10:
            raise PlatformUnavailable(f"process {left[0].pid} does not end: {command(left[0].pid)}")
        for identity in left:
            if waited > grace:
                send(identity, signal.SIGKILL)
            elif identity not in asked:
                send(identity, signal.SIGTERM)
        asked.update(left)
        time.sleep(0.05)
