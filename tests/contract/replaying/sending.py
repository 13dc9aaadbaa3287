"""Sending a recorded request to the fake, with its headers, its ids translated, its tokens made anew."""

import base64
import http.client
import json
import re
from typing import Any
from urllib.parse import quote

from tests.contract.replaying.masking import TOKEN, UUID, Ids
from tests.contract.replaying.recording import Exchange
from tests.fakes.kfp import FakeKfp
from tests.fakes.kfp.access import SIGNED, a_token

PATIENCE = 5
FORGED = "garbage-jwt"
LEFT_OUT = ("content-length", "host", "connection", "accept-encoding", "transfer-encoding")
CLAIMS = re.compile(r"<jwt aud=\[(?P<aud>[^\]]*)\] sub=(?P<sub>\S+) iat=(?P<iat>\d+) exp=(?P<exp>\d+)>")


class NoAnswer(Exception):
    """The server hung up, or never said anything."""


def send(fake: FakeKfp, one: Exchange, ids: Ids, tokens: dict[str, str]) -> tuple[int, dict[str, str], Any]:
    """Status, headers and body (JSON where it is) of the fake's answer."""
    path = TOKEN.sub(lambda found: tokens.get(found[0], found[0]), ids.to_fake(one.path))
    connection = http.client.HTTPConnection(fake.url.removeprefix("http://"), timeout=PATIENCE)
    try:
        connection.putrequest(
            one.method, quote(path, safe="/?&=%+:,;@()!*'$~[]{}\"<>|^`\\"), skip_accept_encoding=True
        )
        body = _body(one, ids)
        for name, value in one.headers:
            if name.lower() not in LEFT_OUT:
                connection.putheader(name, _fresh(value, FORGED in one.label))
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        content = answer.read()
    except (TimeoutError, http.client.HTTPException, ConnectionError) as why:
        raise NoAnswer(str(why)) from why
    finally:
        connection.close()
    return answer.status, dict(answer.getheaders()), _parsed(content)


def _body(one: Exchange, ids: Ids) -> bytes:
    if one.body is None:
        return b""
    if isinstance(one.body, dict) and set(one.body) == {"base64"}:
        return base64.b64decode(one.body["base64"])
    text = one.body if isinstance(one.body, str) else json.dumps(one.body, ensure_ascii=False)
    return ids.to_fake(text).encode("utf-8", "surrogateescape")


def _fresh(value: str, forged: bool) -> str:
    """A recorded token is given by its claims alone; that it was forged, only the label says."""
    made = CLAIMS.sub(_token, value)
    return made.replace(SIGNED, ".signed-by-another") if forged else made


def _token(found: re.Match[str]) -> str:
    audiences = re.findall(r"'([^']*)'", found["aud"])
    return a_token(found["sub"], audiences, float(found["iat"]), float(found["exp"]))


def _parsed(content: bytes) -> Any:
    if not content:
        return None
    try:
        return json.loads(content)
    except ValueError:
        return content.decode("utf-8", "replace")


def ids_in(text: str) -> list[str]:
    return UUID.findall(text)
