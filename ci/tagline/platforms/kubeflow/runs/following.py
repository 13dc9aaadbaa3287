"""Follows a run to its end: a line for each task, the queue counted apart, a limit, and nothing left after us."""

import time
from collections.abc import Callable
from urllib.parse import quote

import msgspec

from tagline.errors import KfpError, KfpNotThere, KfpRunFailed, TaskTimedOut
from tagline.platforms import TaskEvent
from tagline.platforms.kubeflow.runs import starting
from tagline.platforms.kubeflow.runs.rows import Row, State, Task
from tagline.platforms.kubeflow.server.connection import Connection

LOG_LINES = 20
DRIVER = "-driver"
OWN = ("root", "executor")  # the server's names for the whole graph, and for what launches a task


class Pace(msgspec.Struct, frozen=True):
    """How often the server is asked, in seconds: `first`, then slower by half again each time, to `slowest`.

    `queue` is how long a run may wait for its first task to begin, `ending` how long a cancelled one may take.
    """

    first: float = 1.0
    slowest: float = 15.0
    queue: float = 3600.0
    ending: float = 60.0


class Clock(msgspec.Struct, frozen=True):
    """Where time comes from: what it is, in seconds, and how to let some pass."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


class Follower:
    """Follows runs on one server; `told` hears of each task."""

    def __init__(
        self,
        server: Connection,
        told: Callable[[TaskEvent], None],
        pace: Pace | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._server, self._told = server, told
        self._pace, self._clock = pace or Pace(), clock or Clock()

    def to_its_end(self, row: Row, limit: float) -> Row:
        """The run when it has ended. `limit` are the seconds that it may run, waiting in the queue not counted.

        Past it, or interrupted, the run is cancelled. Raises `TaskTimedOut`, `KfpRunFailed` where somebody has
        deleted the run, and `KfpError`'s classes.
        """
        try:
            return self._followed(row, limit)
        except (KeyboardInterrupt, SystemExit):
            said = self._end(row)
            self._told(TaskEvent(row.owner, said, None))
            raise

    def _followed(self, row: Row, limit: float) -> Row:
        queued, ran, wait = self._clock.now(), None, self._pace.first
        seen: dict[str, State] = {}
        while True:
            row = self._read(row)
            self._tell(row, seen)
            if row.state.ended:
                return row
            now = self._clock.now()
            if ran is None and _began(row):
                ran = now
                self._told(TaskEvent(row.owner, "left the queue", round(now - queued, 1)))
            self._require_in_time(row, limit, queued, ran)
            self._clock.sleep(wait)
            wait = min(wait * 1.5, self._pace.slowest)

    def _read(self, row: Row) -> Row:
        try:
            return starting.read(self._server, row)
        except KfpNotThere as error:
            raise KfpRunFailed(
                f"the run {row.owner} is gone from the server: somebody deleted it",
                where=self._server.url,
                fix="run the command again: it starts a new one",
            ) from error

    def _require_in_time(self, row: Row, limit: float, queued: float, ran: float | None) -> None:
        now = self._clock.now()
        if ran is not None and now - ran > limit:
            raise TaskTimedOut(
                f"the run {row.owner} took longer than {limit:g} s: {self._end(row)}",
                where=self._server.url,
                fix="smoke_timeout: in tagline.yaml, or smaller smoke: parameters",
            )
        if ran is None and now - queued > self._pace.queue:
            raise TaskTimedOut(
                f"the run {row.owner} waited {now - queued:.0f} s in the queue, no task began: {self._end(row)}",
                where=self._server.url,
                fix="look at its pods: a node that fits, a quota, an image that can be pulled",
            )

    def _end(self, row: Row) -> str:
        """Cancel a run and see it end, so that nothing of it goes on after us; what came of it, in words.

        Asking again for an end is safe, so what fails is repeated within the time; no failure hides why we end it.
        """
        until, asked, why = self._clock.now() + self._pace.ending, False, ""
        while self._clock.now() < until:
            try:
                if not asked:
                    starting.cancel(self._server, row)
                    asked = True
                if starting.read(self._server, row).state.ended:
                    return "it was cancelled"
            except KfpNotThere:
                return "it is gone from the server"
            except KfpError as error:
                why = f": {error.what}"
            self._clock.sleep(self._pace.first)
        ending = "it was asked to end, and has not" if asked else "it could not be cancelled, and may go on"
        return f"{ending} within {self._pace.ending:g} s{why}"

    def _tell(self, row: Row, seen: dict[str, State]) -> None:
        for task in theirs(row):
            if seen.get(task.name) is task.state:
                continue
            seen[task.name] = task.state
            log = self._log(row, task) if task.state is State.FAILED else ""
            self._told(TaskEvent(task.name, task.state.lower(), task.seconds, log))

    def _log(self, row: Row, task: Task) -> str:
        """The end of a task's log, where the server still has it; its words are foreign, and masked by who prints."""
        if not task.pod:
            return ""
        place = f"/apis/v1alpha1/runs/{row.id}/nodes/{quote(task.pod, safe='')}/log"
        try:
            text = self._server.text(place)
        except KfpError as error:
            return f"its log cannot be read: {error.what}"
        return "\n".join(text.splitlines()[-LOG_LINES:])


def theirs(row: Row) -> list[Task]:
    """The tasks of a run without the server's own, which decide and launch: a driver is named after its task."""
    names = {task.name for task in row.tasks} | {"root"}
    return [
        task
        for task in row.tasks
        if task.name not in OWN
        and not (task.name.endswith(DRIVER) and task.name.removesuffix(DRIVER) in names)
    ]


def _began(row: Row) -> bool:
    """Whether anything of the run ran: a run is RUNNING while its pods still wait."""
    if any(task.state not in {State.PENDING, State.UNSPECIFIED} for task in theirs(row)):
        return True
    return row.state is State.RUNNING and not row.tasks
