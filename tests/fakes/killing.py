"""Proxies on loopback that kill their client, at a chosen request before it is handled or before its answer is given.

Or they spare it, and refuse that request (503), or lose the answer.

Every proxy of one `Deaths` counts with the others, so that "every request to the outside" is one list.
"""

import http.client
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

PASSED_ON_BY_NOBODY = {"connection", "keep-alive", "transfer-encoding", "content-length"}


class Deaths:
    """Counts requests from 1, and kills the client's process group at one of them; `asked` are its requests."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._lock = threading.Lock()
        self._at, self._after, self._known, self._victim = 0, False, threading.Event(), 0
        self._spares = False

    def at(self, number: int, *, after: bool = False, spares: bool = False) -> None:
        """Begin to count anew: the client dies at this request (0: never), `after` it was handled or before.

        One that is spared gets 503 for it, or no answer `after` it was handled.
        """
        self.asked, self._at, self._after, self._spares = [], number, after, spares
        self._known.clear()

    def kills(self, victim: int) -> None:
        """Whose process group it is, by its leader."""
        self._victim = victim
        self._known.set()

    def count(self, line: str) -> int:
        with self._lock:
            self.asked.append(line)
            return len(self.asked)

    def strikes(self, number: int, *, after: bool) -> bool:
        """Whether it happens now; the client is killed, unless it is to be spared."""
        if number != self._at or after is not self._after:
            return False
        if not self._spares:
            assert self._known.wait(20)
            os.killpg(self._victim, signal.SIGKILL)
        return True

    @property
    def refuses(self) -> bool:
        return self._spares and not self._after


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, name: str, upstream: str, deaths: Deaths) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.name, self.upstream, self.deaths = name, urlsplit(upstream).netloc, deaths


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body go out at once, and not 40 ms apart

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: `Deaths.asked` has the requests."""

    def _handle(self) -> None:
        deaths = self.server.deaths
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        number = deaths.count(f"{self.server.name} {self.command} {self.path}")
        self.close_connection = True
        if deaths.strikes(number, after=False):
            if deaths.refuses:
                self.send_response(503, "Service Unavailable")
                self.send_header("Content-Length", "0")
                self.end_headers()
            return
        answer, content = self._asked(body)
        if deaths.strikes(number, after=True):
            return
        self.close_connection = False
        self._give(answer, content)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _handle

    def _asked(self, body: bytes) -> tuple[http.client.HTTPResponse, bytes]:
        """The server's own answer; the Host stays the client's, which may have signed it."""
        to = http.client.HTTPConnection(self.server.upstream, timeout=60)
        to.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in PASSED_ON_BY_NOBODY:
                to.putheader(name, value)
        to.putheader("Content-Length", str(len(body)))
        to.endheaders(body)
        answer = to.getresponse()
        content = answer.read()
        to.close()
        return answer, content

    def _give(self, answer: http.client.HTTPResponse, content: bytes) -> None:
        self.send_response(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in PASSED_ON_BY_NOBODY | {"server", "date"}:
                self.send_header(name, value)
        size = answer.getheader("Content-Length") if self.command == "HEAD" else None
        self.send_header("Content-Length", size or str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def killing(name: str, upstream: str, deaths: Deaths) -> Iterator[str]:
    """A proxy before `upstream` (http://HOST:PORT), whose requests `deaths` counts under this name; its address."""
    server = _Server(name, upstream, deaths)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
