"""Tiny HTTP servers on real sockets that answer, fail, hang and reset as a test says."""

import asyncio
import contextlib
import json
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from aiohttp import web
from tagline.platforms.local.serving.proxy import Router, server
from tagline.platforms.local.serving.table import Row, Table, TableRoute
from tagline.platforms.local.serving.tally import RouteTally
from tagline.platforms.local.serving.upstream import Upstream

STABLE, CANARY = "1.0.0-r1", "1.0.0-r2"
GOOD = json.dumps({"predictions": [1]}).encode()


def http(status: int = 200, body: bytes = GOOD, headers: str = "Content-Type: application/json\r\n") -> bytes:
    """A whole HTTP answer that keeps its connection open."""
    return f"HTTP/1.1 {status} X\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


@dataclass
class Act:
    """What to do with one request: wait, send bytes, then keep, close or reset the connection."""

    send: bytes = field(default_factory=http)
    wait: float = 0.0
    then: str = "keep"
    after: float = 0.0


Script = Callable[[int, int], Act]


@dataclass
class Fake:
    """A model server: `act(n, turn)` says what to do with the n-th request, the turn-th of its connection."""

    act: Script
    port: int = 0
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            turn = 0
            while await self._one(reader, writer, turn):
                turn += 1
        writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, turn: int) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            (int(line.split(b":")[1]) for line in head.split(b"\r\n") if b"content-length" in line.lower()), 0
        )
        body = await reader.readexactly(length)
        act = self.act(len(self.requests), turn)
        self.requests.append(head + body)
        await asyncio.sleep(act.wait)
        if act.send:
            writer.write(act.send)
            await writer.drain()
        await asyncio.sleep(act.after)
        if act.then == "reset":
            peer = writer.get_extra_info("socket")
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        return act.then == "keep"


def always(act: Act) -> Script:
    return lambda _, __: act


ok = always(Act())


@dataclass
class Rig:
    """A router over fake servers, and a client of it."""

    router: Router
    client: aiohttp.ClientSession
    url: str
    fakes: list[Fake]

    @property
    def tally(self) -> RouteTally:
        return self.router.routes["prod/wine"]

    async def ask(
        self, path: str = "/prod/v1/models/wine:predict", body: bytes = b"{}"
    ) -> tuple[int, bytes, str]:
        """Status, body and answering version of one prediction."""
        async with self.client.post(self.url + path, data=body) as response:
            return response.status, await response.read(), response.headers.get("x-tagline-version", "")

    def counts(self, version: str) -> tuple[int, int, dict[str, int]]:
        counts = self.tally.arms[version].counts()
        return counts.served, counts.bad, counts.kinds

    def weigh(
        self,
        *weights: int,
        stable: str = "1.0.0-r1",
        timeout: float | tuple[float, ...] = 2.0,
        slower: float = 0.0,
    ) -> None:
        """Give the router a table with these weights (and time-outs, one or each), versions 1.0.0-r1, -r2, …"""
        timeouts = timeout if isinstance(timeout, tuple) else (timeout,) * len(self.fakes)
        rows = [
            Row(f"1.0.0-r{n + 1}", fake.port, weights[n], timeouts[n]) for n, fake in enumerate(self.fakes)
        ]
        revision = self.router.revision + 1
        route = TableRoute("prod", "wine", revision, stable, slower, rows)
        self.router.apply(Table(revision=revision, routes=[route]))


@asynccontextmanager
async def rig(*acts: Script) -> AsyncIterator[Rig]:
    """A router over one fake server for each function, the first with all the weight."""
    async with contextlib.AsyncExitStack() as stack:
        fakes = [Fake(act) for act in acts]
        for fake in fakes:
            listening = await asyncio.start_server(fake.serve, "127.0.0.1", 0)
            stack.callback(listening.close)
            fake.port = listening.sockets[0].getsockname()[1]
        upstream = await stack.enter_async_context(Upstream())
        router = Router(upstream, "boot")
        runner = web.ServerRunner(server(router))
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        client = await stack.enter_async_context(aiohttp.ClientSession())
        made = Rig(router, client, f"http://127.0.0.1:{port}", fakes)
        made.weigh(100, *[0] * (len(fakes) - 1))
        yield made


def play(script: Callable[[Rig], Awaitable[None]], *acts: Script) -> None:
    """Run a script against a rig, at most a minute."""

    async def run() -> None:
        async with rig(*acts) as made:
            await asyncio.wait_for(script(made), 60)

    asyncio.run(run())
