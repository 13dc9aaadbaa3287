"""A Kubeflow Pipelines server under test, and the removal of what a test has made on it."""

import json
import urllib.request
import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from tests.fakes.kfp import FakeKfp

LIMIT = 30
PAGE = 200
KINDS = (
    ("recurringruns", "recurringRuns", "recurring_run_id"),
    ("runs", "runs", "run_id"),
    ("pipelines", "pipelines", "pipeline_id"),
    ("experiments", "experiments", "experiment_id"),
)


@dataclass
class Server:
    """Its address, the fake behind it (None for a real one), what healthz says, a prefix of this test's names."""

    url: str
    fake: FakeKfp | None
    met: dict[str, Any]
    prefix: str = field(default_factory=lambda: f"tl{uuid.uuid4().hex[:8]}")

    def name(self, word: str) -> str:
        """A name of this test alone; it is removed afterwards, whatever it names."""
        return f"{self.prefix}-{word}"

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """One request below /apis/v2beta1 and its JSON answer; HTTPError where it is refused."""
        request = urllib.request.Request(f"{self.url}/apis/v2beta1{path}", method=method)
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=LIMIT) as answer:
            return json.load(answer)

    def recurring(self) -> list[dict[str, Any]]:
        """This test's schedules, as the server has them."""
        return self._mine("recurringruns", "recurringRuns")

    def clear(self) -> None:
        """Remove what bears this test's prefix."""
        for route, key, of in KINDS:
            for one in self._mine(route, key):
                tail = "?cascade=true" if route == "pipelines" else ""
                self.ask("DELETE", f"/{route}/{one[of]}{tail}")

    def _mine(self, route: str, key: str) -> list[dict[str, Any]]:
        predicate = {"operation": "IS_SUBSTRING", "key": "name", "stringValue": self.prefix}
        asked = quote(json.dumps({"predicates": [predicate]}))
        return list(self.ask("GET", f"/{route}?page_size={PAGE}&filter={asked}").get(key, []))
