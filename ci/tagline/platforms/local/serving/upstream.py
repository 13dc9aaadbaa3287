"""Calls to model servers: pooled connections, a time limit, and never a connection that saw an error."""

import asyncio
import json
import time
from collections.abc import Iterable

import aiohttp
from aiohttp import hdrs
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from tagline.platforms.local.serving.ports import HOST
from tagline.platforms.local.serving.verdict import Answer, Kind

MAX_ANSWER = 64 * 1024 * 1024
POOL = 512
_HOP = frozenset(
    name.lower()
    for name in (
        hdrs.CONNECTION,
        hdrs.KEEP_ALIVE,
        hdrs.PROXY_AUTHENTICATE,
        hdrs.PROXY_AUTHORIZATION,
        hdrs.TE,
        hdrs.TRAILER,
        hdrs.TRANSFER_ENCODING,
        hdrs.UPGRADE,
        hdrs.CONTENT_LENGTH,
        hdrs.EXPECT,
        hdrs.HOST,
    )
)
_RESET = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, ConnectionError)


class _Used:
    """Whether a call took a connection that an earlier call had left."""

    def __init__(self) -> None:
        self.again = False


class TooLong(Exception):
    """An answer longer than the router passes on."""


def kept(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Headers that belong to the message and not to one connection."""
    return [(name, value) for name, value in headers if name.lower() not in _HOP]


class Upstream:
    """A pool of connections to all model servers of this machine."""

    async def __aenter__(self) -> "Upstream":
        trace = aiohttp.TraceConfig()
        trace.on_connection_reuseconn.append(_mark_used)
        self._pooled = _client(aiohttp.TCPConnector(limit=POOL, keepalive_timeout=30), [trace])
        self._fresh = _client(aiohttp.TCPConnector(limit=POOL, force_close=True), [])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._pooled.close()
        await self._fresh.close()

    async def call(self, port: int, method: str, path: str, sent: "Message", timeout: float) -> Answer:
        """One call, at most `timeout` seconds; what goes wrong is part of the answer, never raised.

        A reset on a connection that had stood idle says nothing of the server (it had closed it, as KServe
        does after an error), so the call is made once more on a new one.
        """
        began = time.perf_counter()
        url = URL.build(scheme="http", host=HOST, port=port, path=path, query_string=sent.query, encoded=True)
        used = _Used()
        try:
            async with asyncio.timeout(timeout):
                try:
                    return await self._once(self._pooled, url, method, sent, (began, used))
                except _RESET:
                    if not used.again:
                        raise
                    return await self._once(self._fresh, url, method, sent, (began, used))
        except TimeoutError:
            return _failed(504, Kind.TIMEOUT, f"no answer within {timeout:g} s", began)
        except TooLong:
            return _failed(502, Kind.UNPARSABLE, f"the answer is longer than {MAX_ANSWER} bytes", began)
        except _RESET as error:
            return _failed(502, Kind.RESET, f"the model server closed the connection: {error}", began)
        except aiohttp.ClientError as error:
            return _failed(502, Kind.UNPARSABLE, f"the answer is no HTTP: {type(error).__name__}", began)

    async def _once(
        self, client: aiohttp.ClientSession, url: URL, method: str, sent: "Message", note: tuple[float, _Used]
    ) -> Answer:
        began, used = note
        async with client.request(
            method, url, data=sent.body, headers=sent.headers, allow_redirects=False, trace_request_ctx=used
        ) as response:
            if response.status >= 400 and response.connection and response.connection.protocol:
                response.connection.protocol.force_close()
            body = await _whole(response)
            headers = kept(response.headers.items())
            return Answer(response.status, body, headers, time.perf_counter() - began)


class Message:
    """What is passed on of a request: the same to every server that is asked."""

    def __init__(self, headers: CIMultiDictProxy[str], query: str, body: bytes | None) -> None:
        self.headers = CIMultiDict(kept(headers.items()))
        self.headers[hdrs.ACCEPT_ENCODING] = "identity"
        self.query = query
        self.body = body


async def _whole(response: aiohttp.ClientResponse) -> bytes:
    if (response.content_length or 0) > MAX_ANSWER:
        raise TooLong
    if response.content_length is not None:
        return await response.read()
    body = bytearray()
    async for chunk in response.content.iter_any():
        body += chunk
        if len(body) > MAX_ANSWER:
            raise TooLong
    return bytes(body)


def _client(connector: aiohttp.TCPConnector, traces: list[aiohttp.TraceConfig]) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector,
        trace_configs=traces,
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(),
        skip_auto_headers=[hdrs.USER_AGENT, hdrs.CONTENT_TYPE],
    )


async def _mark_used(_: object, context: object, __: object) -> None:
    used = getattr(context, "trace_request_ctx", None)
    if isinstance(used, _Used):
        used.again = True


def _failed(status: int, kind: Kind, text: str, began: float) -> Answer:
    body = json.dumps({"error": text}).encode()
    return Answer(status, body, [(hdrs.CONTENT_TYPE, "application/json")], time.perf_counter() - began, kind)
