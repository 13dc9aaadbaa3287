"""One request as the routes read it: method, path, query, headers, body."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.fakes.kfp.answers import bare
from tests.fakes.kfp.filters import Asked


class NotUnderstood(Exception):
    """The gateway refuses what it cannot decode, before any route sees it."""

    def __init__(self, message: str) -> None:
        self.answer = bare(400, 3, message)
        super().__init__(message)


@dataclass(frozen=True)
class Request:
    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""
    query: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    def asked(self) -> Asked:
        """The list options."""
        size = self.query.get("page_size") or "0"
        try:
            number = int(size)
        except ValueError:
            raise NotUnderstood(
                f'parsing field "page_size": strconv.ParseInt: parsing "{size}": invalid syntax'
            ) from None
        named = self.query
        return Asked(named.get("page_token", ""), number, named.get("sort_by", ""), named.get("filter", ""))

    def json(self) -> dict[str, Any]:
        """The body as an object; the gateway refuses anything else."""
        try:
            body = json.loads(self.body or b"{}")
        except ValueError:
            raise NotUnderstood("proto: syntax error (line 1:1): unexpected token") from None
        if not isinstance(body, dict):
            raise NotUnderstood("proto: syntax error (line 1:1): unexpected token [")
        return body


def a_request(method: str, target: str, headers: Mapping[str, str], body: bytes) -> Request:
    """With the query's last value a name, as the server reads it."""
    query = parse_qs(urlsplit(target).query, keep_blank_values=True)
    return Request(method, target, headers, body, {name: values[0] for name, values in query.items()})
