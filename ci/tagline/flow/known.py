"""What a call's plan is made from: the event, the ledger, what the platform holds."""

from collections.abc import Callable
from typing import assert_never

from tagline.errors import BadWord, EventNotUsable
from tagline.flow.plan import Known, only_env, plan
from tagline.flow.promoting import resolve
from tagline.flow.releasing.owners import owner_prefix
from tagline.flow.releasing.registering import unregistered
from tagline.flow.releasing.release import next_of
from tagline.flow.releasing.scheduling import declared_otherwise, schedule_moves
from tagline.flow.steps import Plan
from tagline.flow.together import together
from tagline.flow.world import World
from tagline.git import tags
from tagline.git.ledger import is_run
from tagline.git.occasion import Event, Occasion, as_merged, occasion
from tagline.git.state import State
from tagline.hosts import Host, detect
from tagline.hosts.call import Call, Trigger
from tagline.hosts.reading import read_call
from tagline.platforms import RunState
from tagline.words import Promotion, Release, one_of


def plan_event(world: World, event: str | None, ref: str | None, *, env: str = "", ours: str = "") -> Plan:
    """The plan of this call; the event comes from `event` and `ref`, else from the CI host,
    else from what git has checked out.

    `env` limits it to the promotions of one environment: a scheduled call, or the one of a tag. What the run
    `ours` has claimed already counts as not claimed: the plan is the one that it began with. Raises
    `AmbiguousHead`, `EventNotUsable`, `UnknownName`, and what reading versions, tags and the ledger raises.
    """
    call = None if event else read_call(world.environ)
    if env:
        one_of(env, world.policy.environments, "environment")
        if call and call.trigger is Trigger.TAG:
            event, ref = Event.TAG, ref or call.ref  # a tag's own job wakes another
        event = event or Event.SCHEDULE
        _require_promoting(event)
    if event == Event.SCHEDULE:
        _require_default_branch(world)
    now = occasion(world.repo, world.facts, world.state(), event=event, ref=ref, call=call)
    made = _planned(world, lambda part: known(part, now, env=env, ours=ours), now.promotion)
    return only_env(made, env) if env else made


def plan_merge(world: World) -> Plan:
    """The plan of a merge, of HEAD into the default branch."""
    return _planned(world, lambda part: known_merge(part, world.facts.default_branch))


def _planned(world: World, know: Callable[[World], Known], promotion: Promotion | None = None) -> Plan:
    """The plan of the repository's one pipeline, or of all of them together; a tag is about one of them alone."""
    if not world.policy.several:
        return plan(know(world))
    if promotion:
        part = world.of_model(promotion.model)
        return plan(know(part if part.policy.pipeline else world.parts()[0]))
    return together({part.policy.pipeline: plan(know(part)) for part in world.parts()})


def _require_default_branch(world: World) -> None:
    """Raise `EventNotUsable` in a run of a tag, a pull request or another branch: its CI file is not the policy's.

    Only a run of the default branch may use the credentials of an environment, whatever the call asks for.
    """
    try:
        call = read_call(world.environ)
    except EventNotUsable:
        return  # the host says nothing that could be held against `--event`
    if call is None or (call.trigger not in {Trigger.TAG, Trigger.PULL_REQUEST} and _on_default(world, call)):
        return
    raise EventNotUsable(
        f"promotions are acted on by a run of {world.facts.default_branch}; this {call.host} run is of {call.ref}",
        where=call.run.url or call.ref,
        fix="tagline wake starts one; or let the schedule of the default branch act",
    )


def _on_default(world: World, call: Call) -> bool:
    return call.ref in (world.facts.default_branch, "")


def _require_promoting(event: str) -> None:
    if event not in {Event.TAG, Event.SCHEDULE}:
        raise BadWord(
            f"--env is about promotions, and the event is {event}",
            fix="tagline ci --event schedule --env ENV",
        )


def known(world: World, now: Occasion, *, env: str = "", ours: str = "") -> Known:
    """Everything that the plan of an event is made from; `env` and `ours` as in `plan_event`."""
    ref = now.ref
    match now.event:
        case Event.PR:
            found = next_of(world, as_merged(world.repo, world.facts, now))
            return Known(
                Event.PR,
                ref,
                smoke_on_pr=_smokes(world, now) and (found.release is not None or not world.policy.several),
                next_release=found.release,
                next_reason=found.reason,
            )
        case Event.MERGE:
            return known_merge(world, ref, ours)
        case Event.TAG:
            return _known_tag(world, now)
        case Event.SCHEDULE:
            return _known_schedule(world, ref, env)
        case _:
            assert_never(now.event)


def _smokes(world: World, now: Occasion) -> bool:
    """Whether a pull request's smoke training runs: by its own word, a fork's by the policy's alone.

    Where a fork's needs a GPU, its check ends red: no CI file of ours hands a fork to such an agent.
    """
    pull = now.call.pull if now.call else None
    if pull is None or not pull.fork:
        return world.own_config(world.facts.head).smoke_when == "on-pr"
    return world.policy.smoke_when == "on-pr"


