"""The scheduled-workflow controller: what each recurring run starts as the simulated time goes by.

As its source has it: the next tick is counted from the last one that started a run (at first from the start time or the
creation), whether the schedule was on in between or not. With catch-up each missed tick is then started, one by one;
without, the latest missed one, at once: **a schedule that is made disabled and switched on after a tick has passed
starts a run at once**. A tick that meets `max_concurrency` waits. An empty trigger runs once.
"""

import zlib
from datetime import datetime

from tests.fakes.kfp import cluster, cron, runs
from tests.fakes.kfp.answers import Refused
from tests.fakes.kfp.objects import FINAL, Recurring, Run, stamp
from tests.fakes.kfp.world import World


def next_tick(job: Recurring, now: float) -> float | None:
    """When the job is to start its next run: in the past where it is late, None where never again."""
    cron_schedule, periodic = job.trigger.get("cron_schedule"), job.trigger.get("periodic_schedule")
    if cron_schedule is not None:
        tick = _cron_tick(job, cron_schedule, now)
    elif periodic is not None:
        tick = _periodic_tick(job, periodic, now)
    else:
        return job.created_at if job.last_at is None else None
    end = _time((cron_schedule or periodic or {}).get("end_time"))
    return None if tick is None or (end is not None and tick > end) else tick


def _cron_tick(job: Recurring, schedule: dict[str, str], now: float) -> float | None:
    parsed = cron.parse(schedule["cron"])
    base = job.last_at if job.last_at is not None else _time(schedule.get("start_time")) or job.created_at
    tick = parsed.after(base)
    while job.no_catchup and tick is not None:
        later = parsed.after(tick)
        if later is None or later > now:
            break
        tick = later
    return tick


def _periodic_tick(job: Recurring, schedule: dict[str, str], now: float) -> float:
    every = int(schedule.get("interval_second", 0)) or 1
    start = _time(schedule.get("start_time"))
    base = job.last_at if job.last_at is not None else start or job.created_at
    tick = start if start is not None and start > base else base + every
    return now if job.no_catchup and now >= tick + every else tick


def _time(text: str | None) -> float | None:
    return datetime.fromisoformat(text).timestamp() if text else None


def advance(world: World, seconds: float) -> None:
    """Time goes on, with a stop at each tick."""
    goal = world.now + seconds
    while True:
        cluster.move_runs(world)
        _start_what_is_due(world)
        coming = [tick for job in world.recurring.values() if (tick := _coming(world, job)) is not None]
        if not coming or min(coming) > goal:
            break
        world.clock.now = min(coming)
    world.clock.now = goal
    cluster.move_runs(world)
    _start_what_is_due(world)


def _coming(world: World, job: Recurring) -> float | None:
    """The next tick that lies ahead, of a schedule that is on."""
    tick = next_tick(job, world.now) if job.mode == "ENABLE" else None
    return tick if tick is not None and tick > world.now else None


def _start_what_is_due(world: World) -> None:
    for job in list(world.recurring.values()):
        while (at := _due(world, job)) is not None:
            job.last_at = at
            job.ticks += 1
            job.updated_at = world.now
            _start(world, job, at)


def _due(world: World, job: Recurring) -> float | None:
    if job.mode != "ENABLE":
        return None
    at = next_tick(job, world.now)
    alive = [run for run in world.runs.values() if run.recurring_run_id == job.id and run.state not in FINAL]
    late = at is not None and at <= world.now
    return at if late and len(alive) < job.max_concurrency else None


def _start(world: World, job: Recurring, at: float) -> None:
    """A pinned schedule carries its own Workflow; one on "latest" asks the server, which may refuse."""
    spec = job.spec
    reference = dict(job.reference)
    if job.reference and "pipeline_version_id" not in job.reference:
        latest = world.latest(job.reference["pipeline_id"])
        if latest is None or (world.multi_user and not world.scheduler_has_identity):
            return
        spec, reference["pipeline_version_id"] = latest.spec, latest.id
    name = f"{job.object_name}-{job.ticks}-{zlib.crc32(f'{job.id} {job.ticks}'.encode())}"
    run = Run(
        world.new_id(),
        name,
        job.experiment_id,
        world.now,
        spec,
        "",
        job.namespace,
        reference=reference,
        inline=job.inline,
        runtime=job.runtime,
        service_account=job.service_account or ("default-editor" if world.multi_user else "pipeline-runner"),
        recurring_run_id=job.id,
        scheduled_at=at,
        states=[(world.now, "PENDING")],
    )
    try:
        runs.begin(world, run)
    except Refused as refused:
        world.scheduler_log.append(f"{stamp(world.now)} {job.object_name}: {refused.message}")
