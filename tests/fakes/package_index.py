"""A package index on loopback: the wheels of a folder by the simple protocol, behind a user and a password."""

import base64
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

USER, PASSWORD = "ada", "lovelace-1843"


@dataclass
class Index:
    """The wheels of `folder`; `asked` lists the paths that were asked for with the right password."""

    folder: Path
    port: int = 0
    asked: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://{USER}:{PASSWORD}@127.0.0.1:{self.port}/simple/"


@contextmanager
def a_package_index(folder: Path) -> Iterator[Index]:
    """Serve `folder` while the block runs."""
    index = Index(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"index": index}))
    index.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield index
    finally:
        server.shutdown()
        server.server_close()
        thread.join(60)


class _Handler(BaseHTTPRequestHandler):
    index: Index

    def do_GET(self) -> None:
        expected = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {expected}":
            self.send_response(HTTPStatus.UNAUTHORIZED)
            self.send_header("WWW-Authenticate", 'Basic realm="packages"')
            self.end_headers()
            return
        self.index.asked.append(self.path)
        wheel = self.index.folder / self.path.rsplit("/", 1)[-1]
        if wheel.suffix == ".whl" and wheel.is_file():
            self._answer(wheel.read_bytes(), "application/octet-stream")
        else:
            self._answer(self._page(self.path.strip("/").split("/")[-1]).encode(), "text/html")

    def _page(self, project: str) -> str:
        names = [wheel.name for wheel in self.index.folder.glob("*.whl")]
        mine = [name for name in names if name.split("-")[0].lower().replace("_", "-") == project]
        return "".join(f'<a href="/files/{name}">{name}</a>' for name in mine)

    def _answer(self, body: bytes, kind: str) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed; `Index.asked` has the requests."""
