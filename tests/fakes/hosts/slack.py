"""A chat's incoming webhook in miniature, written from Slack's documentation, never held beside the real one.

api.slack.com/messaging/webhooks, as known on 2026-11-25: a JSON object with `text` is answered 200 `ok`, a broken one
400 `invalid_payload`, a wrong address 404 `no_service`. A key other than `text` is answered 400 here.
"""

import json

from tests.fakes.hosts.server import Asked, FakeHost, Route, Said

SECRET = "/services/T000/B000/s3cr3tw0rd"


class FakeSlack(FakeHost):
    """One webhook; `told` are the texts it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[str] = []

    @property
    def hook(self) -> str:
        return self.url + SECRET

    def routes(self) -> list[Route]:
        return [("POST", SECRET, self._tell)]

    def before(self, asked: Asked) -> Said | None:
        return None

    def unknown(self, asked: Asked, methods: list[str]) -> Said:
        return Said(404, "no_service")

    def _tell(self, asked: Asked) -> Said:
        try:
            given = asked.json()
        except json.JSONDecodeError:
            return Said(400, "invalid_payload")
        if set(given) != {"text"} or asked.headers.get("content-type") != "application/json":
            return Said(400, "invalid_payload")
        self.told.append(given["text"])
        return Said(200, "ok")
