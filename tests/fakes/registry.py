"""A registry that misbehaves as real ones do: busy answers, cut connections, bearer tokens; HTTP on loopback.

It keeps what it is sent and speaks the part of the distribution API that tagline speaks, as docker-registry does.
"""

import hashlib
import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


class Server(ThreadingHTTPServer):
    """Its state: `trouble` is answered first (a status, or 0 to cut the connection), `token` is asked for if set."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.blobs: dict[str, bytes] = {}
        self.manifests: dict[str, tuple[str, bytes]] = {}
        self.trouble: list[int] = []
        self.token = ""
        self.login = ""
        self.seen: list[tuple[str, str, str]] = []

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body go out at once, and not 40 ms apart

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: `seen` tells."""

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append((self.command, self.path, self.headers.get("Authorization", "")))
        if self.server.trouble:
            status = self.server.trouble.pop(0)
            if status:
                self._answer(status)
            else:
                self.close_connection = True
                self.connection.close()
            return
        if self.path.startswith("/token"):
            good = self.headers.get("Authorization") == self.server.login
            self._answer(
                200 if good else 401, json.dumps({"token": self.server.token}).encode() if good else b""
            )
            return
        if self.server.token and self.headers.get("Authorization") != f"Bearer {self.server.token}":
            realm = f'Bearer realm="http://{self.server.host}/token",service="fake",scope="repository:x:pull"'
            self._answer(401, headers={"WWW-Authenticate": realm})
            return
        self._serve(body)

    do_HEAD = do_GET = do_POST = do_PUT = _handle

    def _serve(self, body: bytes) -> None:
        place = urlsplit(self.path)
        kind, name = place.path.split("/")[-2:]
        match self.command, kind:
            case "POST", _:
                self._answer(202, headers={"Location": f"/v2/x/blobs/uploads/{uuid.uuid4()}?state=1"})
            case "PUT", "uploads":
                digest = parse_qs(place.query)["digest"][0]
                good = digest == f"sha256:{hashlib.sha256(body).hexdigest()}"
                if good:
                    self.server.blobs[digest] = body
                self._answer(201 if good else 400, b"" if good else b"digest does not match")
            case "PUT", "manifests":
                self.server.manifests[name] = (self.headers["Content-Type"], body)
                self._answer(201)
            case (("GET" | "HEAD"), "blobs") if name in self.server.blobs:
                self._answer(200, self.server.blobs[name])
            case (("GET" | "HEAD"), "manifests") if name in self.server.manifests:
                media, said = self.server.manifests[name]
                self._answer(200, said, {"Content-Type": media})
            case _:
                self._answer(404)

    def _answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for key, value in (headers or {}).items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def fake_registry() -> Iterator[Server]:
    """A server in a thread, gone with the block."""
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
