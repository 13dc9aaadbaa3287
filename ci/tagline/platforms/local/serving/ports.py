"""Ports on loopback: a free one, and who holds one that is not."""

import os
import socket
from pathlib import Path

from tagline.errors import PortTaken
from tagline.platforms.local.serving import procs

HOST = "127.0.0.1"
_LISTEN = "0A"


def free_port() -> int:
    """A port on loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def is_free(port: int) -> bool:
    """Whether a server could listen on this port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def holder(port: int) -> int | None:
    """The pid that listens on `port`, or None where nobody does or it is another user's."""
    inodes = _listeners(port)
    for entry in os.scandir("/proc") if inodes else ():
        if entry.name.isdigit() and _sockets(entry.name) & inodes:
            return int(entry.name)
    return None


def taken(port: int) -> PortTaken:
    """The error that names the port and, where it can be known, its holder."""
    pid = holder(port)
    who = f"pid {pid} ({procs.command(pid)})" if pid else "another program"
    return PortTaken(
        f"port {port} is taken by {who}",
        where=f"{HOST}:{port}",
        fix="stop that program, or choose another port: export TAGLINE_PORT=8471",
    )


def _listeners(port: int) -> set[str]:
    found = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if not Path(table).exists():
            continue
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == _LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
                found.add(f"socket:[{fields[9]}]")
    return found


def _sockets(pid: str) -> set[str]:
    try:
        return {os.readlink(entry.path) for entry in os.scandir(f"/proc/{pid}/fd")}
    except OSError:
        return set()
