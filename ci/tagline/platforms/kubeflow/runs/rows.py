"""What the server's rows say: the state of a run, what failed in it, and which of several rows of one key counts."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from tagline.platforms import Run, RunState

CANCELLED = "KfpRunCancelled"
FAILED = "KfpRunFailed"


class State(StrEnum):
    """The server's own words for where a run stands."""

    UNSPECIFIED = "RUNTIME_STATE_UNSPECIFIED"
    PENDING = "PENDING"
    RUNNING = "RUNNING"
    SUCCEEDED = "SUCCEEDED"
    SKIPPED = "SKIPPED"
    FAILED = "FAILED"
    CANCELING = "CANCELING"
    CANCELED = "CANCELED"
    PAUSED = "PAUSED"

    @property
    def ended(self) -> bool:
        return self in {State.SUCCEEDED, State.SKIPPED, State.FAILED, State.CANCELED}


class Row(msgspec.Struct, frozen=True):
    """A run's row: its id, owner key, state, the states it went through, its pipeline root, its tasks."""

    id: str
    owner: str
    state: State
    went_through: tuple[State, ...] = ()
    root: str = ""
    error: str = ""
    created_at: str = ""
    finished_at: str = ""
    tasks: tuple["Task", ...] = ()
    experiment: str = ""

    @property
    def cancelled(self) -> bool:
        """Whether somebody cancelled it: the server then says FAILED in the end.

        What was before it was let go on again does not count.
        """
        before = self.went_through[:-1]
        ends = [at for at, state in enumerate(before) if state.ended]
        last = self.went_through[ends[-1] + 1 if ends else 0 :]
        return self.state is State.CANCELED or (self.state is State.FAILED and State.CANCELING in last)

    @property
    def retries(self) -> int:
        """How often it went on after it had ended."""
        steps = zip(self.went_through, self.went_through[1:], strict=False)
        return sum(one.ended and not after.ended for one, after in steps)

    @property
    def seconds(self) -> float | None:
        """How long it took, from its creation to its end; None while it goes on, or where the server does not say."""
        begun, ended = moment(self.created_at), moment(self.finished_at)
        return ended - begun if self.state.ended and begun and ended and ended >= begun else None


class Task(msgspec.Struct, frozen=True):
    """One task of a run: its name, state, the pod that it runs in, when it began and ended (RFC 3339)."""

    name: str
    state: State
    pod: str = ""
    began: str = ""
    ended: str = ""
    error: str = ""

    @property
    def seconds(self) -> float | None:
        """How long it ran; None while it runs, or where the server does not say."""
        begun, ended = moment(self.began), moment(self.ended)
        return ended - begun if begun and ended and ended >= begun else None


def read(one: Mapping[str, Any], owner: str) -> Row:
    """A row of the server's JSON."""
    runtime = one.get("runtime_config") or {}
    details = (one.get("run_details") or {}).get("task_details") or []
    return Row(
        id=str(one.get("run_id", "")),
        owner=owner,
        state=_state(one.get("state")),
        went_through=tuple(_state(step.get("state")) for step in one.get("state_history") or []),
        root=str(runtime.get("pipeline_root") or one.get("pipeline_root") or ""),
        error=str((one.get("error") or {}).get("message", "")),
        created_at=str(one.get("created_at", "")),
        finished_at=str(one.get("finished_at", "")),
        tasks=tuple(_task(each) for each in details),
        experiment=str(one.get("experiment_id", "")),
    )


def _task(one: Mapping[str, Any]) -> Task:
    return Task(
        name=str(one.get("display_name", "")),
        state=_state(one.get("state")),
        pod=next((str(pod.get("pod_name", "")) for pod in one.get("child_tasks") or []), "")
        or str(one.get("pod_name", "")),
        began=str(one.get("start_time", "")),
        ended=str(one.get("end_time", "")),
        error=str((one.get("error") or {}).get("message", "")),
    )


def _state(word: Any) -> State:
    try:
        return State(str(word or State.UNSPECIFIED))
    except ValueError:
        return State.UNSPECIFIED


def age(row: Row, now: float) -> float:
    """Seconds from a run's end (where that is not told, from its creation) to `now`; 0 where neither is told."""
    at = moment(row.finished_at) or moment(row.created_at)
    return now - at if at else 0.0


def moment(text: str) -> float:
    """Seconds since 1970; 0 for no time, which the server writes as 1970."""
    try:
        return datetime.fromisoformat(text).timestamp() if text else 0.0
    except ValueError:
        return 0.0


def chosen(rows: Iterable[Row]) -> Row | None:
    """The row that counts of those with one key: the first that succeeded, else the first that goes on, else the last.

    The first that succeeded by its end, then creation and id: everybody who looks chooses the same, and one that ends
    later takes nothing over.
    """
    ordered = sorted(rows, key=lambda row: (row.created_at, row.id))
    succeeded = sorted(
        (row for row in ordered if row.state is State.SUCCEEDED), key=lambda row: moment(row.finished_at)
    )
    going = [row for row in ordered if not row.state.ended]
    return next(iter(succeeded or going or ordered[-1:]), None)


def as_run(row: Row) -> Run:
    """A row as the flow sees a run; `outputs` is the pipeline root, below which its artifacts lie."""
    state, failure, error = _ended(row)
    failed = next((task for task in row.tasks if task.state is State.FAILED), None)
    return Run(
        id=row.id,
        owner=row.owner,
        state=state,
        outputs=Path(),
        error=error,
        failed_task=failed.name if failed else "",
        failure=failure,
        seconds=row.seconds,
        root=row.root,
    )


def _ended(row: Row) -> tuple[RunState, str, str]:
    if not row.state.ended:
        return RunState.RUNNING, "", ""
    if row.state is State.SUCCEEDED:
        return RunState.SUCCEEDED, "", ""
    if row.cancelled:
        return RunState.FAILED, CANCELLED, f"the run {row.owner} was cancelled"
    if row.state is State.SKIPPED:
        return RunState.FAILED, FAILED, f"the run {row.owner} was skipped: nothing of it ran"
    failed = [task for task in row.tasks if task.state is State.FAILED]
    named = f"task {failed[0].name!r} of " if failed else ""
    why = (failed[0].error if failed else "") or row.error
    return RunState.FAILED, FAILED, f"{named}the run {row.owner} failed" + (f": {why}" if why else "")
