"""The fake server's whole state: mode, time, objects, the cluster behind it, and the troubles a test has asked for."""

import random
import threading
import uuid
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.kfp.access import Access
from tests.fakes.kfp.clock import Clock
from tests.fakes.kfp.names import LATIN1, UTF8MB3
from tests.fakes.kfp.objects import Experiment, Pipeline, Recurring, Run, Version

MODES = ("database", "database-utf8mb4", "multiuser", "k8s-native")
DEFAULT_WORDS = "All runs created without specifying an experiment will be grouped here."


@dataclass
class Troubles:
    """What is broken now; the levers set it."""

    statuses: list[int] = field(default_factory=list)
    hanging: bool = False
    database_lost: bool = False
    store_down: bool = False
    quota: str = ""
    killed: bool = False
    webhook_down: bool = False
    lost_answers: int = 0
    page: str = ""


@dataclass(frozen=True)
class Quirks:
    """What the real server gets wrong; a sabotage test turns one off to see the replay differ."""

    workflow_before_row: bool = True
    upload_hides_denial: bool = True
    any_namespace_by_name: bool = True
    names_fold: bool = True


class World:
    """One server's memory, guarded by `lock`."""

    def __init__(self, mode: str, namespace: str, start: float | None = None) -> None:
        if mode not in MODES:
            raise ValueError(f"no such mode: {mode}; choose of {', '.join(MODES)}")
        self.mode = mode
        self.namespace = namespace
        self.clock = Clock(start)
        self.lock = threading.RLock()
        self.closing = threading.Event()
        self.random = random.Random(0)
        self.troubles = Troubles()
        self.quirks = Quirks()
        self.access = Access(namespace, self.clock)
        self.pipelines: dict[str, Pipeline] = {}
        self.versions: dict[str, Version] = {}
        self.experiments: dict[str, Experiment] = {}
        self.runs: dict[str, Run] = {}
        self.recurring: dict[str, Recurring] = {}
        self.workflows: dict[str, dict[str, Any]] = {}
        self.supplied: dict[str, str] = {}
        self.fetches_plain_http = mode == "database-utf8mb4"
        self.sample = b""
        self.pages: dict[str, bytes] = {}
        self.logs: dict[tuple[str, str], str] = {}
        self.ends: tuple[str, int] | None = None
        self.controllers = True
        self.cluster_denied = False
        self.cluster_token = ""
        self.scheduler_has_identity = True
        self.scheduler_log: list[str] = []
        if not self.multi_user:
            self.default_experiment()

    @property
    def multi_user(self) -> bool:
        return self.mode == "multiuser"

    @property
    def native(self) -> bool:
        return self.mode == "k8s-native"

    @property
    def charset(self) -> str:
        return LATIN1 if self.mode == "database" else UTF8MB3

    @property
    def now(self) -> float:
        return self.clock.now

    def new_id(self, kind: str = "") -> str:
        """A random id, or the one that a replay has supplied for the next object of this kind."""
        supplied = self.supplied.pop(kind, "")
        if supplied:
            return supplied
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def suffix(self) -> str:
        return "".join(self.random.choices("bcdfghjklmnpqrstvwxz2456789", k=5))

    def default_experiment(self, namespace: str = "") -> Experiment:
        """The one named Default, made when it is not there."""
        for experiment in self.experiments.values():
            if experiment.display_name == "Default" and experiment.namespace == namespace:
                return experiment
        made = Experiment(self.new_id("experiment"), "Default", self.now, DEFAULT_WORDS, namespace)
        self.experiments[made.id] = made
        return made

    def of_pipeline(self, pipeline_id: str) -> list[Version]:
        return [version for version in self.versions.values() if version.pipeline_id == pipeline_id]

    def latest(self, pipeline_id: str) -> Version | None:
        """The newest version; among those of one second any (by id, which is random)."""
        found = self.of_pipeline(pipeline_id)
        newest = max((version.created_at for version in found), default=0.0)
        ties = {version.id: version for version in found if version.created_at == newest}
        return ties.get(self.supplied.get("latest", "")) or ties.get(max(ties, default=""))
