"""An OpenID provider's discovery and token endpoint, strict as the standards are."""

import base64
import json
from urllib.parse import unquote_plus

from tests.fakes.oidc.http import Asked, Fake, Said

JSON = "application/json"


class FakeProvider(Fake):
    """Gives access tokens to `client` with `secret`, each living `lives` seconds.

    `tokens` are what it gives, in turn, the last again and again; `fail` is how many answers are 503 first;
    `methods` are the ways to send the secret that it takes.
    """

    def __init__(self, client: str = "ci", secret: str = "s3cret-of/the client") -> None:
        super().__init__()
        self.client, self.secret = client, secret
        self.tokens, self.lives, self.fail = ["token-number-1"], 300, 0
        self.methods = ["client_secret_basic", "client_secret_post"]
        self.issuer = ""

    def answer(self, asked: Asked) -> Said:
        if self.fail:
            self.fail -= 1
            return Said(503, b"busy", "text/plain")
        if (asked.method, asked.path) == ("GET", "/.well-known/openid-configuration"):
            return self._described()
        if (asked.method, asked.path) == ("POST", "/token"):
            return self._token(asked)
        return Said(404, b"404 page not found\n", "text/plain")

    def _described(self) -> Said:
        found = {
            "issuer": self.issuer or self.url,
            "token_endpoint": f"{self.url}/token",
            "grant_types_supported": ["client_credentials"],
            "token_endpoint_auth_methods_supported": self.methods,
        }
        return Said(200, json.dumps(found).encode(), JSON)

    def _token(self, asked: Asked) -> Said:
        if asked.form.get("grant_type") != "client_credentials":
            return _refused(400, "unsupported_grant_type", "")
        if self._who(asked) != (self.client, self.secret):
            return _refused(401, "invalid_client", "Invalid client credentials.")
        token = self.tokens[0] if len(self.tokens) == 1 else self.tokens.pop(0)
        found = {"access_token": token, "token_type": "bearer", "expires_in": self.lives}
        return Said(200, json.dumps(found).encode(), JSON)

    def _who(self, asked: Asked) -> tuple[str, str]:
        """Name and secret; in a header they are form-encoded first (RFC 6749, 2.3.1)."""
        given = asked.headers.get("authorization", "")
        if given.startswith("Basic ") and "client_secret_basic" in self.methods:
            name, _, secret = base64.b64decode(given.removeprefix("Basic ")).decode().partition(":")
            return unquote_plus(name), unquote_plus(secret)
        if "client_secret_post" in self.methods:
            return asked.form.get("client_id", ""), asked.form.get("client_secret", "")
        return "", ""


def _refused(status: int, error: str, description: str) -> Said:
    return Said(status, json.dumps({"error": error, "error_description": description}).encode(), JSON)
