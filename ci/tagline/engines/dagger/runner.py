"""Which Dagger engine answers, if any: only one that runs already, asked within seconds, never started by us."""

import shutil
import socket
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

from tagline.errors import EngineMissing, MissingTool

RUNNER_VARIABLE = "_EXPERIMENTAL_DAGGER_RUNNER_HOST"
CLI_VARIABLE = "_EXPERIMENTAL_DAGGER_CLI_BIN"
ANSWER_LIMIT = 2.0
_FORMS = f"{RUNNER_VARIABLE}=unix:///run/dagger/engine.sock or tcp://HOST:PORT"
# RFC 9113 §3.4: the client's preface is this text and a SETTINGS frame, here an empty one; the server's is a
# SETTINGS frame. The engine speaks gRPC, which is HTTP/2 without negotiation.
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
_HEAD, _TYPE, _SETTINGS = 9, 3, 4


def require(environ: Mapping[str, str], limit: float = ANSWER_LIMIT) -> dict[str, str]:
    """The environment of a client: an engine that answers, and a CLI that is here; nothing is downloaded.

    Raises `EngineMissing` within `limit` seconds for the connection and `limit` for the answer, `MissingTool` without
    dagger-io.
    """
    if find_spec("dagger") is None:
        from tagline import extras

        raise MissingTool("engine dagger needs the package dagger-io", fix=extras.install("dagger"))
    address = environ.get(RUNNER_VARIABLE, "")
    if not address:
        raise EngineMissing(
            "no Dagger engine is named, and tagline starts none", fix=f"start one, and set {_FORMS}"
        )
    if not answers(address, limit):
        raise EngineMissing(
            "no Dagger engine answers", where=address, fix="start it, or leave --engine dagger away"
        )
    return {**environ, CLI_VARIABLE: _cli(environ), "DO_NOT_TRACK": "1", "DAGGER_NO_NAG": "1"}


def ready(environ: Mapping[str, str]) -> bool:
    """Whether an engine is named and answers, and its client is here: what `auto` may take."""
    try:
        require(environ)
    except (EngineMissing, MissingTool):
        return False
    return True


def answers(address: str, limit: float = ANSWER_LIMIT) -> bool:
    """Whether something at the address accepts, and speaks HTTP/2 as an engine does.

    Raises `EngineMissing` for an address that cannot be asked by a connection: behind some, such as
    docker-image://, an engine would be started.
    """
    try:
        place = urlsplit(address)
        if place.scheme == "unix":
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(limit)
                connection.connect(place.path)
                return _speaks(connection, limit)
        if place.scheme == "tcp" and place.hostname and place.port:
            with socket.create_connection((place.hostname, place.port), limit) as connection:
                return _speaks(connection, limit)
    except (OSError, ValueError):
        return False
    raise EngineMissing("this kind of address cannot be asked whether it answers", where=address, fix=_FORMS)


def _speaks(connection: socket.socket, limit: float) -> bool:
    connection.sendall(_PREFACE)
    until, head = monotonic() + limit, b""
    while len(head) < _HEAD:
        connection.settimeout(max(until - monotonic(), 0.001))
        part = connection.recv(_HEAD - len(head))
        if not part:
            return False
        head += part
    return head[_TYPE] == _SETTINGS


def _cli(environ: Mapping[str, str]) -> str:
    named = environ.get(CLI_VARIABLE) or "dagger"
    found = shutil.which(named, path=environ.get("PATH"))
    if found is None:
        raise EngineMissing(
            f"the command {Path(named).name} is not here: Dagger's client needs it, of the engine's version",
            fix=f"put it on the path, or name it in {CLI_VARIABLE}",
        )
    return found
