"""The one CI call: what is known becomes a plan, and the plan is carried out."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import assert_never

from tagline import temporary
from tagline.errors import ConfigError, StateTampered, StillTraining, TaglineError
from tagline.flow.checking.checks import check_commit
from tagline.flow.known import plan_merge
from tagline.flow.promoting.promotion import promote_step
from tagline.flow.promoting.rollback import finish_rollback
from tagline.flow.releasing.owners import numbered, owner_prefix
from tagline.flow.releasing.registering import register_step
from tagline.flow.releasing.release import (
    Built,
    Got,
    claim_all,
    finish_release,
    next_of,
    smoke_release,
    upload_claimed,
)
from tagline.flow.releasing.scheduling import schedule_step
from tagline.flow.releasing.training import train_release
from tagline.flow.report import Report, Said, StepReport, nothing, perform
from tagline.flow.results.waking import check_tag, wake
from tagline.flow.steps import (
    AnyStep,
    Check,
    CheckTag,
    FinishRelease,
    FinishRollback,
    GoOnTraining,
    MakeRelease,
    Nothing,
    Plan,
    Promote,
    Register,
    Schedule,
    Smoke,
    Train,
    Wake,
)
from tagline.flow.world import World
from tagline.git.history import check_on_a_line
from tagline.git.ledger import Batch
from tagline.git.occasion import Event
from tagline.platforms import Run, RunState
from tagline.platforms.local import work
from tagline.words import Release


class Carried:
    """What one step of a plan hands to the next, by pipeline: what passed its smoke training, what was claimed."""

    def __init__(self, built: Mapping[str, Built] | None = None) -> None:
        self.built = dict(built or {})
        self.got: dict[str, Got] = {}

    def keep(self, step: AnyStep, report: StepReport) -> None:
        """Hear that a step is done; within one process there is nothing to keep."""


def run_plan(world: World, plan: Plan, carried: Carried | None = None) -> Report:
    """Carry out a plan; the report's exit code is that of its first failure. `carried` hears of each step done.

    A scheduled call goes on after a promotion that failed: other models do not wait for it; nor does the training
    of one pipeline wait for that of another.
    """
    work.sweep(world.home)
    temporary.sweep(time.time())
    if plan.event in {Event.MERGE, Event.SCHEDULE} and world.state().pending:
        world.append(lambda state: Batch())  # completes what was cut short, though there is nothing to add
    if plan.event is Event.SCHEDULE and world.platform.pipelines.detached:
        _sweep(world)
    report = Report(plan.event, world.facts.head)
    carried = carried or Carried()
    first, failed = (0, "", ""), None
    for step in plan.steps:
        if failed and not _goes_on(plan, failed, step):
            break
        report.exit_code, report.error, report.where = 0, "", ""
        act = partial(_done, carried, step, _act(world, plan, step, carried))
        perform(report, world.told, [(name_of(step), act)])
        if report.exit_code:
            failed = step
            first = first if first[0] else (report.exit_code, report.error, report.where)
    report.exit_code, report.error, report.where = first
    return report


def _sweep(world: World) -> None:
    """Remove what our own runs left on the platform; what hinders it is said, and hinders nothing else."""
    for part in world.parts():
        try:
            swept = part.platform.pipelines.sweep(part.policy.pipeline)
        except TaglineError as error:
            world.told(Said(f"old runs of {part.policy.pipeline} were not swept: {error.what}"))
            continue
        if swept:
            world.told(Said(f"swept {len(swept)} old run(s) of {part.policy.pipeline}"))


def _goes_on(plan: Plan, failed: AnyStep, step: AnyStep) -> bool:
    """Whether a step does not wait for one that failed before it."""
    return plan.event is Event.SCHEDULE or (isinstance(failed, Train) and isinstance(step, Train))


def name_of(step: AnyStep) -> str:
    """A step's name in reports."""
    match step:
        case Check():
            return "check"
        case Smoke():
            return "smoke training"
        case MakeRelease() | FinishRelease():
            return "release"
        case Train() | GoOnTraining():
            return "training"
        case Schedule():
            return "schedules"
        case Register():
            return "register"
        case FinishRollback():
            return "rollback"
        case CheckTag():
            return "tag"
        case Wake():
            return "wake"
        case Promote():
            return "promotion"
        case Nothing():
            return "nothing"
        case _:
            assert_never(step)


def _done(carried: Carried, step: AnyStep, act: Callable[[], StepReport]) -> StepReport:
    report = act()
    carried.keep(step, report)
    return report


