"""What an environment runs on, in our words: pipelines, serving, and the rollout's memory.

The flow knows these Protocols only; `local` and, later, `kubeflow` are plain modules behind them.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import msgspec

from tagline.errors import PipelineError, TaskContractBroken, TaskFailed, TaskTimedOut
from tagline.words import ModelVersion, Release


class RunState(StrEnum):
    """Where a run stands. `INTERRUPTED`: its process vanished; it may be started again under the same key."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    INTERRUPTED = "interrupted"

    @property
    def ended(self) -> bool:
        return self is not RunState.RUNNING


class TaskEvent(msgspec.Struct, frozen=True):
    """A task began or ended: one line for the person who waits. `seconds` is None while it runs."""

    task: str
    state: str
    seconds: float | None = None
    log: str = ""


class RunRequest(msgspec.Struct, frozen=True):
    """A run of an uploaded version, or of a compiled file that has none yet (smoke).

    `owner` makes it repeatable: one key, at most one run that registers, such as `wine/0.2.0/full/1`.
    `compiled` is the pipeline file, `source` the tree that its tasks run in, `timeout` seconds for all of it.
    """

    owner: str
    pipeline: str
    compiled: Path
    source: Path
    parameters: Mapping[str, Any] = {}
    timeout: float = 24 * 3600.0
    serving: bool = False


class Run(msgspec.Struct, frozen=True):
    """A run as the platform knows it; `outputs` is its folder, `error` says why it failed.

    `failure` names the error's class in `tagline.errors`, `log` the failed task's log.
    """

    id: str
    owner: str
    state: RunState
    outputs: Path
    error: str = ""
    failed_task: str = ""
    failure: str = ""
    log: str = ""

    def problem(self) -> PipelineError | None:
        """The error to raise for a run that failed or was interrupted; None otherwise."""
        if self.state not in {RunState.FAILED, RunState.INTERRUPTED}:
            return None
        kinds: dict[str, type[PipelineError]] = {
            kind.__name__: kind for kind in (TaskTimedOut, TaskContractBroken, PipelineError)
        }
        what = self.error or f"the run {self.owner} was interrupted"
        fix = "repeat the command"
        if self.state is RunState.FAILED:
            fix = "mend it, commit, and run the command again"
        return kinds.get(self.failure, TaskFailed)(what, where=self.log or str(self.outputs), fix=fix)


class Signature(msgspec.Struct, frozen=True):
    """What a model takes and gives: column names with their types, and the prediction's type or classes."""

    inputs: list[dict[str, str]] = []
    output: str = ""
    classes: list[Any] = []


class ModelFacts(msgspec.Struct, frozen=True):
    """What a finished run says of its model: it knows neither release nor git.

    `uri` is where the model lies, `sha256` the digest of that file or folder, `metrics` numbers by name,
    `data_sha256` the digest of the training data.
    """

    uri: str
    sha256: str
    metrics: dict[str, float] = {}
    data_sha256: str = ""
    signature: Signature = Signature()


class UploadedVersion(msgspec.Struct, frozen=True):
    """A pipeline version on the platform: the compiled file, the source tree beside it, and their digest."""

    pipeline: str
    release: Release
    commit: str
    identity: str
    compiled: Path
    source: Path
    digest: str


class Pipelines(Protocol):
    """Versions and runs of pipelines."""

    def upload(self, pipeline: str, release: Release, commit: str, compiled: Path, source: Path) -> UploadedVersion:
        """Keep a version. The same content again is a no-op; other content raises `ContentDiffers`."""
        ...

    def version(self, pipeline: str, release: Release) -> UploadedVersion | None:
        """The uploaded version, or None."""
        ...

    def versions(self, pipeline: str) -> list[UploadedVersion]:
        """All uploaded versions of a pipeline, oldest release first."""
        ...

    def run(self, request: RunRequest, told: Callable[[TaskEvent], None]) -> Run:
        """Find the run of `request.owner`, or start it, and follow it to its end; `told` hears of each task.

        A succeeded or failed run of the same owner is returned as it is; an interrupted one is started again.
        """
        ...

    def runs(self, owner_prefix: str) -> list[Run]:
        """Runs whose owner key begins with the prefix, oldest first."""
        ...

    def facts(self, run: Run, models: list[str]) -> ModelFacts | None:
        """The model of a succeeded run: its facts file, else its single system.Model output.

        Raises `NoModel` where several models stand and none is named; None where the run has no model at all.
        """
        ...


class ServerSpec(msgspec.Struct, frozen=True):
    """Everything needed to serve (or to predict with) one model version.

    `predictor` is `sklearn`, `xgboost` or `custom:src/serve.py` (a path inside `source`), `model` a file or
    folder, `sha256` its digest, checked before loading. `timeout` ends an answer, one slower than `slower_than`
    is bad (0: no bound), both in seconds; the last deployed version's hold for all versions of the route.
    """

    model_name: str
    version: ModelVersion
    predictor: str
    model: Path
    sha256: str
    source: Path
    python: Path
    timeout: float = 10.0
    slower_than: float = 0.0


