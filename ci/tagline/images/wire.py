"""HTTP to a registry: one request with time-out, authentication, private CA, and bounded retries."""

import http.client
import json
import re
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from email.message import Message
from pathlib import Path
from typing import IO

import msgspec

from tagline.errors import RegistryRefused, RegistryUnavailable
from tagline.images.credentials import Login

TIMEOUT = 30.0
PAUSES = (0.2, 1.0, 3.0)
CA_VARIABLES = ("TAGLINE_REGISTRY_CA", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_LOOPBACK = re.compile(r"(127\.\d+\.\d+\.\d+|localhost|\[::1\])(:\d+)?")
_MEND = {429, 500, 502, 503, 504}
_PARAMETER = re.compile(r'(\w+)="([^"]*)"')


class Answer(msgspec.Struct, frozen=True):
    """A registry's answer; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Call(msgspec.Struct, frozen=True):
    """One request. `body` opens what is sent anew for each try, `size` its bytes."""

    method: str
    url: str
    headers: Mapping[str, str] = {}
    body: Callable[[], IO[bytes]] | None = None
    size: int = 0


class Wire:
    """Speaks to one host. HTTPS always; plain HTTP only where a loopback address does not speak TLS."""

    def __init__(self, host: str, login: Login | None, environ: Mapping[str, str]) -> None:
        self.host, self._login = host, login
        self._context = _trust(environ)
        self._scheme = "https"
        self._tokens: dict[str, str] = {}

    def send(self, call: Call, *, scope: str) -> Answer:
        """Send with what authentication the host asks for; `scope` is `repository:PATH:pull` or `…:pull,push`.

        Raises `RegistryUnavailable` when it does not answer or cannot do its work after four tries,
        `RegistryRefused` for 401 and 403.
        """
        ours = (
            "://" not in call.url
        )  # a store elsewhere, to which the registry sent us, gets no authorization
        answer = self._retried(call, self._tokens.get(scope, "") if ours else "")
        if answer.status == 401 and ours:
            self._tokens[scope] = self._authorize(answer.headers.get("www-authenticate", ""), scope)
            answer = self._retried(call, self._tokens[scope])
        if answer.status in {401, 403}:
            who = f"user {self._login.user!r}" if self._login else "nobody: no login is known"
            raise RegistryRefused(
                f"the registry {self.host} refuses {call.method} (as {who})",
                where=call.url,
                fix=f"docker login {self.host}",
            )
        return answer

    def _authorize(self, challenge: str, scope: str) -> str:
        """The Authorization header that a challenge asks for."""
        kind, _, rest = challenge.partition(" ")
        if kind.lower() == "basic":
            return self._login.basic if self._login else ""
        given = dict(_PARAMETER.findall(rest))
        realm = given.get("realm", "")
        if kind.lower() != "bearer" or not self._may_ask(realm):
            raise RegistryRefused(
                f"the registry {self.host} asks for {kind or 'nothing we know'!r}", where=realm
            )
        query = {"service": given.get("service", ""), "scope": given.get("scope", scope)}
        ask = Call("GET", f"{realm}?{urllib.parse.urlencode(query)}")
        answer = self._retried(ask, self._login.basic if self._login else "")
        if answer.status != 200:
            raise RegistryRefused(
                f"{realm} gives no token (HTTP {answer.status})",
                where=self.host,
                fix=f"docker login {self.host}",
            )
        said = json.loads(answer.body)
        return f"Bearer {said.get('token') or said.get('access_token')}"

    def _may_ask(self, realm: str) -> bool:
        """A login goes to a token service over TLS only, or stays on this machine."""
        place = urllib.parse.urlsplit(realm)
        return place.scheme == "https" or bool(_LOOPBACK.fullmatch(place.netloc))

    def _retried(self, call: Call, authorization: str) -> Answer:
        problem = ""
        for pause in (*PAUSES, None):
            try:
                answer = self._once(call, authorization)
            except ssl.SSLCertVerificationError as error:
                raise RegistryUnavailable(
                    f"the certificate of {self.host} is not trusted: {error.verify_message}",
                    where=call.url,
                    fix=f"name the CA's file in {CA_VARIABLES[0]}",
                ) from error
            except (OSError, http.client.HTTPException) as error:
                problem = str(error) or type(error).__name__
            else:
                if answer.status not in _MEND:
                    return answer
                problem = f"HTTP {answer.status}"
            if pause is not None:
                time.sleep(pause)
        raise RegistryUnavailable(
            f"the registry {self.host} did not do its work in {len(PAUSES) + 1} tries: {problem}",
            where=call.url,
            fix="look at the registry, then repeat: nothing is sent twice",
        )

    def _once(self, call: Call, authorization: str) -> Answer:
        try:
            return self._ask(call, authorization)
        except ssl.SSLError as error:
            plain = "WRONG_VERSION_NUMBER" in str(error) or "record layer failure" in str(error)
            if not plain or not _LOOPBACK.fullmatch(self.host) or self._scheme == "http":
                raise
            self._scheme = "http"
            return self._ask(call, authorization)

    def _ask(self, call: Call, authorization: str) -> Answer:
        url = call.url if "://" in call.url else f"{self._scheme}://{self.host}{call.url}"
        request = urllib.request.Request(url, method=call.method, headers=dict(call.headers))
        if authorization:
            request.add_unredirected_header("Authorization", authorization)
        if call.body:
            request.data = call.body()
            request.add_header("Content-Length", str(call.size))
        opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=self._context))
        try:
            with opener.open(request, timeout=TIMEOUT) as got:
                return Answer(got.status, _lower(got.headers), got.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, _lower(error.headers), error.read())
        except urllib.error.URLError as error:
            raise error.reason if isinstance(error.reason, OSError) else OSError(str(error.reason)) from error


def _lower(headers: Message | Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _trust(environ: Mapping[str, str]) -> ssl.SSLContext:
    """The system's certificates and those of the file that a variable names."""
    context = ssl.create_default_context()
    named = next((environ[name] for name in CA_VARIABLES if environ.get(name)), "")
    if named:
        if not Path(named).is_file():
            raise RegistryUnavailable("the file of certificates is not there", where=named)
        context.load_verify_locations(named)
    return context
