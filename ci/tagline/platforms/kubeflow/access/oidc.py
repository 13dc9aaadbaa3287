"""OAuth 2 client credentials (RFC 6749, 4.4) at an OpenID provider that its discovery describes."""

import base64
import json
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote_plus, urlencode

from tagline_task.masking import HIDDEN, Secret, hide

from tagline.errors import KfpNotLetIn, KfpUnavailable
from tagline.kubeflow_keys import Oidc
from tagline.kubeflow_rules import is_local
from tagline.platforms.kubeflow.access import Header, Identity
from tagline.platforms.kubeflow.access.given import secret
from tagline.platforms.kubeflow.wire import Reply, Sent, Wire, place

WAITS = (0.5, 2.0)
DISCOVERY = "/.well-known/openid-configuration"


def identity(
    said: Oidc, environ: Mapping[str, str], wire: Wire, clock: Callable[[], float] = time.time
) -> Identity:
    """The client `said.client`; `fetch` asks the provider for an access token."""
    provider = _Provider(said, environ, wire, clock)
    return Identity(f"the client {said.client} of {said.issuer}", provider.fetch)


class _Provider:
    def __init__(
        self, said: Oidc, environ: Mapping[str, str], wire: Wire, clock: Callable[[], float]
    ) -> None:
        self._said, self._environ, self._wire, self._clock = said, environ, wire, clock
        self._found: dict[str, Any] | None = None

    def fetch(self) -> Header:
        """A fresh token; raises `KfpNotLetIn` where the provider refuses, `KfpUnavailable` where it fails."""
        password = secret(self._said.secret, self._said.secret_file, self._environ, "the client's secret")
        found = self._discovered()
        asked = self._clock()
        reply = self._answer(self._question(found, password))
        answer = _json(reply)
        if reply.status >= 300 or not answer.get("access_token"):
            why = str(answer.get("error_description") or answer.get("error") or f"status {reply.status}")
            what = f"the provider gives no token to the client {self._said.client}: {HIDDEN.clean(why)}"
            raise KfpNotLetIn(what, where=place(reply.url), fix="look at access.oidc, and at the secret")
        token = str(answer["access_token"])
        hide([token])
        lives = answer.get("expires_in")
        until = asked + float(lives) if isinstance(lives, int | float) else None
        return Header("Authorization", Secret(f"Bearer {token}"), until)

    def _discovered(self) -> dict[str, Any]:
        """What the provider says of itself, asked once."""
        if self._found is None:
            reply = self._answer(Sent("GET", self._said.issuer.rstrip("/") + DISCOVERY))
            found = _json(reply)
            endpoint = found.get("token_endpoint")
            if reply.status != 200 or not isinstance(endpoint, str):
                what = f"no OpenID provider answers at {self._said.issuer} (status {reply.status})"
                raise KfpNotLetIn(what, where=place(reply.url), fix="access: {oidc: {issuer: …}}")
            if str(found.get("issuer", "")).rstrip("/") != self._said.issuer.rstrip("/"):
                what = f"the provider calls itself {found.get('issuer')}, and not {self._said.issuer}"
                raise KfpNotLetIn(what, where=place(reply.url), fix="access: {oidc: {issuer: …}}")
            if not endpoint.startswith("https://") and not is_local(endpoint):
                what = "the provider takes the client's secret without encryption: not sent"
                raise KfpNotLetIn(what, where=place(endpoint), fix="an issuer with https://")
            self._found = found
        return self._found

    def _question(self, found: Mapping[str, Any], password: Secret) -> Sent:
        """The request for a token, with the secret where the provider wants it."""
        form = {"grant_type": "client_credentials"}
        form |= {key: value for key in ("scope", "audience") if (value := getattr(self._said, key))}
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        methods = found.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if "client_secret_basic" in methods:
            pair = f"{quote_plus(self._said.client)}:{quote_plus(password.open())}"
            packed = base64.b64encode(pair.encode()).decode()
            hide([packed])
            headers["Authorization"] = f"Basic {packed}"
        else:
            form |= {"client_id": self._said.client, "client_secret": password.open()}
        return Sent("POST", str(found["token_endpoint"]), headers, urlencode(form).encode())

    def _answer(self, sent: Sent) -> Reply:
        """An answer that is not the provider's failure; asking again makes another token, which is harmless."""
        for wait in (*WAITS, None):
            try:
                reply = self._wire.send(sent)
                if reply.status < 500 and reply.status != 429:
                    return reply
                what = f"the OpenID provider answered {reply.status}"
                error = KfpUnavailable(what, where=place(sent.url), fix="run it again")
            except KfpUnavailable as trouble:
                error = trouble
            if wait is None:
                raise error
            time.sleep(wait)
        raise AssertionError("the last try answers or raises")


def _json(reply: Reply) -> dict[str, Any]:
    try:
        found = json.loads(reply.body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
