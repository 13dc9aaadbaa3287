"""One connection to a Kubeflow Pipelines API server: bounded in time, reads repeated, identity renewed."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

import msgspec

from tagline import errors
from tagline.kubeflow_keys import Kubeflow
from tagline.platforms.kubeflow.access import Credentials, Header
from tagline.platforms.kubeflow.server import answers, namespaces
from tagline.platforms.kubeflow.server.answers import API
from tagline.platforms.kubeflow.server.generated import ForClient, Services
from tagline.platforms.kubeflow.wire import Reply, Sent, Times, Wire

EQUALS, CONTAINS = "EQUALS", "IS_SUBSTRING"
PAGES_LIMIT = 5000
PAGE_SIZE = "200"
Query = Mapping[str, str] | Sequence[tuple[str, str]]


def predicate(key: str, operation: str, value: str) -> str:
    """The `filter` of a list: the items whose `key` equals or contains a text."""
    one = {"operation": operation, "key": key, "stringValue": value}
    return json.dumps({"predicates": [one]})


class Patience(msgspec.Struct, frozen=True):
    """How long is waited, in seconds: for one answer, and between the tries of a read.

    `waits` is for a server that cannot be reached or is not ready, `inner` for one that fails by itself (500);
    `longest` is the longest wait that a server may ask for. No try is begun after `most`, so that a server that
    hangs costs no more than that and one answer.
    """

    times: Times = Times()
    waits: tuple[float, ...] = (0.5, 1, 2, 4, 8, 15, 15, 15, 15)
    inner: tuple[float, ...] = (0.5, 1, 2, 4)
    longest: float = 60.0
    most: float = 180.0


class Connection:
    """A connection to the server of a platform, as one identity, in the namespace `namespace`.

    Every call raises one of `KfpError`'s classes. Reads are repeated while the server cannot be reached or
    fails; writes are sent once, and `KfpUnavailable.maybe_done` says where to look before they are sent again.
    """

    def __init__(
        self,
        kubeflow: Kubeflow,
        credentials: Credentials,
        environ: Mapping[str, str],
        patience: Patience | None = None,
    ) -> None:
        self.url, self.namespace = kubeflow.endpoints.pipelines.rstrip("/"), kubeflow.training
        self.credentials, self.patience = credentials, patience or Patience()
        self.sleep: Callable[[float], None] = time.sleep
        self.clock: Callable[[], float] = time.monotonic
        self._wire = Wire(environ, kubeflow.ca, self.patience.times)

    @cached_property
    def services(self) -> Services:
        """The generated client's services, whose requests go through this connection."""
        return Services(self.url, self.request)

    @cached_property
    def _health(self) -> dict[str, Any]:
        return dict(self.ask("GET", "/healthz"))

    @property
    def multi_user(self) -> bool:
        """Whether the server tells its users apart by namespaces, as its health says."""
        return bool(self._health.get("multi_user"))

    @property
    def native(self) -> bool:
        """Whether the server keeps its pipelines as objects of Kubernetes."""
        return self._health.get("pipeline_store") == "kubernetes"

    @property
    def scope(self) -> str:
        """What to send as `namespace`: ours in multi-user mode, else the empty one that there is."""
        return self.namespace if self.multi_user else ""

    def ask(self, method: str, path: str, query: Query = (), body: Any = None) -> Any:
        """The JSON of an answer; `path` is below `/apis/v2beta1`."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"} if body is not None else {}
        return json.loads(self._exchange(Sent(method, self._address(path, query), headers, data)).body)

    def text(self, path: str) -> str:
        """The text of an answer that is no JSON, such as a task's log; `path` is below the server's address."""
        reply = self._wire.send(_as(Sent("GET", f"{self.url}{path}"), self.credentials.header()))
        if reply.status != 200 or reply.is_html:
            raise answers.trouble(reply, self.credentials.who) or errors.KfpNotThere(f"{path} has no text")
        return reply.text

    def pages(self, path: str, key: str, query: Mapping[str, str] | None = None) -> Iterator[Any]:
        """The items `key` of all pages of a list; a page that comes twice is an error, not an endless walk."""
        asked, seen = {"page_size": PAGE_SIZE, **(query or {})}, {""}
        for _ in range(PAGES_LIMIT):
            answer = self.ask("GET", path, asked)
            yield from answer.get(key) or []
            token = answer.get("next_page_token", "")
            if not token:
                return
            if token in seen:
                break
            seen.add(token)
            asked["page_token"] = token
        raise errors.KfpError(f"the list of {key} does not end", where=f"{self.url}{API}{path}")

    def post_file(self, path: str, data: bytes, query: Mapping[str, str]) -> Any:
        """Upload a compiled pipeline, parsed by the caller: broken YAML hangs the server for ever.

        A refusal that hides its reason (400 for 401, 403 and 404) is looked through: the same is asked of a
        route that says it.
        """
        fields = {"uploadfile": ("pipeline.yaml", data, "application/octet-stream")}
        sent = Sent("POST", self._address(path, query), fields=fields)
        reply, header = self._once(sent), self.credentials.header()
        if answers.is_veiled(reply):
            why = self._unveiled(reply, query)
            if self.credentials.header() is header:
                raise why
            reply = self._once(sent)  # it was our token's end that it hid, and nothing was done
        if answers.is_veiled(reply):
            raise self._unveiled(reply, query)
        return json.loads(self._judged(reply).body)

    def _unveiled(self, reply: Reply, query: Mapping[str, str]) -> errors.KfpError:
        """What an upload's 400 means, by asking for the same namespace, or pipeline, where 401 and 403 exist."""
        try:
            if "pipelineid" in query:
                self.ask("GET", f"/pipelines/{query['pipelineid']}")
            else:
                self.ask("GET", "/pipelines", {"namespace": query.get("namespace", ""), "page_size": "1"})
        except errors.KfpError as error:
            return error
        if not self.multi_user:
            return answers.trouble(reply, self.credentials.who) or errors.KfpError("an upload was refused")
        place = query.get("namespace") or self.namespace
        what = f"{self.credentials.who} may look at pipelines in {place}, and not upload there"
        fix = answers.grant("WHO", place)
        return errors.KfpForbidden(what, where=f"{self.url}{API}/pipelines/upload", fix=fix)

    def request(
        self,
        method: str,
        url: str,
        query_params: Query | None = None,
        headers: Mapping[str, str] | None = None,
        post_params: Any = None,
        body: Any = None,
        _preload_content: bool = True,
        _request_timeout: Any = None,
    ) -> ForClient:
        """What the generated client calls for each of its requests, in its words."""
        if post_params:
            raise errors.KfpError("files are uploaded by Connection.post_file, which says what a 400 means")
        data = None if body is None else json.dumps(body).encode()
        whole = f"{url}?{urlencode(list(_pairs(query_params)))}" if query_params else url
        return ForClient(self._exchange(Sent(method.upper(), whole, dict(headers or {}), data)))

    def _address(self, path: str, query: Query) -> str:
        pairs = list(_pairs(query))
        return f"{self.url}{API}{path}" + (f"?{urlencode(pairs)}" if pairs else "")

    def _exchange(self, sent: Sent) -> Reply:
        """The good answer to a request; a read is repeated."""
        tries, until = 0, self.clock() + self.patience.most
        while True:
            wait, found = self._tried(sent, tries)
            if isinstance(found, Reply):
                return found
            if wait is None or self.clock() + wait > until:
                raise found
            self.sleep(wait)
            tries += 1

    def _tried(self, sent: Sent, tries: int) -> tuple[float | None, Reply | errors.KfpError]:
        """One try: the good answer, or what is wrong and the seconds until the next try, None for no other."""
        try:
            reply = self._once(sent)
        except errors.KfpUnavailable as error:
            return self._next(sent, self.patience.waits, tries), error
        trouble = answers.trouble(reply, self.credentials.who)
        if trouble is None:
            return None, reply
        if not isinstance(trouble, errors.KfpUnavailable):
            return None, trouble
        waits = self.patience.inner if reply.status == 500 else self.patience.waits
        wait = self._next(sent, waits, tries)
        asked = reply.headers.get("retry-after", "")
        if wait is not None and asked.isascii() and asked.isdigit():
            wait = max(wait, float(asked)) if float(asked) <= self.patience.longest else None
        return wait, trouble

    def _next(self, sent: Sent, waits: tuple[float, ...], tries: int) -> float | None:
        return waits[tries] if sent.method == "GET" and tries < len(waits) else None

    def _judged(self, reply: Reply) -> Reply:
        if trouble := answers.trouble(reply, self.credentials.who):
            raise trouble
        return reply

    def _once(self, sent: Sent) -> Reply:
        """One answer, or a second one with a renewed identity: a 401 has done nothing."""
        namespaces.require(sent.method, sent.url)
        header = self.credentials.header()
        reply = self._wire.send(_as(sent, header))
        if not answers.is_stranger(reply) or not self.credentials.renewed(header):
            return reply
        return self._wire.send(_as(sent, self.credentials.header()))


def _as(sent: Sent, header: Header | None) -> Sent:
    """A request as somebody; raises `KfpNotLetIn` for an empty header, which would stop the server."""
    if header is None:
        return sent
    value = header.value.open()
    if not value.strip():
        raise errors.KfpNotLetIn(f"{header.name} would be empty, which stops the server: not sent")
    return msgspec.structs.replace(sent, headers={**sent.headers, header.name: value})


def _pairs(query: Query) -> Iterator[tuple[str, str]]:
    yield from query.items() if isinstance(query, Mapping) else query
