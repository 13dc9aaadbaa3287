"""The one CI call: what is known becomes a plan, and the plan is carried out."""

from collections.abc import Callable
from functools import partial
from typing import assert_never

from tagline.errors import ConfigError, StillTraining
from tagline.flow import resolve, training
from tagline.flow.checks import check_commit
from tagline.flow.plan import (
    AnyStep,
    Check,
    FinishRelease,
    FinishRollback,
    Known,
    MakeRelease,
    Nothing,
    Plan,
    Promote,
    Register,
    Train,
    plan,
)
from tagline.flow.promotion import promote_step
from tagline.flow.release import finish_release, make_release, next_of
from tagline.flow.report import Report, StepReport, nothing, perform
from tagline.flow.rollback import finish_rollback
from tagline.flow.world import World
from tagline.git import tags
from tagline.git.history import check_on_a_line
from tagline.git.occasion import Event, Occasion, occasion
from tagline.git.state import State
from tagline.platforms import RunState
from tagline.words import Release


def plan_event(world: World, event: str | None, ref: str | None) -> Plan:
    """The plan of this call; the event comes from `event` and `ref`, else from what git has checked out.

    Raises `AmbiguousHead`, and what reading versions, tags and the ledger raises.
    """
    now = occasion(world.repo, world.facts, world.state(), event=event, ref=ref)
    return plan(known(world, now))


def known(world: World, now: Occasion) -> Known:
    """Everything that the plan of an event is made from."""
    ref = now.ref
    match now.event:
        case Event.PR:
            found = next_of(world)
            when = world.own_config(world.facts.head).smoke_when
            return Known(
                Event.PR,
                ref,
                smoke_on_pr=when == "on-pr",
                next_release=found.release,
                next_reason=found.reason,
            )
        case Event.MERGE:
            return _known_merge(world, ref)
        case Event.TAG:
            return Known(Event.TAG, ref, promotion=now.promotion, unregistered=_unregistered(world))
        case Event.SCHEDULE:
            return _known_schedule(world, ref)
        case _:
            assert_never(now.event)


def _known_merge(world: World, ref: str) -> Known:
    found, state = next_of(world), world.state()
    claimed = found.at_head
    return Known(
        Event.MERGE,
        ref,
        train_on_release=world.policy.train == "on-release",
        next_release=found.release,
        next_reason=found.reason,
        claimed=claimed,
        uploaded=claimed is not None and _uploaded(world, state, claimed),
        trained=claimed is not None and _trained(world, state, claimed),
        unregistered=_unregistered(world),
        rolled_back=_rolled_back(world, state),
    )


def _rolled_back(world: World, state: State) -> list[tuple[str, str]]:
    """Where a rollback was begun on this platform that the ledger does not know."""
    places = ((env, model) for env in world.policy.environments for model in world.policy.model_names())
    begun = [place for place in places if resolve.unrecorded(world, state, *place)]
    return [place for place in begun if resolve.machine_of(world, *place) in {"", world.platform.machine}]


def _trained(world: World, state: State, release: Release) -> bool:
    """Whether a training of the release is registered, or succeeded without making a model."""
    if any(state.versions(model, release) for model in world.policy.model_names()):
        return True
    runs = world.platform.pipelines.runs(training.owner_prefix(world.policy.pipeline, release))
    return any(run.state is RunState.SUCCEEDED for run in runs)


def _uploaded(world: World, state: State, release: Release) -> bool:
    pipeline = world.policy.pipeline
    on_platform = world.platform.pipelines.version(pipeline, release) is not None
    return on_platform and (pipeline, release) in state.uploads


def _unregistered(world: World) -> int:
    return len(training.finished(world, world.state()))


def _known_schedule(world: World, ref: str) -> Known:
    state = world.state()
    opened = tags.open_requests(world.facts, state)
    newest = [one.newest.promotion for one in opened if one.newest]
    mine = [release for pipeline, release in state.releases if pipeline == world.policy.pipeline]
    waiting = [release for release in mine if (world.policy.pipeline, release) not in state.uploads]
    return Known(
        Event.SCHEDULE,
        ref,
        open_promotions=newest,
        unfinished=sorted(waiting),
        unregistered=_unregistered(world),
        rolled_back=_rolled_back(world, state),
    )


def run_plan(world: World, plan: Plan) -> Report:
    """Carry out a plan; the report's exit code is that of its first failure.

    A scheduled call goes on after a promotion that failed: other models do not wait for it.
    """
    report = Report(plan.event, world.facts.head)
    steps = [(name_of(step), _act(world, step)) for step in plan.steps]
    if plan.event is not Event.SCHEDULE:
        return perform(report, world.told, steps)
    first: tuple[int, str] = (0, "")
    for step in steps:
        report.exit_code, report.error = 0, ""
        perform(report, world.told, [step])
        first = first if first[0] else (report.exit_code, report.error)
    report.exit_code, report.error = first
    return report


def name_of(step: AnyStep) -> str:
    """A step's name in reports."""
    match step:
        case Check():
            return "check"
        case MakeRelease() | FinishRelease():
            return "release"
        case Train():
            return "training"
        case Register():
            return "register"
        case FinishRollback():
            return "rollback"
        case Promote():
            return "promotion"
        case Nothing():
            return "nothing"
        case _:
            assert_never(step)


def _act(world: World, step: AnyStep) -> Callable[[], StepReport]:
    match step:
        case Check():
            return partial(check_commit, world, smoke=step.smoke, image=step.image)
        case MakeRelease():
            return partial(make_release, world, step.release)
        case FinishRelease():
            return partial(finish_release, world, step.release)
        case Train():
            return partial(_train, world, step.release)
        case Register():
            return partial(training.register_step, world)
        case FinishRollback():
            return partial(finish_rollback, world, step.env, step.model)
        case Promote():
            return partial(promote_step, world, step.promotion)
        case Nothing():
            return partial(nothing, "nothing", step.reason)
        case _:
            assert_never(step)


def _train(world: World, planned: Release) -> StepReport:
    """The training of HEAD's release: the planned one, or what HEAD got where another commit was faster.

    Raises `StillTraining` where another process trains it right now.
    """
    release = next_of(world).at_head
    if release is None:
        return nothing("training", f"{planned} went to another commit, which trains it")
    prefix = training.owner_prefix(world.policy.pipeline, release)
    runs = world.platform.pipelines.runs(prefix)
    if any(run.state is RunState.RUNNING for run in runs):
        raise StillTraining(
            f"release {release} is being trained by another process", fix="tagline ci again later"
        )
    return training.train_release(world, release)


def release_head(world: World) -> Report:
    """`tagline release`: the release part of a merge, without the project's checks."""
    if not world.policy.pipeline:
        raise ConfigError("the pipeline has no name", fix="pipeline: NAME in tagline.yaml")
    check_on_a_line(world.repo, world.facts, world.facts.head, "HEAD")
    made = plan(_known_merge(world, world.facts.default_branch))
    steps: list[AnyStep] = [step for step in made.steps if not isinstance(step, Check)]
    return run_plan(world, Plan(made.event, made.ref, steps))
