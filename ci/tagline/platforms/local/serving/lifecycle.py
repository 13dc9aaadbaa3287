"""The platform as a whole: up, down, what runs, what it logged."""

import os
import secrets
import signal
import time
from pathlib import Path

import msgspec

from tagline import __version__
from tagline.engines import Guards
from tagline.errors import PlatformUnavailable
from tagline.platforms.local.home import tagline_port
from tagline.platforms.local.serving import admin, files, guarding, launch, logfiles, ports, procs, wire
from tagline.platforms.local.serving.paths import Paths
from tagline.platforms.local.serving.records import State, servers
from tagline.words import one_of

START_LIMIT = 60.0
END_GRACE = 15.0
_POLL = 0.05
_START_AGAIN = 5.0  # a starting supervisor needs a while to record itself


class PlatformStatus(msgspec.Struct, frozen=True):
    """What runs; `failures` has the versions that did not load since the start, with their last words."""

    up: bool
    url: str
    version: str
    processes: list[wire.ProcessStatus]
    failures: dict[str, str] = {}


class LogTail(msgspec.Struct, frozen=True):
    """The end of one log."""

    name: str
    path: Path
    text: str


def ask_status(paths: Paths) -> wire.Status | None:
    """What the supervisor says, or None where none answers."""
    try:
        return admin.ask(paths.admin, "/status", wire.Status)
    except PlatformUnavailable:
        return None


def ensure(paths: Paths) -> wire.Status:
    """Have supervisor and router of this version run; returns at once where they do.

    TAGLINE_PORT is looked at when they start; a running platform keeps its port.

    Raises `PortTaken`, `StateBroken`, `PlatformUnavailable` (not up within 60 seconds).
    """
    deadline = time.monotonic() + START_LIMIT
    next_start = 0.0
    while time.monotonic() < deadline:
        status = ask_status(paths)
        if status is None:
            if time.monotonic() >= next_start and not (next_start and _supervisor_lives(paths)):
                _start(paths)
                next_start = time.monotonic() + _START_AGAIN
        elif (status.hello.protocol, status.hello.version) != (wire.PROTOCOL, __version__):
            admin.ask(paths.admin, "/end", wire.Hello, body=wire.End(stop=False))
        elif _router(status).phase is wire.Phase.READY:
            return status
        elif _router(status).restarts and not _is_ours(paths, status.hello.port):
            _end(paths)
            raise ports.taken(status.hello.port)
        time.sleep(_POLL)
    raise PlatformUnavailable(
        "the local platform did not start", where=str(paths.log("supervisor")), fix="tagline local logs"
    )


def up(home: Path, *, limit: float = 180.0) -> PlatformStatus:
    """Start the platform, and wait until everything that served does so again, at most `limit` seconds.

    Raises as `ensure`, and `PlatformUnavailable` that names the server that is not ready.
    """
    paths = Paths(home)
    ensure(paths)
    deadline = time.monotonic() + limit
    while waiting := _not_ready(paths):
        if time.monotonic() > deadline:
            raise PlatformUnavailable(
                f"{waiting[0]} is not ready within {limit:g} s", fix="tagline local logs"
            )
        time.sleep(_POLL)
    return status(home)


def down(home: Path) -> None:
    """Stop every process of this home and remove its sockets and locks; what serves stays recorded.

    Again is a no-op. A rollout under way pauses and does not start it again. Raises `PlatformUnavailable` if a
    process does not end.
    """
    paths = Paths(home)
    if not paths.folder.exists():
        return
    files.write_bytes(paths.put_down, secrets.token_hex(8).encode())
    _end(paths)


def last_put_down(paths: Paths) -> bytes:
    """Which `down` was the last; empty where there was none."""
    return paths.put_down.read_bytes() if paths.put_down.exists() else b""


def _end(paths: Paths) -> None:
    if ask_status(paths):
        admin.ask(paths.admin, "/end", wire.Hello, body=wire.End(stop=True))
        deadline = time.monotonic() + END_GRACE
        while _supervisor_lives(paths) and time.monotonic() < deadline:
            time.sleep(_POLL)
    procs.end_all(paths.home, grace=2.0)
    paths.clear()


def status(home: Path) -> PlatformStatus:
    """What runs now; starts nothing."""
    paths = Paths(home)
    found = ask_status(paths)
    if found is None:
        return PlatformStatus(False, "", __version__, [])
    url = f"http://{ports.HOST}:{found.hello.port}"
    return PlatformStatus(True, url, found.hello.version, found.processes, found.failures)


def guards(home: Path) -> list[Guards]:
    """What the model servers on record must leave alone, each answer once. Starts nothing. Raises `StateBroken`."""
    paths = Paths(home)
    state = files.read(paths.state, State) or State()
    return list(guarding.all_guards(paths, [arm.spec for _, arm in servers(state).values()]))


def logs(home: Path, name: str = "", lines: int = 50) -> list[LogTail]:
    """The ends of the logs, or of one: `supervisor`, `router`, or `<env>/<model>/<version slug>`.

    Raises `UnknownName` for a name that has none.
    """
    paths = Paths(home)
    known = {path.stem: path for path in sorted(paths.logs.glob("*.log"))}
    if name:
        known = {one: known[one] for one in [one_of(name.replace("/", "."), known, "log")]}
    return [LogTail(one, path, logfiles.tail(path, lines)) for one, path in known.items()]


def _router(status: wire.Status) -> wire.ProcessStatus:
    return next(one for one in status.processes if one.name == "router")


def _not_ready(paths: Paths) -> list[str]:
    state = files.read(paths.state, State) or State()
    wanted = {name for name, (_, arm) in servers(state).items() if arm.weight}
    found = ask_status(paths)
    ready = {one.name for one in found.processes if one.phase is wire.Phase.READY} if found else set()
    return sorted(wanted - ready)


def _supervisor_lives(paths: Paths) -> bool:
    recorded = files.read(paths.processes, launch.Processes)
    return recorded is not None and procs.alive(recorded.supervisor)


def _is_ours(paths: Paths, port: int) -> bool:
    """Whether the port is free or our router's, which is known by its record: it lets nobody see its sockets."""
    if ports.is_free(port):
        return True
    recorded = files.read(paths.processes, launch.Processes)
    if recorded and recorded.port == port and procs.alive(recorded.router):
        return True
    pid = ports.holder(port)
    return any(one.pid == pid for one in procs.marked(paths.home))


def _start(paths: Paths) -> None:
    """Start a supervisor, where nothing stands in its way; one that hangs is ended first."""
    files.read(paths.state, State)
    recorded = files.read(paths.processes, launch.Processes)
    if recorded and recorded.supervisor and procs.alive(recorded.supervisor):
        procs.send(recorded.supervisor, signal.SIGKILL)
    port = tagline_port(os.environ)
    if not _is_ours(paths, port):
        raise ports.taken(port)
    paths.make()
    launch.start_supervisor(paths, port)
