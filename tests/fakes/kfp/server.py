"""The fake server itself: HTTP on loopback, a thread a connection, one lock around its memory."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from tests.fakes.kfp import routes, specs
from tests.fakes.kfp.access import HEADER
from tests.fakes.kfp.answers import INTERNAL, Answer, Broken, Refused, bare
from tests.fakes.kfp.levers import Levers
from tests.fakes.kfp.request import NotUnderstood, Request, a_request
from tests.fakes.kfp.world import World

LOST = (
    "Failed to list: InternalServerError: Failed to start transaction: "
    "dial tcp 127.0.0.1:3306: connect: connection refused"
)


class FakeKfp(Levers):
    """A fake Kubeflow Pipelines API server; see the package's docstring."""

    def __init__(
        self, mode: str = "database", namespace: str = "kubeflow", start: float | None = None
    ) -> None:
        super().__init__(World(mode, namespace, start))
        self._http = _Server(self)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.world.closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(10)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, fake: FakeKfp) -> None:
        self.fake = fake
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body go out at once, and not 40 ms apart

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fake = self.server.fake
        fake.asked.append((self.command, self.path))
        # one value a header, but for the identity, whose repetition the server refuses
        headers = dict(self.headers.items())
        repeated = self.headers.get_all(HEADER) or []
        headers |= {f"{HEADER}": ",".join(repeated)} if len(repeated) > 1 else {}
        self._send(reply(fake, a_request(self.command, self.path, headers, body)))

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _handle

    def _send(self, answer: Answer | None) -> None:
        """Send it; None hangs up without a word, as a killed server does."""
        if answer is None:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is printed; `FakeKfp.asked` has the requests."""


def reply(fake: Levers, request: Request) -> Answer | None:
    """What the server does with one request, troubles first."""
    world = fake.world
    troubles = world.troubles
    if any(name.lower() == HEADER and not value.strip() for name, value in request.headers.items()):
        troubles.killed = troubles.killed or _authorizes(world, request)
    if troubles.killed:
        return None
    if troubles.page:
        return Answer(200, troubles.page.encode(), {"Content-Type": "text/html; charset=utf-8"})
    if request.path.endswith("/healthz"):
        return routes.answer(world, request)
    if troubles.hanging:
        world.closing.wait()
        return None
    if troubles.statuses:
        return bare(troubles.statuses.pop(0), 14, "upstream connect error or disconnect/reset before headers")
    if troubles.database_lost and request.path.startswith(routes.API):
        return Refused(INTERNAL, LOST).answer()
    try:
        with world.lock:
            fake.before_answer(request)
            answer = routes.answer(world, request)
    except Refused as refused:
        answer = refused.answer()
    except (NotUnderstood, Broken) as refused:
        answer = refused.answer
    except specs.NeverAnswers:
        fake.spinning += 1
        world.closing.wait()
        return None
    if troubles.lost_answers and request.method != "GET":
        troubles.lost_answers -= 1
        return None
    return answer


def _authorizes(world: World, request: Request) -> bool:
    """An empty identity kills the server where a gRPC route asks for rights; uploads survive it."""
    return world.multi_user and "/upload" not in request.path
