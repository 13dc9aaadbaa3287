"""Requests to a host's API: bounded in time and size, repeated where that is safe, silent about the token."""

import http.client
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from email.message import Message
from typing import Any, TypeVar

import msgspec

from tagline.errors import HostRefused, HostUnavailable
from tagline.hosts.api.answers import message_of, next_page, wanted_wait
from tagline.hosts.api.token import Token

SIZE_LIMIT = 16 * 2**20
PAGES_LIMIT = 50
CHUNK = 64 * 1024
SAFE = {"GET", "PUT", "PATCH", "DELETE"}  # the same again changes nothing more
T = TypeVar("T")


class Patience(msgspec.Struct, frozen=True):
    """How long is waited, in seconds: for a piece of an answer, for a whole one, between tries.

    `longest` is the longest wait that a host may ask for.
    """

    piece: float = 15.0
    whole: float = 60.0
    waits: tuple[float, ...] = (1.0, 4.0)
    longest: float = 60.0


class Request(msgspec.Struct, frozen=True):
    """One request: `doing` says what for, `right` what a refusal most likely lacks.

    `path` is below the API's address; `json` or `form` is the body. `again` says that a repeated POST is
    harmless.
    """

    method: str
    path: str
    doing: str
    right: str
    query: Mapping[str, str] = {}
    json: Any = None
    form: Mapping[str, str] | None = None
    headers: Mapping[str, str] = {}
    again: bool = False


class Answer(msgspec.Struct, frozen=True):
    """What the host said; the names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer: whoever is sent elsewhere must not take the token along."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


class Api:
    """A host's API at `base`, asked with `headers` (which hold `token`); `name` is the host's, for people."""

    def __init__(
        self, name: str, base: str, token: Token, headers: Mapping[str, str], patience: Patience | None = None
    ) -> None:
        self.name, self.base = name, base.rstrip("/")
        self.token, self._headers = token, dict(headers)
        self.patience = patience or Patience()
        self.sleep: Callable[[float], None] = time.sleep
        self._opener = urllib.request.build_opener(_NoRedirect)

    def ask(self, request: Request) -> Answer:
        """The host's answer with a status below 300.

        Raises `HostRefused` for an answer that will not change, `HostUnavailable` for none, a half one, one of
        5xx, or a wait that is too long, after bounded tries.
        """
        url = self.base + request.path
        if request.query:
            url += "?" + urllib.parse.urlencode(request.query)
        return self._ask(request, url)

    def pages(self, request: Request, kind: type[list[T]]) -> list[T]:
        """All items of a list that is cut into pages (`Link: rel="next"`), at most 50 pages of it."""
        answer = self.ask(request)
        items = self.read(answer, kind)
        for _ in range(PAGES_LIMIT):
            url = next_page(answer.headers.get("link", ""))
            if not url:
                return items
            if _origin(url) != _origin(self.base):
                raise HostUnavailable(f"{self.name} sends us to another host for the next page", where=url)
            answer = self._ask(request, url)
            items += self.read(answer, kind)
        raise HostUnavailable(f"{self.name} has more pages than {PAGES_LIMIT}", where=_place(answer.url))

    def read(self, answer: Answer, kind: type[T]) -> T:
        """The JSON of an answer; raises `HostUnavailable` where it is none, or another one."""
        try:
            return msgspec.json.decode(answer.body, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            what = f"{self.name} answered something else than its documentation says: {error}"
            raise HostUnavailable(what, where=_place(answer.url)) from error

    def _ask(self, request: Request, url: str) -> Answer:
        for wait in (*self.patience.waits, None):
            try:
                answer = self._once(request, url)
            except HostUnavailable as error:
                if wait is None or not (request.again or request.method in SAFE):
                    raise
                self.sleep(wait)
                del error
                continue
            if answer.status < 300:
                return answer
            self.sleep(self._turn(request, answer, wait))
        raise AssertionError("the last try answers or raises")

    def _turn(self, request: Request, answer: Answer, wait: float | None) -> float:
        """The seconds until the next try of a request that was not granted; raises where there is none."""
        said = f"{self.name} answered {answer.status}, asked {request.doing}: {self._said(answer)}"
        where = _place(answer.url)
        asked = wanted_wait(answer.status, answer.headers, time.time())
        repeat = request.again or request.method in SAFE
        if asked is not None and (repeat or answer.status != 503):  # a 503 may come after the deed
            if wait is None or asked > self.patience.longest:
                raise HostUnavailable(f"{said} (wait {asked:.0f} s)", where=where, fix="run it again later")
            return asked
        if answer.status < 500:
            raise HostRefused(said, where=where, fix=f"it needs {request.right}", status=answer.status)
        if wait is None or not repeat:
            raise HostUnavailable(said, where=where, fix="run it again later", maybe_done=True)
        return wait

    def _once(self, request: Request, url: str) -> Answer:
        until = time.monotonic() + self.patience.whole
        try:
            made = urllib.request.Request(url, self._body(request), self._all_headers(request))
            made.method = request.method
            with self._opener.open(made, timeout=self.patience.piece) as answer:
                return Answer(answer.status, _lower(answer.headers), _content(answer, until), url)
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, _lower(error.headers), _whatever(error, until), url)
        except (ValueError, http.client.InvalidURL):  # their words show the address, which may be a secret
            raise HostRefused(f"the address of {self.name} is none", fix="mend the address") from None
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", "") or error
            why = self.token.hide(str(reason) or type(error).__name__)
            what = f"{self.name} gave no whole answer, asked {request.doing}: {why}"
            distrusted = isinstance(reason, ssl.SSLCertVerificationError)
            fix = "set SSL_CERT_FILE to a file with its authority" if distrusted else "run it again"
            raise HostUnavailable(what, where=_place(url), fix=fix, maybe_done=not distrusted) from None

    def _body(self, request: Request) -> bytes | None:
        if request.form is not None:
            return urllib.parse.urlencode(request.form).encode()
        if request.json is not None:
            return msgspec.json.encode(request.json)
        return b"" if request.method in {"POST", "PUT", "PATCH"} else None

    def _all_headers(self, request: Request) -> dict[str, str]:
        form = "application/x-www-form-urlencoded"
        kind = {"Content-Type": "application/json" if request.json is not None else form}
        return {
            "User-Agent": "tagline",
            "Accept": "application/json",
            **kind,
            **self._headers,
            **request.headers,
        }

    def _said(self, answer: Answer) -> str:
        return self.token.hide(message_of(answer.body)) or http.client.responses.get(answer.status, "")


def _content(answer: Any, until: float) -> bytes:
    """All of an answer; raises `OSError` where it takes too long or is too large, or was cut off."""
    pieces: list[bytes] = []
    while piece := answer.read1(CHUNK):
        pieces.append(piece)
        if time.monotonic() > until:
            raise TimeoutError("the answer takes too long")
        if sum(map(len, pieces)) > SIZE_LIMIT:
            raise OSError("the answer is too large")
    length = answer.headers.get("Content-Length", "")
    if length.isdigit() and sum(map(len, pieces)) < int(length):
        raise OSError("the answer was cut off")
    return b"".join(pieces)


def _whatever(answer: Any, until: float) -> bytes:
    """The words of a refusal, as far as they come: the status has said enough."""
    try:
        return _content(answer, until)
    except (OSError, http.client.HTTPException):
        return b""


def _lower(headers: Message) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _place(url: str) -> str:
    """An address without its query, which may hold what nobody should read."""
    parts = urllib.parse.urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _origin(url: str) -> tuple[str, str]:
    parts = urllib.parse.urlsplit(url)
    return parts.scheme, parts.netloc