class Arm(msgspec.Struct, frozen=True):
    """One model version behind a route; `weight` in percent, `ready` as its own health answer says."""

    version: ModelVersion
    weight: int
    ready: bool
    port: int = 0


class Route(msgspec.Struct, frozen=True):
    """What serves one model in one environment: as recorded, also while the platform is down (`up` False).

    `stable` is the version that last took everything: it answers for a canary's failed calls.
    """

    env: str
    model: str
    arms: list[Arm]
    url: str = ""
    up: bool = True
    stable: ModelVersion | None = None

    def weight(self, version: ModelVersion) -> int:
        return next((arm.weight for arm in self.arms if arm.version == version), 0)

    @property
    def main(self) -> ModelVersion | None:
        """What serves: the stable version while it has traffic, else the one with the greatest weight."""
        serving = [arm for arm in self.arms if arm.weight > 0]
        if any(arm.version == self.stable for arm in serving):
            return self.stable
        return max(serving, key=lambda arm: arm.weight).version if serving else None


class ArmCounts(msgspec.Struct, frozen=True):
    """Responses of one arm since its server was first routed: first draws only; a retry enters no arm.

    `bad` as in the design: 5xx, 4xx except 401, 403 and 429, time-out, reset, unparsable or non-finite
    prediction, slower than the declared bound. `kinds` splits `bad` by kind.
    """

    served: int = 0
    bad: int = 0
    kinds: dict[str, int] = {}


class Counts(msgspec.Struct, frozen=True):
    """One reading of a route's counters.

    `generation` changes with every change of the route and every restart of the router: two readings with
    different generations span an interval that enters no test. `client_bad` counts bad answers that a
    client saw, after retries; `at` is a monotonic clock in seconds.
    """

    generation: str
    at: float
    arms: dict[str, ArmCounts]
    client_bad: int = 0
    requests: int = 0


class Serving(Protocol):
    """Model servers behind weighted routes. Every call may be repeated."""

    def deploy(self, env: str, spec: ServerSpec) -> None:
        """Have a warm server for this version behind the route, with weight 0 if it is new there.

        Raises `ModelDoesNotLoad` with the end of the server's log.
        """
        ...

    def set_weights(self, env: str, model: str, weights: Mapping[ModelVersion, int]) -> None:
        """Set weights in percent (sum 100, or all 0) and return once the data plane uses them."""
        ...

    def remove(self, env: str, model: str, version: ModelVersion) -> None:
        """Drain and stop a version whose weight is 0: waits until route and served share show it."""
        ...

    def route(self, env: str, model: str) -> Route:
        """What serves, from the recorded state; an empty route where nothing does."""
        ...

    def routes(self) -> list[Route]:
        """Every route of this platform."""
        ...

    def counts(self, env: str, model: str) -> Counts:
        """The counters now. Raises `PlatformUnavailable` where the router does not answer."""
        ...


class Block(msgspec.Struct, frozen=True):
    """A version that must not be promoted in this environment, who says so and why."""

    version: str
    by: str
    reason: str
    promotion: str = ""


class Rollouts(Protocol):
    """The rollout's memory: state that survives its process, blocks, one holder at a time, a dead-man switch."""

    def lock(self, env: str, model: str) -> AbstractContextManager[None]:
        """Hold this environment and model; raises `Locked` (who holds it) if somebody else does.

        A holder that died (kill -9) holds nothing.
        """
        ...

    def load(self, env: str, model: str) -> bytes | None:
        """The state last saved, or None. Raises `StateBroken` where it cannot be read."""
        ...

    def save(self, env: str, model: str, state: bytes, *, canary: ModelVersion | None, ttl: float) -> None:
        """Keep the state atomically, and arm the dead-man switch: unless saved again within `ttl` seconds,
        the watchdog takes `canary` to weight 0. `canary=None` disarms it."""
        ...

    def blocks(self, env: str, model: str) -> list[Block]:
        """Versions that must not be promoted here."""
        ...

    def block(self, env: str, model: str, block: Block) -> None:
        """Add a block; again is a no-op."""
        ...

    def unblock(self, env: str, model: str, version: ModelVersion) -> None:
        """Lift a block; again is a no-op."""
        ...


class Platform(Protocol):
    """One platform: its name, the machine it belongs to, and the three things it gives."""

    name: str

    @property
    def machine(self) -> str: ...

    @property
    def pipelines(self) -> Pipelines: ...

    @property
    def serving(self) -> Serving: ...

    @property
    def rollouts(self) -> Rollouts: ...
