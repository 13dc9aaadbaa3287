"""What the supervisor, the router and the commands say to each other over their sockets."""

from enum import StrEnum

import msgspec

from tagline.platforms import Counts, ServerSpec
from tagline.words import ModelVersion

PROTOCOL = 1


class Hello(msgspec.Struct, frozen=True):
    """Who answers: a supervisor of another tagline is replaced."""

    protocol: int
    version: str
    pid: int
    port: int


class Applied(msgspec.Struct, frozen=True):
    """The router's answer: in this life (`boot`) it uses the table of this revision."""

    boot: str
    revision: int
    version: str
    pid: int


class RouteCounts(msgspec.Struct, frozen=True):
    """The router's counters of a route; `drawn` per version since the route's last change, `inflight` now."""

    counts: Counts
    drawn: dict[str, int]
    inflight: dict[str, int]


class Deploy(msgspec.Struct, frozen=True):
    """Have this version warm; `limit` in seconds until it must be ready."""

    env: str
    spec: ServerSpec
    limit: float


class Weigh(msgspec.Struct, frozen=True):
    """Set a route's weights, as pairs of version and percent."""

    env: str
    model: str
    weights: list[tuple[ModelVersion, int]]


class Remove(msgspec.Struct, frozen=True):
    """Drain and stop a version."""

    env: str
    model: str
    version: ModelVersion


class Phase(StrEnum):
    """Where a process stands; `FAILED` is one that never became ready and is not tried again."""

    STARTING = "starting"
    READY = "ready"
    SILENT = "does not answer its health check"
    WAITING = "waiting to start again"
    FAILED = "failed"


class ProcessStatus(msgspec.Struct, frozen=True):
    """One process of the platform: `name` is `supervisor`, `router` or `<env>/<model>/<version>`.

    `restarts` counts deaths that nobody asked for; `note` says what is wrong, empty where nothing is.
    """

    name: str
    phase: Phase
    pid: int = 0
    port: int = 0
    restarts: int = 0
    note: str = ""


class Status(msgspec.Struct, frozen=True):
    """All processes, and the failures of versions that did not load."""

    hello: Hello
    processes: list[ProcessStatus]
    failures: dict[str, str] = {}


class End(msgspec.Struct, frozen=True):
    """How the supervisor is to end: stop everything, or leave it to the next one."""

    stop: bool


class Refusal(msgspec.Struct, frozen=True):
    """An error of ours on its way over a socket: the class by name, and its three sentences."""

    error: str
    what: str
    where: str
    fix: str
