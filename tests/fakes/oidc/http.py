"""What the fakes here share: a server on loopback that answers by one function."""

import ssl
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, urlsplit

import msgspec


class Asked(msgspec.Struct, frozen=True):
    """One request; `query` and `form` hold the last of each name's values."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    whole: str

    @property
    def form(self) -> dict[str, str]:
        return _last(self.body.decode())

    @property
    def cookies(self) -> dict[str, str]:
        pairs = (part.strip().partition("=") for part in self.headers.get("cookie", "").split(";"))
        return {name: value for name, _, value in pairs if name}


class Said(msgspec.Struct, frozen=True):
    """One answer."""

    status: int
    body: bytes = b""
    kind: str = "text/html; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()


def _last(text: str) -> dict[str, str]:
    return {name: values[-1] for name, values in parse_qs(text, keep_blank_values=True).items()}


class Fake:
    """A server whose answers `answer` decides; `asked` is what it was asked.

    With `certificate` (a PEM file with its key) it speaks TLS.
    """

    def __init__(self, certificate: Path | None = None) -> None:
        self.asked: list[Asked] = []
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self._answer))
        self._scheme = "https" if certificate else "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        self._http.daemon_threads = True
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._http.server_address[1]}"

    def answer(self, asked: Asked) -> Said:
        raise NotImplementedError

    def _answer(self, asked: Asked) -> Said:
        self.asked.append(asked)
        return self.answer(asked)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(5)


def _handler(answer: Callable[[Asked], Said]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # head and body go out at once, and not 40 ms apart

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

        def _handle(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            said = answer(Asked(self.command, parts.path, _last(parts.query), headers, body, self.path))
            self.send_response(said.status)
            for name, value in (("Content-Type", said.kind), *said.headers):
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(said.body)))
            self.end_headers()
            self.wfile.write(said.body)

        do_GET = do_POST = do_DELETE = do_PATCH = _handle

    return Handler
