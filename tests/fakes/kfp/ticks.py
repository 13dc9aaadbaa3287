"""The scheduled-workflow controller: what each recurring run starts as the simulated time goes by."""

from datetime import datetime

from tests.fakes.kfp import cluster, cron, runs
from tests.fakes.kfp.answers import Refused
from tests.fakes.kfp.objects import FINAL, Recurring, Run, stamp
from tests.fakes.kfp.world import World


def first_tick(job: Recurring, now: float) -> float | None:
    """The next tick after `now`, or after the start time if that is later; None past the end time."""
    cron_schedule, periodic = job.trigger.get("cron_schedule"), job.trigger.get("periodic_schedule")
    schedule = cron_schedule or periodic
    if schedule is None:
        return None
    start, end = _time(schedule.get("start_time")), _time(schedule.get("end_time"))
    base = max(now, start or now)
    if cron_schedule is not None:
        tick = cron.parse(cron_schedule["cron"]).after(base)
    else:
        tick = float(int(base) + int((periodic or {}).get("interval_second", 60)))
    return None if tick is None or (end is not None and tick > end) else tick


def _time(text: str | None) -> float | None:
    return datetime.fromisoformat(text).timestamp() if text else None


def advance(world: World, seconds: float) -> None:
    """Time goes on to the last second, each tick at its own."""
    goal = world.now + seconds
    while True:
        due = [
            job.next_at for job in world.recurring.values() if job.next_at is not None and job.next_at <= goal
        ]
        if not due:
            break
        world.clock.now = max(world.now, min(due))
        cluster.move_runs(world)
        for job in list(world.recurring.values()):
            if job.next_at is not None and job.next_at <= world.now:
                _tick(world, job)
    world.clock.now = goal
    cluster.move_runs(world)


def _tick(world: World, job: Recurring) -> None:
    at = job.next_at or world.now
    if job.mode != "ENABLE":
        job.next_at = first_tick(job, at) if job.no_catchup else _held(job, at)
        return
    job.next_at = first_tick(job, at)
    alive = [run for run in world.runs.values() if run.recurring_run_id == job.id and run.state not in FINAL]
    if len(alive) >= job.max_concurrency:
        return
    job.ticks += 1
    job.updated_at = world.now
    _start(world, job, at)


def _held(job: Recurring, at: float) -> float | None:
    """Disabled, with catch-up: the tick is passed over here, as nobody recorded a real one's catch-up."""
    return first_tick(job, at)


def _start(world: World, job: Recurring, at: float) -> None:
    """A pinned schedule carries its own Workflow; one on "latest" asks the server, which may refuse."""
    spec = job.spec
    reference = dict(job.reference)
    if job.reference and "pipeline_version_id" not in job.reference:
        latest = world.latest(job.reference["pipeline_id"])
        if latest is None or (world.multi_user and not world.scheduler_has_identity):
            return
        spec, reference["pipeline_version_id"] = latest.spec, latest.id
    name = f"{job.object_name}-{job.ticks}-{abs(hash((job.id, job.ticks))) % 10**10}"
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