def _known_tag(world: World, now: Occasion) -> Known:
    if detect(world.environ) is not Host.GIT:
        return Known(Event.TAG, now.ref, promotion=now.promotion, wakes=True)
    return Known(
        Event.TAG, now.ref, promotion=now.promotion, unregistered=unregistered(world, world.state()).count
    )


def known_merge(world: World, ref: str, ours: str = "") -> Known:
    """What the plan of a merge is made from; `ours` as in `plan_event`."""
    found, state = next_of(world), world.state()
    claimed = found.at_head
    waiting = unregistered(world, state, all_of_it=False)
    mine = claimed if claimed and ours and _claimed_by(world, state, claimed, ours) else None
    scheduled = found.release or _scheduled(world, state, claimed)
    return Known(
        Event.MERGE,
        ref,
        scheduled=scheduled,
        schedules=schedule_moves(world, scheduled),
        train_on_release=world.policy.train == "on-release",
        next_release=found.release or mine,
        next_reason=found.reason,
        claimed=claimed,
        uploaded=claimed is not None and _uploaded(world, state, claimed),
        trained=claimed is not None and _trained(world, state, claimed),
        unregistered=waiting.count,
        awaited=claimed is not None and waiting.of(claimed),
        rolled_back=_rolled_back(world, state),
    )


def _scheduled(world: World, state: State, claimed: Release | None) -> Release | None:
    """The release whose schedules a merge that makes none looks after: HEAD's where it is the newest.

    At the default branch's head also the newest uploaded one, where tagline.yaml has changed what is declared since.
    """
    pipeline = world.policy.pipeline
    newest = max((release for name, release in state.releases if name == pipeline), default=None)
    if claimed:
        return claimed if claimed == newest else None
    if (
        newest is None
        or (pipeline, newest) not in state.uploads
        or world.facts.head != world.facts.default_head
    ):
        return None
    return newest if declared_otherwise(world, state.releases[pipeline, newest].commit) else None


def _claimed_by(world: World, state: State, release: Release, ours: str) -> bool:
    event = state.release(world.policy.pipeline, release)
    return event is not None and is_run(event.run, ours)


def _rolled_back(world: World, state: State) -> list[tuple[str, str]]:
    """Where a rollback was begun on this platform that the ledger does not know."""
    if not world.platform.serves:
        return []
    places = ((env, model) for env in world.policy.environments for model in world.policy.model_names())
    begun = [place for place in places if resolve.unrecorded(world, state, *place)]
    return [place for place in begun if resolve.machine_of(world, *place) in {"", world.platform.machine}]


def _trained(world: World, state: State, release: Release) -> bool:
    """Whether a training of the release is registered, or succeeded without making a model."""
    if any(state.versions(model, release) for model in world.policy.model_names()):
        return True
    runs = world.platform.pipelines.runs(owner_prefix(world.policy.pipeline, release))
    return any(run.state is RunState.SUCCEEDED for run in runs)


def _uploaded(world: World, state: State, release: Release) -> bool:
    pipeline = world.policy.pipeline
    on_platform = world.platform.pipelines.version(pipeline, release) is not None
    return on_platform and (pipeline, release) in state.uploads


def _known_schedule(world: World, ref: str, env: str = "") -> Known:
    state = world.state()
    opened = tags.open_requests(world.facts, state, env)
    newest = [one.newest.promotion for one in opened if one.newest and _is_mine(world, one.newest.promotion)]
    mine = [release for pipeline, release in state.releases if pipeline == world.policy.pipeline]
    uploaded = [release for pipeline, release in state.uploads if pipeline == world.policy.pipeline]
    waiting = [release for release in mine if (world.policy.pipeline, release) not in state.uploads]
    return Known(
        Event.SCHEDULE,
        ref,
        scheduled=max(uploaded, default=None),
        schedules=schedule_moves(world, max(uploaded, default=None)),
        open_promotions=newest,
        unfinished=sorted(waiting),
        interrupted=_interrupted(world, state, max(mine, default=None)),
        unregistered=unregistered(world, state).count,
        rolled_back=_rolled_back(world, state),
    )


def _is_mine(world: World, promotion: Promotion) -> bool:
    """Whether a promotion is this pipeline's to act on; the first one refuses what none of them makes."""
    if not world.policy.several:
        return True
    return (world.policy.maker(promotion.model) or min(world.policy.pipelines)) == world.policy.pipeline


def _interrupted(world: World, state: State, newest: Release | None) -> Release | None:
    """The newest release, where its training's process vanished and nothing of it is trained."""
    if newest is None or world.policy.train != "on-release" or _trained(world, state, newest):
        return None
    runs = world.platform.pipelines.runs(owner_prefix(world.policy.pipeline, newest))
    return newest if runs and runs[-1].state is RunState.INTERRUPTED else None
