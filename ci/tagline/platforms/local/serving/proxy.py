"""The data plane: each prediction goes to one version by weight, is judged, a canary's failure is mended."""

import asyncio
import json
import random
import re
from collections.abc import Callable
from typing import Any

from aiohttp import hdrs, web

from tagline.platforms.local.serving.table import Table, draw
from tagline.platforms.local.serving.tally import ArmTally, RouteTally, prometheus
from tagline.platforms.local.serving.upstream import Message, Upstream
from tagline.platforms.local.serving.verdict import Answer, Kind, asked, judge

VERSION_HEADER = "x-tagline-version"
MAX_REQUEST = 32 * 1024 * 1024
_PATH = re.compile(
    r"/(?P<env>[a-z][-a-z0-9]*)(?P<rest>/(?:v1/models/(?P<v1>[^/:]+)(?P<verb>:predict)?"
    r"|v2/models/(?P<v2>[^/:]+)(?P<end>/infer|/ready)?))"
)


class Router:
    """All routes and their counters; `boot` names this life of the router."""

    def __init__(self, upstream: Upstream, boot: str, point: Callable[[], float] = random.random) -> None:
        self.upstream = upstream
        self.boot = boot
        self.point = point
        self.revision = 0
        self.routes: dict[str, RouteTally] = {}

    def apply(self, table: Table) -> None:
        """Use a new table from the next request on; an older one, come late, is left out."""
        if table.revision < self.revision:
            return
        self.revision = table.revision
        known = self.routes
        self.routes = {}
        for route in table.routes:
            tally = known.get(route.name) or RouteTally(route)
            if tally.route != route:
                tally.apply(route)
            self.routes[route.name] = tally

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request of a client; never raises but for a connection that is gone."""
        own = {"/": self.overview, "/metrics": self.metrics}.get(request.path)
        if own:
            return own()
        match = _PATH.fullmatch(request.path)
        tally = self.routes.get(f"{match['env']}/{match['v1'] or match['v2']}") if match else None
        if match is None or tally is None:
            return self.unknown(request.path)
        judged = bool(match["verb"]) or match["end"] == "/infer"
        wanted = hdrs.METH_POST if judged else hdrs.METH_GET
        if request.method != wanted:
            return _json(405, {"error": f"{request.method} is not allowed here"}, {hdrs.ALLOW: wanted})
        try:
            message = await _message(request)
        except web.HTTPRequestEntityTooLarge:
            return _json(413, {"error": f"the request is longer than {MAX_REQUEST} bytes"})
        serve = self.predict if judged else self.tell
        return await serve(tally, match["rest"], message)

    async def predict(self, tally: RouteTally, path: str, message: Message) -> web.Response:
        """Draw an arm, count its answer once; where a canary's failed, let the stable one answer."""
        arm = self._draw(tally)
        if arm is None:
            return _nothing(tally)
        tally.requests += 1
        slower_than = tally.route.slower_than
        answer = await self._call(arm, path, message)
        instances = asked(message.body) if path.startswith("/v1/") else None
        kind = judge(answer, slower_than, instances)
        arm.count(kind)
        stable = tally.stable
        if kind and kind is not Kind.SLOW and stable and stable is not arm:
            arm = stable
            arm.retries += 1
            answer = await self._call(arm, path, message)
            kind = judge(answer, slower_than, instances)
        tally.client_bad += kind is not None
        return _passed(answer, arm)

    async def tell(self, tally: RouteTally, path: str, message: Message) -> web.Response:
        """What the model server says of itself: not counted, from the stable version where there is one."""
        stable = tally.stable
        arm = stable if stable and stable.row.weight else self._draw(tally, counted=False)
        if arm is None:
            return _nothing(tally)
        answer = await self._call(arm, path, message, method=hdrs.METH_GET)
        return _passed(answer, arm)

    def _draw(self, tally: RouteTally, *, counted: bool = True) -> ArmTally | None:
        row = draw(tally.route.rows, self.point())
        if row is None:
            return None
        arm = tally.arms[row.version]
        arm.drawn += counted
        return arm

    async def _call(self, arm: ArmTally, path: str, message: Message, method: str = hdrs.METH_POST) -> Answer:
        arm.inflight += 1
        try:
            return await self.upstream.call(arm.row.port, method, path, message, arm.row.timeout)
        finally:
            arm.inflight -= 1

    def overview(self) -> web.Response:
        """Which routes there are, and which life of which router answers."""
        routes = {
            name: {row.version: row.weight for row in one.route.rows} for name, one in self.routes.items()
        }
        return _json(200, {"router": self.boot, "revision": self.revision, "routes": routes})

    def metrics(self) -> web.Response:
        return web.Response(text=prometheus(self.routes.values()), content_type="text/plain", charset="utf-8")

    def unknown(self, path: str) -> web.Response:
        """404 that says what there is."""
        known = [f"/{one.route.env}/v1/models/{one.route.model}:predict" for one in self.routes.values()]
        return _json(404, {"error": f"no route {path}", "known": sorted(known)})


def server(router: Router) -> web.Server:
    """The router as an HTTP server; requests come in as they were sent, compressed bodies too."""
    loop = asyncio.get_running_loop()

    def request(message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
        return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=MAX_REQUEST)

    return web.Server(
        router.handle, request_factory=request, access_log=None, auto_decompress=False, lingering_time=1.0
    )


async def _message(request: web.BaseRequest) -> Message:
    if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0
    if (request.content_length or 0) > MAX_REQUEST:
        raise web.HTTPRequestEntityTooLarge(MAX_REQUEST, request.content_length or 0)
    body = await request.read() if request.body_exists else None
    return Message(request.headers, request.rel_url.raw_query_string, body)


def _passed(answer: Answer, arm: ArmTally) -> web.Response:
    response = web.Response(status=answer.status, body=answer.body, headers=answer.headers)
    response.headers[VERSION_HEADER] = arm.row.version
    return response


def _nothing(tally: RouteTally) -> web.Response:
    return _json(
        503, {"error": f"nothing serves {tally.route.model} in {tally.route.env}"}, {hdrs.RETRY_AFTER: "5"}
    )


def _json(status: int, data: object, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(
        status=status, body=json.dumps(data).encode(), content_type="application/json", headers=headers
    )
