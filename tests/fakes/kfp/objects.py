"""What the fake server keeps: pipelines, versions, experiments, runs, schedules, and how each is shown."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

EPOCH = 0.0
FINAL = frozenset({"SUCCEEDED", "FAILED", "SKIPPED", "CANCELED"})
PENDING_PLUGIN = (
    "MLflow config resolution failed; run creation will continue: "
    "Invalid input error: Kubernetes bearer token is empty for MLflow auth"
)
ENDED_PLUGIN = "MLflow terminal sync skipped: missing parent root_run_id in plugins_output.mlflow"


def stamp(seconds: float) -> str:
    """RFC 3339 in whole seconds, as the server writes times."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def shown(**fields: Any) -> dict[str, Any]:
    """The fields that are set: the server leaves empty ones out."""
    return {key: value for key, value in fields.items() if value not in ("", None, {}, [], False)}


@dataclass
class Pipeline:
    id: str
    name: str
    display_name: str
    created_at: float
    description: str = ""
    namespace: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)

    def shown(self) -> dict[str, Any]:
        return shown(
            pipeline_id=self.id,
            display_name=self.display_name,
            name=self.name,
            description=self.description,
            created_at=stamp(self.created_at),
            namespace=self.namespace,
            tags=dict(sorted(self.tags.items())),
        )


@dataclass
class Version:
    id: str
    pipeline_id: str
    name: str
    display_name: str
    created_at: float
    spec: dict[str, Any]
    description: str = ""
    url: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    code_source_url: str = ""

    def shown(self) -> dict[str, Any]:
        fields = shown(
            pipeline_id=self.pipeline_id,
            pipeline_version_id=self.id,
            display_name=self.display_name,
            name=self.name,
            description=self.description,
            created_at=stamp(self.created_at),
            pipeline_spec=self.spec,
            tags=dict(sorted(self.tags.items())),
        )
        # an object that kubectl made shows an empty one
        return fields if self.url is None else fields | {"package_url": shown(pipeline_url=self.url)}


@dataclass
class Experiment:
    id: str
    display_name: str
    created_at: float
    description: str = ""
    namespace: str = ""
    storage_state: str = "AVAILABLE"
    last_run_at: float = EPOCH

    def shown(self) -> dict[str, Any]:
        return shown(
            experiment_id=self.id,
            display_name=self.display_name,
            description=self.description,
            created_at=stamp(self.created_at),
            namespace=self.namespace,
            storage_state=self.storage_state,
            last_run_created_at=stamp(self.last_run_at),
        )


@dataclass
class Run:
    id: str
    display_name: str
    experiment_id: str
    created_at: float
    spec: dict[str, Any]
    workflow: str
    namespace: str = ""
    description: str = ""
    reference: dict[str, str] = field(default_factory=dict)
    inline: dict[str, Any] = field(default_factory=dict)
    runtime: dict[str, Any] = field(default_factory=dict)
    service_account: str = ""
    recurring_run_id: str = ""
    storage_state: str = "AVAILABLE"
    scheduled_at: float = EPOCH
    finished_at: float = EPOCH
    states: list[tuple[float, str]] = field(default_factory=list)
    tasks: list[dict[str, Any]] = field(default_factory=list)
    error: str = ""
    looks: int = 0
    canceled_at: float | None = None

    @property
    def state(self) -> str:
        """CANCELING at once; the history has it when the controllers have come by."""
        return "CANCELING" if self.canceled_at is not None else self.states[-1][1]

    def enter(self, state: str, at: float) -> None:
        if state != self.states[-1][1]:
            self.states.append((at, state))
        if state != "CANCELING":
            self.canceled_at = None
        self.finished_at = at if state in FINAL else EPOCH

    def shown(self) -> dict[str, Any]:
        return shown(
            experiment_id=self.experiment_id,
            run_id=self.id,
            display_name=self.display_name,
            storage_state=self.storage_state,
            description=self.description,
            pipeline_version_reference=self.reference,
            pipeline_spec=self.inline,
            runtime_config=self.runtime,
            service_account=self.service_account,
            created_at=stamp(self.created_at),
            scheduled_at=stamp(self.scheduled_at or self.created_at),
            finished_at=stamp(self.finished_at),
            state=self.state,
            error={"code": 2, "message": self.error} if self.error else None,
            run_details={"task_details": self.tasks} if self.tasks else None,
            recurring_run_id=self.recurring_run_id,
            state_history=[{"update_time": stamp(at), "state": state} for at, state in self.states],
            plugins_output=self._plugins(),
        )

    def _plugins(self) -> dict[str, Any]:
        ended = self.state in FINAL
        mlflow = {
            "entries": {"experiment_name": {"value": "KFP-Default"}},
            "state": "PLUGIN_FAILED",
            "state_message": ENDED_PLUGIN if ended else PENDING_PLUGIN,
        }
        return {"mlflow": mlflow}


@dataclass
class Recurring:
    id: str
    display_name: str
    experiment_id: str
    created_at: float
    updated_at: float
    trigger: dict[str, Any]
    mode: str
    max_concurrency: int
    namespace: str
    object_name: str
    spec: dict[str, Any] = field(default_factory=dict)
    reference: dict[str, str] = field(default_factory=dict)
    inline: dict[str, Any] = field(default_factory=dict)
    runtime: dict[str, Any] = field(default_factory=dict)
    description: str = ""
    service_account: str = ""
    no_catchup: bool = False
    last_at: float | None = None
    ticks: int = 0

    def shown(self) -> dict[str, Any]:
        fields = shown(
            recurring_run_id=self.id,
            display_name=self.display_name,
            description=self.description,
            pipeline_version_reference=self.reference,
            pipeline_spec=self.inline,
            runtime_config=self.runtime,
            service_account=self.service_account,
            max_concurrency=str(self.max_concurrency),
            mode=self.mode,
            created_at=stamp(self.created_at),
            updated_at=stamp(self.updated_at),
            status="ENABLED" if self.mode == "ENABLE" else "DISABLED",
            no_catchup=self.no_catchup,
            namespace=self.namespace,
            experiment_id=self.experiment_id,
        )
        return fields | {"trigger": self.trigger}
