"""One request to a server outside, bounded in time and size; nothing is followed, repeated or logged."""

import ssl
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]  # typeshed lacks it

import msgspec

from tagline.errors import ConfigError, KfpNotAServer, KfpUnavailable, MissingTool, TaglineError

CHUNK = 64 * 1024
POOL = 8  # connections that are kept open to one server
SIZE_LIMIT = 512 * 2**20  # a list of versions holds whole specs


class Times(msgspec.Struct, frozen=True):
    """How long is waited, in seconds: for a connection, for each piece of an answer, for a whole one."""

    connect: float = 10.0
    read: float = 60.0
    whole: float = 300.0


class Reply(msgspec.Struct, frozen=True):
    """What a server said; names of headers are in lower case, `cookies` the Set-Cookie lines."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes
    url: str
    cookies: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def is_html(self) -> bool:
        """Whether it is a page for a browser, whatever it says of itself."""
        said = self.headers.get("content-type", "")
        return "html" in said or self.body[:200].lstrip().lower().startswith((b"<!doctype", b"<html"))


class Sent(msgspec.Struct, frozen=True):
    """What is sent: `fields` is a multipart form, `body` anything else."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    body: bytes | None = None
    fields: Any = None


class Wire:
    """Sends requests by the proxies of `environ`, trusting the system's authorities and that in the file `ca`."""

    def __init__(self, environ: Mapping[str, str], ca: str = "", times: Times | None = None) -> None:
        self._environ, self._ca = environ, ca
        self.times = times or Times()
        self._pools: dict[str, Any] = {}

    def send(self, sent: Sent) -> Reply:
        """The server's answer, whatever its status.

        Raises `KfpUnavailable` for none or half of one, `KfpNotAServer` for a server that nobody vouches for,
        `ConfigError` for a wrong address, proxy or authority, `MissingTool` without urllib3.
        """
        urllib3 = _urllib3()
        until = time.monotonic() + self.times.whole
        timeout = urllib3.Timeout(connect=self.times.connect, read=self.times.read)
        try:
            answer = self._pool(sent.url).request(
                sent.method,
                sent.url,
                headers={"User-Agent": "tagline", **sent.headers},
                body=sent.body,
                fields=sent.fields,
                timeout=timeout,
                retries=False,
                redirect=False,
                preload_content=False,
            )
        except urllib3.exceptions.HTTPError as error:
            raise _trouble(urllib3, error, sent.url) from None
        try:
            body = _content(answer, until)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            what = f"the answer of {_server(sent.url)} was cut off: {_words(error)}"
            raise KfpUnavailable(what, where=place(sent.url), fix="run it again", maybe_done=True) from None
        finally:
            answer.release_conn()
        headers = {name.lower(): value for name, value in answer.headers.items()}
        cookies = tuple(answer.headers.getlist("set-cookie"))
        return Reply(answer.status, answer.reason or "", headers, body, sent.url, cookies)

    def close(self) -> None:
        """Close what is open; a later request opens it again."""
        for pool in self._pools.values():
            pool.clear()

    def _pool(self, url: str) -> Any:
        proxy = proxy_for(url, self._environ)
        if proxy not in self._pools:
            self._pools[proxy] = self._made(proxy)
        return self._pools[proxy]

    def _made(self, proxy: str) -> Any:
        urllib3 = _urllib3()
        context = _context(self._ca)
        if not proxy:
            return urllib3.PoolManager(ssl_context=context, maxsize=POOL)
        parts = urlsplit(proxy)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError("the proxy that the environment names is no http:// or https:// address")
        bare = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        user = parts.netloc.rpartition("@")[0]
        headers = urllib3.make_headers(proxy_basic_auth=unquote(user)) if user else None
        return urllib3.ProxyManager(bare, proxy_headers=headers, ssl_context=context, maxsize=POOL)


def _urllib3() -> Any:
    from tagline import extras

    try:
        import urllib3
    except ImportError as error:
        raise MissingTool("urllib3 is not installed", fix=extras.install("kfp")) from error
    return urllib3


def _context(ca: str) -> ssl.SSLContext:
    context = ssl.create_default_context()
    try:
        if ca:
            context.load_verify_locations(cafile=ca)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"the authority's file cannot be read: {error}", where=ca, fix="ca: PATH"
        ) from error
    return context


def proxy_for(url: str, environ: Mapping[str, str]) -> str:
    """The proxy that the environment names for an address, "" for none; `NO_PROXY` and this machine go around."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host in ("localhost", "127.0.0.1", "::1"):
        return ""
    proxies = {
        "no": environ.get("no_proxy") or environ.get("NO_PROXY", ""),
        parts.scheme: environ.get(f"{parts.scheme}_proxy")
        or environ.get(f"{parts.scheme.upper()}_PROXY", ""),
    }
    return "" if proxy_bypass_environment(host, proxies) else proxies[parts.scheme]


def place(url: str) -> str:
    """An address without its query, which may hold what nobody should read."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _server(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


def _content(answer: Any, until: float) -> bytes:
    """All of an answer; raises `OSError` where it takes too long, however many bytes drip, or is too large."""
    pieces, size = [], 0
    while piece := answer.read1(CHUNK):
        pieces.append(piece)
        size += len(piece)
        if time.monotonic() > until:
            raise TimeoutError("it takes too long")
        if size > SIZE_LIMIT:
            raise OSError("it is too large")
    return b"".join(pieces)


def _trouble(urllib3: Any, error: Exception, url: str) -> TaglineError:
    """Why no answer came, and whether the server may have heard the question."""
    kinds = urllib3.exceptions
    if isinstance(error, kinds.LocationValueError):
        return ConfigError("this is no address of a server", where=place(url))
    if isinstance(error, kinds.SSLError) and "CERTIFICATE" in str(error).upper():
        what = f"the certificate of {_server(url)} is of no authority that is trusted here"
        return KfpNotAServer(
            what, where=place(url), fix="ca: /path/of/the/authority.pem in the platform file"
        )
    never = kinds.ConnectTimeoutError, kinds.NewConnectionError, kinds.ProxyError, kinds.SSLError
    asked = not isinstance(error, never)
    slow = isinstance(error, kinds.TimeoutError) and not isinstance(error, kinds.NewConnectionError)
    why = "did not answer in time" if slow else f"cannot be reached: {_words(error)}"
    fix = "look at the server, and at the proxy and network between"
    return KfpUnavailable(f"{_server(url)} {why}", where=place(url), fix=fix, maybe_done=asked)


def _words(error: BaseException) -> str:
    """What an error says, without the objects that urllib3 prints before it."""
    cause = error.__cause__ or error.__context__
    said = getattr(cause, "strerror", "") or str(error).rpartition(">: ")[2] or type(error).__name__
    return said[:200]
