"""A browser without a screen: follows redirects and keeps cookies, as log-in pages expect."""

from collections.abc import Mapping
from email.message import Message
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, cast
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit
from urllib.request import Request

from tagline_task.masking import hide

from tagline.errors import KfpNotLetIn
from tagline.platforms.kubeflow.wire import Reply, Sent, Wire, place

REDIRECTS = 20
_HEADERS = {"Accept": "text/html,application/xhtml+xml"}


class Browser:
    """Pages over a wire; each `Reply.url` is where the last redirect led."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._jar = CookieJar(DefaultCookiePolicy())

    def get(self, url: str) -> Reply:
        """A page, redirects followed; raises `KfpNotLetIn` for too many, or one away from encryption."""
        return self._followed(self._once("GET", url))

    def post(self, url: str, form: Mapping[str, str]) -> Reply:
        """The answer to a filled form itself: `follow` goes where it leads."""
        return self._once("POST", url, form)

    def follow(self, reply: Reply) -> Reply:
        """The page that an answer leads to. A form is never sent again."""
        return self._followed(reply)

    def cookies(self, url: str) -> str:
        """What a request to an address would carry as `Cookie`."""
        request = Request(url)
        self._jar.add_cookie_header(request)
        return request.get_header("Cookie") or ""

    def until(self) -> float | None:
        """When the first of the cookies ends, in Unix time; None where none says."""
        return min((float(one.expires) for one in self._jar if one.expires), default=None)

    def _followed(self, reply: Reply) -> Reply:
        for _ in range(REDIRECTS):
            to = reply.headers.get("location", "")
            if not 300 <= reply.status < 400 or not to:
                return reply
            url = urljoin(reply.url, to)
            if urlsplit(reply.url).scheme == "https" and urlsplit(url).scheme != "https":
                what = f"the log-in leads from https to {place(url)}: not followed"
                raise KfpNotLetIn(what, where=place(reply.url))
            reply = self._once("GET", url)
        raise KfpNotLetIn(f"the log-in leads in a circle, {REDIRECTS} times", where=place(reply.url))

    def _once(self, method: str, url: str, form: Mapping[str, str] | None = None) -> Reply:
        headers = {**_HEADERS, "Cookie": self.cookies(url)}
        headers = {name: value for name, value in headers.items() if value}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        body = None if form is None else urlencode(form).encode()
        hide(parse_qs(urlsplit(url).query).get("code", []))  # good for a session until it is used
        reply = self._wire.send(Sent(method, url, headers, body))
        message = Message()
        for line in reply.cookies:
            message.add_header("Set-Cookie", line)
        self._jar.extract_cookies(cast(Any, _Said(message)), Request(url))
        hide(one.value for one in self._jar if one.value)
        return reply


class _Said:
    """A reply as the cookie jar reads it."""

    def __init__(self, message: Message) -> None:
        self._message = message

    def info(self) -> Message:
        return self._message
