"""Versions and runs of pipelines, as the flow asks for them."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

import msgspec

from tagline.errors import (
    DeviceMissing,
    EngineError,
    EngineMissing,
    ImageMissing,
    KfpRunCancelled,
    KfpRunFailed,
    PipelineError,
    PlatformError,
    TaglineError,
    TaskContractBroken,
    TaskFailed,
    TaskTimedOut,
)
from tagline.words import Release

_KINDS = (
    TaskTimedOut,
    TaskContractBroken,
    PipelineError,
    EngineError,
    EngineMissing,
    ImageMissing,
    DeviceMissing,
    KfpRunCancelled,
    KfpRunFailed,
)


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
    `compiled` is the pipeline file, `source` the tree that its tasks run in (None where images hold it), `timeout`
    seconds for all of it.
    """

    owner: str
    pipeline: str
    compiled: Path
    source: Path | None
    parameters: Mapping[str, Any] = {}
    timeout: float = 24 * 3600.0
    serving: bool = False

    @property
    def tree(self) -> Path:
        """The source tree; raises `PlatformError` where there is none."""
        if self.source is None:
            raise PlatformError(f"the run {self.owner} needs the source that its tasks run in")
        return self.source


class Run(msgspec.Struct, frozen=True):
    """A run as the platform knows it; `outputs` is its folder, `error` says why it failed.

    `failure` names the error's class in `tagline.errors`, `log` the failed task's log. `seconds` is how long
    an ended run took, None where the platform does not know.
    """

    id: str
    owner: str
    state: RunState
    outputs: Path
    error: str = ""
    failed_task: str = ""
    failure: str = ""
    log: str = ""
    seconds: float | None = None
    root: str = ""

    def problem(self) -> TaglineError | None:
        """The error to raise for a run that failed or was interrupted; None otherwise."""
        if self.state not in {RunState.FAILED, RunState.INTERRUPTED}:
            return None
        kinds: dict[str, type[TaglineError]] = {kind.__name__: kind for kind in _KINDS}
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
    """A pipeline version on the platform: the compiled file, the source tree beside it, and their digest.

    `source` is None where the platform keeps none: git has it, at `commit`.
    """

    pipeline: str
    release: Release
    commit: str
    identity: str
    compiled: Path
    source: Path | None
    digest: str

    @property
    def tree(self) -> Path:
        """The source tree; raises `PlatformError` where the platform keeps none."""
        if self.source is None:
            raise PlatformError(
                f"this platform keeps no source of {self.pipeline} {self.release}", where=self.commit
            )
        return self.source


class Pipelines(Protocol):
    """Versions and runs of pipelines. `detached`: a run goes on there by itself when this process ends."""

    @property
    def detached(self) -> bool: ...

    def place(self, compiled: Path) -> None:
        """Write into a compiled file where this platform runs its tasks, such as on GPU nodes; again is a no-op."""
        ...

    def upload(
        self, pipeline: str, release: Release, commit: str, compiled: Path, source: Path
    ) -> UploadedVersion:
        """Keep a version. The same content again is a no-op; other content raises `ContentDiffers`."""
        ...

    def version(self, pipeline: str, release: Release) -> UploadedVersion | None:
        """The uploaded version, or None."""
        ...

    def versions(self, pipeline: str) -> list[UploadedVersion]:
        """All uploaded versions of a pipeline, oldest release first."""
        ...

    def start(self, request: RunRequest) -> Run:
        """Find the run of `request.owner`, or start it, and return at once; only where runs are detached."""
        ...

    def run(self, request: RunRequest, told: Callable[[TaskEvent], None]) -> Run:
        """Find the run of `request.owner`, or start it, and follow it to its end; `told` hears of each task.

        A succeeded or failed run of the same owner is returned as it is; an interrupted one is started again.
        """
        ...

    def sweep(self, pipeline: str) -> list[str]:
        """Remove what nobody needs of a pipeline's runs there; the owner keys of what was removed."""
        ...

    def cancel(self, run: Run) -> None:
        """End a run that goes on there; of one that has ended nothing is left to end. Only where runs are detached."""
        ...

    def retry(self, run: Run) -> Run:
        """Let a run that failed go on where it failed, under its key. Only where runs are detached.

        One that goes on is left alone. Raises `KfpRefused` for one that was let go on too often.
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
