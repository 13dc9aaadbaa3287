"""What the fake hosts share: an HTTP server on loopback, its routes, and the ways in which a host can fail."""

import json
import re
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


@dataclass
class Asked:
    """One request as it came: `path` as sent, `query` and `body` read."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def form(self) -> dict[str, str]:
        return {key: values[-1] for key, values in parse_qs(self.body.decode()).items()}


@dataclass
class Said:
    """An answer: `body` is JSON unless it is text."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        if self.body is None:
            return b""
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


@dataclass
class Fault:
    """What goes wrong with the next request that its `method` and `path` (a pattern) fit.

    `status` and `body` are said in place of the answer; with `done` the request is carried out all the same.
    `slow` seconds pass before it, `half` cuts it off in the middle, `drip` sends it byte by byte.
    """

    method: str = ""
    path: str = ""
    status: int = 0
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    done: bool = False
    slow: float = 0.0
    half: bool = False
    drip: float = 0.0

    def fits(self, asked: Asked) -> bool:
        return self.method in {"", asked.method} and re.search(self.path, asked.path) is not None


Route = tuple[str, str, Callable[..., Said]]


class FakeHost:
    """A host: `routes` are method, pattern of the path, and what answers; `faults` wait for their requests."""

    prefix = ""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.faults: list[Fault] = []
        self.url = ""

    def routes(self) -> list[Route]:
        raise NotImplementedError

    def before(self, asked: Asked) -> Said | None:
        """The answer to a request that does not get as far as its route, such as one without a token."""
        raise NotImplementedError

    def unknown(self, asked: Asked, methods: list[str]) -> Said:
        """The answer where no route fits; `methods` are those the path has."""
        raise NotImplementedError

    def answer(self, asked: Asked) -> Said:
        early = self.before(asked)
        if early:
            return early
        methods = []
        for method, pattern, act in self.routes():
            found = re.fullmatch(self.prefix + pattern, asked.path)
            if found and method == asked.method:
                return act(asked, *map(unquote, found.groups()))
            methods += [method] if found else []
        return self.unknown(asked, methods)

    def seen(self, method: str, path: str = "") -> list[Asked]:
        """The requests of a method whose path fits a pattern."""
        return [one for one in self.asked if one.method == method and re.search(path, one.path)]

    @contextmanager
    def running(self, certificate: Path | None = None) -> Iterator[None]:
        """The host answers at `url` inside the block; by TLS with a certificate (a file that holds its key too)."""
        handler = type("Handler", (_Handler,), {"host": self})
        with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            server.daemon_threads = True
            if certificate:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(certificate)
                server.socket = context.wrap_socket(server.socket, server_side=True)
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
            thread.start()
            self.url = f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}"
            try:
                yield
            finally:
                server.shutdown()
                thread.join()


class _Handler(BaseHTTPRequestHandler):
    host: FakeHost
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body go out at once, and not 40 ms apart

    def _serve(self) -> None:
        parts = urlsplit(self.path)
        query = {key: values[-1] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, parts.path, query, headers, body)
        self.host.asked.append(asked)
        fault = next((one for one in self.host.faults if one.fits(asked)), None)
        if fault is None:
            self._send(self.host.answer(asked), Fault())
            return
        self.host.faults.remove(fault)
        said = self.host.answer(asked) if fault.done or not fault.status else None
        said = Said(fault.status, fault.body, fault.headers) if fault.status or said is None else said
        self._send(said, fault)

    def _send(self, said: Said, fault: Fault) -> None:
        time.sleep(fault.slow)
        content = said.content()
        try:
            self.send_response(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Connection", "close")
            self.end_headers()
            self._write(content, fault)
        except OSError:
            pass  # whoever asked has gone: that is what a slow host sees
        self.close_connection = True

    def _write(self, content: bytes, fault: Fault) -> None:
        if fault.half:
            content = content[: len(content) // 2]
        if not fault.drip:
            self.wfile.write(content)
            return
        for at in range(len(content)):
            self.wfile.write(content[at : at + 1])
            self.wfile.flush()
            time.sleep(fault.drip)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _serve

    def handle(self) -> None:
        with suppress(ConnectionError):  # a client that does not trust us hangs up
            super().handle()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def paged(asked: Asked, url: str, items: list[Any], most: int = 100) -> Said:
    """A page of a list, and the address of the next one, as GitHub and GitLab cut them (`per_page`, `page`)."""
    size = min(int(asked.query.get("per_page", "30")), most)
    page = int(asked.query.get("page", "1"))
    headers = {}
    if page * size < len(items):
        rest = "&".join(f"{key}={value}" for key, value in asked.query.items() if key != "page")
        headers["Link"] = f'<{url}{asked.path}?{rest}&page={page + 1}>; rel="next"'
    return Said(200, items[(page - 1) * size : page * size], headers)