def _act(world: World, plan: Plan, step: AnyStep, carried: Carried) -> Callable[[], StepReport]:
    match step:
        case Check():
            return partial(check_commit, world, smoke=step.smoke, image=step.image, smokes=step.smokes)
        case Smoke():
            return partial(_smoke, world.of(step.pipeline), carried)
        case MakeRelease():
            claims = [one for one in plan.steps if isinstance(one, MakeRelease)]
            return partial(_release, world, step, claims, carried)
        case FinishRelease():
            return partial(finish_release, world.of(step.pipeline), step.release)
        case Train():
            return partial(_train, world.of(step.pipeline), step.release)
        case GoOnTraining():
            return partial(train_release, world.of(step.pipeline), step.release)
        case Schedule():
            return partial(schedule_step, world.of(step.pipeline), step.release)
        case Register():
            return partial(register_step, world)
        case FinishRollback():
            return partial(finish_rollback, world, step.env, step.model)
        case CheckTag() | Wake() | Promote():
            return _asked(world, step)
        case Nothing():
            return partial(nothing, "nothing", step.reason)
        case _:
            assert_never(step)


def _asked(world: World, step: CheckTag | Wake | Promote) -> Callable[[], StepReport]:
    match step:
        case CheckTag():
            return partial(check_tag, world, step.promotion)
        case Wake():
            return partial(wake, world.environ)
        case Promote():
            return partial(promote_step, world, step.promotion)


def _smoke(world: World, carried: Carried) -> StepReport:
    report, built = smoke_release(world)
    carried.built[built.pipeline] = built
    return report


def _release(world: World, step: MakeRelease, claims: Sequence[MakeRelease], carried: Carried) -> StepReport:
    """Claim what the plan releases, all in one push, and upload this step's."""
    name = world.of(step.pipeline).policy.pipeline
    if name not in carried.got:
        wanted = {world.of(one.pipeline).policy.pipeline: one.release for one in claims}
        missing = [str(release) for pipeline, release in wanted.items() if pipeline not in carried.built]
        if missing:
            raise StateTampered(
                f"release {', '.join(missing)} cannot be claimed: the result of its smoke training is not there",
                fix="begin again with an empty state directory",
            )
        carried.got = claim_all(world, {one: (carried.built[one], wanted[one]) for one in wanted})
    return upload_claimed(world.of(step.pipeline), carried.built[name], carried.got[name])


def _train(world: World, planned: Release) -> StepReport:
    """The training of HEAD's release: the planned one, or what HEAD got where another commit was faster.

    Raises `StillTraining` where another process trains it right now.
    """
    release = next_of(world).at_head
    if release is None:
        if world.state().release(world.policy.pipeline, planned) is None:
            raise StateTampered(
                f"release {planned} was not claimed by anybody, so there is nothing to train",
                fix="begin again with an empty state directory",
            )
        return nothing("training", f"{planned} went to another commit, which trains it")
    prefix = owner_prefix(world.policy.pipeline, release)
    runs = numbered(prefix, world.platform.pipelines.runs(prefix))
    going = [run for run in runs if run.state is RunState.RUNNING]
    if going and world.platform.pipelines.detached:
        return nothing(
            "training", f"run {going[0].owner} goes on there; a later tagline ci registers its model"
        )
    if world.platform.pipelines.detached:
        _require_not_failed(world, runs, release)
    if going:
        raise StillTraining(
            f"release {release} is being trained by another process", fix="tagline ci again later"
        )
    if world.platform.pipelines.version(world.policy.pipeline, release) is None:
        # another agent uploaded it to a platform of its own: the same commit gives the same content here
        world.told(finish_release(world, release))
    return train_release(world, release)


def _require_not_failed(world: World, runs: Sequence[Run], release: Release) -> None:
    """Raise the error of a training that failed there while nobody waited: another is started by hand alone."""
    problem = runs[-1].problem() if runs and runs[-1].state is not RunState.SUCCEEDED else None
    if problem:
        of = f" --pipeline {world.policy.pipeline}" if world.policy.several else ""
        problem.fix = (
            f"look at its tasks on the server; tagline train --release {release}{of} starts another, "
            "with --retry it goes on where it failed"
        )
        raise problem


def release_head(world: World) -> Report:
    """`tagline release`: what a merge does, checks first: no commit is released that they refuse."""
    if not world.policy.title:
        raise ConfigError("the pipeline has no name", fix="pipeline: NAME in tagline.yaml")
    check_on_a_line(world.repo, world.facts, world.facts.head, "HEAD")
    return run_plan(world, plan_merge(world))
