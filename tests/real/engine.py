"""A Docker engine for tests: the one that answers, or one of our own on a private socket, gone after the last user."""

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tagline.engines.docker import client

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".demo/docker"
KEEPER = Path(__file__).with_name("keeper.py")
START_LIMIT = 60.0


def lacks() -> str:
    """Why no engine can run here; empty where one can."""
    if os.getuid() != 0:
        return "a Docker engine of our own needs root"
    if not (FOLDER / "bin/.complete").exists():
        return "no Docker here: tools/docker brings it"
    return ""


@contextmanager
def docker_environ(*, own: bool = False) -> Iterator[dict[str, str]]:
    """The environment in which tagline and `docker` reach the engine; it is up while the block runs.

    `own` asks for one with Docker's own image store, as most machines have it, instead of containerd's.
    """
    if not own and any(os.environ.get(name) for name in client.HOST_VARIABLES) and client.answers(os.environ):
        yield dict(os.environ)
        return
    folder = FOLDER / "own" if own else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "users").open("a") as users, (folder / "start").open("a") as start:
        fcntl.flock(users, fcntl.LOCK_SH)
        fcntl.flock(start, fcntl.LOCK_EX)
        environ = _environ(folder)
        if not client.answers(environ):
            _start(folder, environ, own)
        fcntl.flock(start, fcntl.LOCK_UN)
        try:
            yield environ
        finally:
            fcntl.flock(users, fcntl.LOCK_UN)
            _wait_until_gone(folder)


def _environ(folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PATH": f"{FOLDER / 'bin'}:{os.environ['PATH']}:/usr/sbin:/sbin",
        "TAGLINE_DOCKER_HOST": f"unix://{folder / 'docker.sock'}",
        "DOCKER_HOST": f"unix://{folder / 'docker.sock'}",
        "DOCKER_CONFIG": str(FOLDER / "config"),
        client.NETWORK_VARIABLE: "host",
    }


def _start(folder: Path, environ: dict[str, str], own: bool) -> None:
    """Start the keeper; no bridge and no firewall rule is made, so containers use the host's network."""
    settings = {
        "features": {"containerd-snapshotter": not own},
        "hosts": [environ["DOCKER_HOST"]],
        "data-root": str(folder / "data"),
        "exec-root": str(folder / "run"),
        "pidfile": str(folder / "docker.pid"),
        "bridge": "none",
        "userland-proxy": False,
        "iptables": False,
        "ip6tables": False,
        "cgroup-parent": f"/tagline-{folder.stat().st_ino}",
        "exec-opts": ["native.cgroupdriver=cgroupfs"],
    }
    (folder / "daemon.json").write_text(json.dumps(settings))
    (folder / "docker.pid").unlink(missing_ok=True)
    space = [
        "unshare",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
        "--propagation",
        "private",
    ]
    engine = [*space, "dockerd", f"--config-file={folder / 'daemon.json'}"]
    with (folder / "keeper.log").open("wb") as log:
        subprocess.Popen(
            [sys.executable, "-I", str(KEEPER), str(folder), *engine],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_LIMIT
    while not client.answers(environ):
        if time.monotonic() > deadline:
            raise RuntimeError((folder / "engine.log").read_text(errors="replace")[-2000:])
        time.sleep(0.2)


def _wait_until_gone(folder: Path) -> None:
    """Return when the engine has ended with all it started, or when another user goes on with it."""
    deadline = time.monotonic() + START_LIMIT
    with (folder / "keeper").open("a") as keeper:
        while time.monotonic() < deadline and not _others(folder):
            try:
                fcntl.flock(keeper, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError:
                time.sleep(0.1)


def _others(folder: Path) -> bool:
    """Whether another process uses the engine: its lock on `users` is shared, the keeper's is not."""
    inode = f":{(folder / 'users').stat().st_ino} "
    locks = [line for line in Path("/proc/locks").read_text().splitlines() if inode in line]
    return any("READ" in line for line in locks)
