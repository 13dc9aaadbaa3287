"""Requests to the supervisor and the router over their unix sockets, with a time limit."""

import http.client
import socket
from pathlib import Path
from typing import TypeVar

import msgspec

from tagline import errors
from tagline.platforms.local.serving import files
from tagline.platforms.local.serving.wire import Refusal

T = TypeVar("T", bound=msgspec.Struct)


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def ask(
    path: Path, what: str, kind: type[T], *, body: msgspec.Struct | None = None, timeout: float = 5.0
) -> T:
    """One request to a socket: GET, or POST where it has a body.

    Raises the `TaglineError` that the other side refused with, and `PlatformUnavailable` where nobody answers
    in time.
    """
    connection = _Connection(path, timeout)
    try:
        data = files.encode(body) if body is not None else None
        connection.request("POST" if body is not None else "GET", what, data)
        response = connection.getresponse()
        status, answer = response.status, response.read()
    except (OSError, http.client.HTTPException) as error:
        why = str(error) or type(error).__name__
        raise errors.PlatformUnavailable(
            f"the local platform does not answer: {why}", where=str(path)
        ) from error
    finally:
        connection.close()
    try:
        if status >= 400:
            raise _refusal(files.decode(answer, Refusal))
        decoded: T = files.decode(answer, kind)
    except msgspec.DecodeError as error:
        raise errors.PlatformUnavailable(
            f"the local platform answered {status} with something unknown",
            where=str(path),
            fix="tagline local down",
        ) from error
    return decoded


def _refusal(refusal: Refusal) -> errors.TaglineError:
    kind = getattr(errors, refusal.error, errors.PlatformError)
    error: errors.TaglineError = kind(refusal.what, where=refusal.where, fix=refusal.fix)
    return error


class Nothing(msgspec.Struct, frozen=True):
    """An empty body."""
