"""A git host on loopback: real repositories served by git's own http-backend, and GitLab's address for a raw file."""

import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

LIMIT = 60


@dataclass
class GitHost:
    """The bare repositories below `root` under `url`; `asked` lists the requests, as method and path."""

    root: Path
    port: int = 0
    asked: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def a_git_host(root: Path) -> Iterator[GitHost]:
    """Serve `root` while the block runs; pushes are allowed."""
    host = GitHost(root)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"host": host}))
    host.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        server.server_close()
        thread.join(LIMIT)


class _Handler(BaseHTTPRequestHandler):
    host: GitHost

    def do_GET(self) -> None:
        self.host.asked.append(f"{self.command} {self.path}")
        project, raw, rest = urlsplit(self.path).path.partition("/-/raw/")
        if raw:
            self._raw(project.strip("/"), rest)
        else:
            self._git(b"")

    def do_POST(self) -> None:
        self.host.asked.append(f"{self.command} {self.path}")
        self._git(self._body())

    def _raw(self, project: str, rest: str) -> None:
        ref, _, path = unquote(rest).partition("/")
        bare = self.host.root / f"{project}.git"
        shown = subprocess.run(
            ["git", "-C", bare, "show", f"{ref}:{path}"], capture_output=True, timeout=LIMIT
        )
        self.send_response(HTTPStatus.NOT_FOUND if shown.returncode else HTTPStatus.OK)
        self.send_header("Content-Length", str(len(shown.stdout)))
        self.end_headers()
        self.wfile.write(shown.stdout)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _git(self, body: bytes) -> None:
        address = urlsplit(self.path)
        environ = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.host.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_COUNT": "2",
            "GIT_CONFIG_KEY_0": "http.receivepack",
            "GIT_CONFIG_VALUE_0": "true",
            "GIT_CONFIG_KEY_1": "uploadpack.allowReachableSHA1InWant",
            "GIT_CONFIG_VALUE_1": "true",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": unquote(address.path),
            "QUERY_STRING": address.query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_ADDR": "127.0.0.1",
        }
        done = subprocess.run(
            ["git", "http-backend"], input=body, env=environ, capture_output=True, timeout=LIMIT
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        lines = [line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line]
        headers = {name.title(): value for name, value in lines}
        self.send_response(int(headers.pop("Status", "200").split(" ")[0]))
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed; `GitHost.asked` has the requests."""
