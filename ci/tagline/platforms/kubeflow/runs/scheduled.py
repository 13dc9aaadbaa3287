"""The runs that our schedules have started: the server names them, and their pipeline root is the schedule's own."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from tagline.errors import KfpNotThere
from tagline.platforms.kubeflow.runs import rows
from tagline.platforms.kubeflow.runs.rows import Row
from tagline.platforms.kubeflow.runs.starting import STAMP
from tagline.platforms.kubeflow.schedules import marks
from tagline.platforms.kubeflow.server.connection import CONTAINS, Connection, predicate

SCHEDULED = "full/s-"


class Tick(msgspec.Struct, frozen=True):
    """A schedule's run as its row says it: the recurring run that it names, the release and schedule of its root."""

    job: str
    release: str
    schedule: str
    at: datetime

    def owner(self, pipeline: str) -> str:
        """Its owner key: that of a run of ours that is started late for the same tick."""
        return f"{pipeline}/{self.release}/{SCHEDULED}{self.schedule}-{self.at:{STAMP}}"


def started(server: Connection, pipeline: str, root: str, repository: str) -> Iterator[Row]:
    """The runs of a pipeline's schedules, each with the owner key of its schedule and tick; `root` is the pipeline's.

    One whose schedule is somebody's, such as a copy of ours, is not ours. A schedule that is gone is taken for one that
    tagline has removed since, where the run bears the name that the server makes of ours.
    """
    named = predicate("name", CONTAINS, marks.object_of(pipeline, "", ""))
    query = {"namespace": server.scope, "filter": named}
    ours: dict[str, bool] | None = None  # asked for when there is a run of a schedule
    for one in server.pages("/runs", "runs", query):
        tick = tick_of(one, root)
        if tick is None or not _is_called_like_ours(one, pipeline, tick):
            continue
        if ours is None:
            there = marks.listed(server, pipeline, repository)
            ours = {str(job["recurring_run_id"]): True for _, job in there}
        if tick.job not in ours:
            ours[tick.job] = _is_gone(server, tick.job)
        if ours[tick.job]:
            yield rows.read(one, tick.owner(pipeline))


def tick_of(one: Mapping[str, Any], root: str) -> Tick | None:
    """The tick that a row is of; None for one that no schedule started, or elsewhere than below `root`."""
    place = str((one.get("runtime_config") or {}).get("pipeline_root", ""))
    job, at = str(one.get("recurring_run_id") or ""), _time(one.get("scheduled_at"))
    if not job or at is None or not place.startswith(root):
        return None
    release, _, rest = place.removeprefix(root).strip("/").partition("/")
    if not rest.startswith(SCHEDULED):
        return None
    return Tick(job, release, rest.removeprefix(SCHEDULED), at)


def _is_called_like_ours(one: Mapping[str, Any], pipeline: str, tick: Tick) -> bool:
    wanted = marks.object_of(pipeline, tick.schedule, tick.release)
    return str(one.get("display_name", "")).startswith(wanted)


def _is_gone(server: Connection, job: str) -> bool:
    try:
        server.ask("GET", f"/recurringruns/{job}")
    except KfpNotThere:
        return True
    return False


def _time(said: Any) -> datetime | None:
    """A time of the server's in UTC; None for what is none."""
    try:
        return datetime.fromisoformat(str(said)).astimezone(UTC)
    except ValueError:
        return None
