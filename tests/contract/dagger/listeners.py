"""What may stand at an engine's address: nothing, something mute, something else, something that speaks HTTP/2."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SETTINGS = b"\0\0\0\4\0\0\0\0\0"
MARK = "TAGLINE_TEST_MARK"


@contextmanager
def listener(says: bytes | None) -> Iterator[str]:
    """The address of a socket that accepts: it answers each connection with `says`, or never (None)."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        held: list[socket.socket] = []

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                held.append(connection)
                if says is not None:
                    connection.sendall(says)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"tcp://127.0.0.1:{server.getsockname()[1]}"
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in held:
                connection.close()


@contextmanager
def closed_port() -> Iterator[str]:
    """The address of a port that is bound, so that nobody else takes it, and does not accept."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield f"tcp://127.0.0.1:{holder.getsockname()[1]}"


def hanging_cli(folder: Path) -> Path:
    """A stand-in for the `dagger` command, whose session opens never, ignores SIGTERM and has a child."""
    cli = folder / "dagger"
    cli.write_text("#!/bin/sh\ntrap '' TERM INT HUP\necho started > \"$0.started\"\nsleep 600 & sleep 600\n")
    cli.chmod(0o755)
    return cli


def waiting_cli(folder: Path, says: str) -> Path:
    """A stand-in that says something and waits; like the real command it ends when its standard input does."""
    cli = hanging_cli(folder)
    cli.write_text(f"#!/bin/sh\necho '{says}' >&2\necho started > \"$0.started\"\ncat >/dev/null\n")
    return cli


def marked(mark: str) -> list[str]:
    """The command lines of all processes that carry the mark in their environment, but this one."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                environ = (entry / "environ").read_bytes().split(b"\0")
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue  # it ended meanwhile, or is another user's
            if f"{MARK}={mark}".encode() in environ and line:
                found.append(line)
    return found
