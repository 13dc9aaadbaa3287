"""A recording: its exchanges, what it shows of the server's mode, namespace and objects."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

KINDS = {
    "run_id": "run",
    "recurring_run_id": "recurring",
    "experiment_id": "experiment",
    "pipeline_version_id": "version",
    "pipeline_id": "pipeline",
}
MODES = {"multiuser": "multiuser", "native": "k8s-native", "utf8mb4": "database-utf8mb4"}


@dataclass(frozen=True)
class Exchange:
    """One request and its answer; `body` and `answer` are as recorded, parsed JSON or text."""

    seq: int
    label: str
    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: Any
    status: int | None
    answer_headers: dict[str, str] = field(default_factory=dict)
    answer: Any = None
    at: float | None = None

    @property
    def content_type(self) -> str:
        return self.answer_headers.get("Content-Type", "").split(";")[0]

    @property
    def replayable(self) -> bool:
        return not elided(self.body)


def elided(body: Any) -> bool:
    """A body given only by size, digest, head and tail."""
    return isinstance(body, dict) and "elided_bytes" in body


def load(path: Path) -> list[Exchange]:
    """The exchanges of a file, in its order."""
    return [_exchange(held) for held in _lines(path) if "request" in held]


def others(path: Path) -> int:
    """How many of its lines are no exchange: a command of kubectl, a state looked at."""
    return sum("request" not in held for held in _lines(path))


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines() if line.strip()]


def _exchange(held: dict[str, Any]) -> Exchange:
    request, response = held["request"], held.get("response") or {}
    return Exchange(
        held["seq"],
        held.get("label") or "",
        request["method"],
        request["path"],
        tuple(_pairs(request["headers"])),
        request["body"],
        response.get("status"),
        dict(_pairs(response.get("headers") or {})),
        response.get("body"),
        held.get("at"),
    )


def _pairs(headers: dict[str, str] | list[list[str]]) -> list[tuple[str, str]]:
    if isinstance(headers, dict):
        return list(headers.items())
    return [(name, value) for name, value in headers]


def mode(path: Path, exchanges: list[Exchange]) -> str:
    """By the file's name, else by what its healthz says."""
    for word, name in MODES.items():
        if word in path.name:
            return name
    for one in exchanges:
        if one.path.endswith("/healthz") and isinstance(one.answer, dict):
            if one.answer.get("pipeline_store") == "kubernetes":
                return "k8s-native"
            return "multiuser" if one.answer.get("multi_user") else "database"
    return "database"


SYSTEM = (
    re.compile(r"Namespace/Pipeline ([a-z0-9-]+)/"),
    re.compile(r"shared pipeline.*?Namespace:([a-z0-9-]+),Verb"),
)


def namespace(exchanges: list[Exchange], of_mode: str) -> str:
    """The system's namespace, where the recording shows it."""
    for one in exchanges:
        text = json.dumps(one.answer)
        patterns = SYSTEM[1:] if of_mode == "multiuser" else SYSTEM[:1]
        for pattern in patterns:
            if found := pattern.search(text):
                return found[1]
        jobs = [value for kind, value in objects(one.answer) if kind == "recurring"]
        if of_mode != "multiuser" and jobs and jobs[0].get("namespace"):
            return str(jobs[0]["namespace"])
    return "kubeflow"


def objects(answer: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each whole object in an answer: its kind and itself."""
    if isinstance(answer, list):
        for one in answer:
            yield from objects(one)
    elif isinstance(answer, dict):
        kind = next((kind for key, kind in KINDS.items() if key in answer), None)
        if kind and "created_at" in answer:
            yield kind, answer
        else:
            for one in answer.values():
                yield from objects(one)


def id_of(kind: str, shown: dict[str, Any]) -> str:
    return str(shown[next(key for key, name in KINDS.items() if name == kind)])


def in_order(exchanges: list[Exchange]) -> list[Exchange]:
    """Of identical requests in a row (sent at once), the accepted ones first: the file has them as they ended."""
    ordered: list[Exchange] = []
    group: list[Exchange] = []
    for one in exchanges:
        if group and _same(group[0], one):
            group.append(one)
        else:
            ordered += _accepted_first(group)
            group = [one]
    return ordered + _accepted_first(group)


def gaps(exchanges: list[Exchange]) -> bool:
    """Whether the numbers show that requests are left out."""
    numbers = [one.seq for one in exchanges]
    return bool(numbers) and len(numbers) < numbers[-1] - numbers[0] + 1


def _accepted_first(group: list[Exchange]) -> list[Exchange]:
    return sorted(group, key=lambda one: (one.status or 0) // 100 != 2)


def _same(one: Exchange, other: Exchange) -> bool:
    alike = one.label and (one.method, one.path, one.label) == (other.method, other.path, other.label)
    return bool(alike and other.method == "POST" and _body(one) == _body(other))


def _body(one: Exchange) -> str:
    return re.sub(r"[0-9a-f]{32}", "", json.dumps(one.body))
