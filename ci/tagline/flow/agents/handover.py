"""From agent to agent: a plan saved as a file, and an agent that does its part of it."""

import hashlib
from collections.abc import Iterator, Sequence, Set
from pathlib import Path

import msgspec
from tagline_task.masking import Secret

from tagline import __version__
from tagline.errors import NeedsAgent, PipelineError, StateTampered
from tagline.flow.agents.kept import StateFolder
from tagline.flow.agents.needs import Need, Wants, committed_pipeline, needs, next_needs, wants_of
from tagline.flow.agents.saved import Saved, SavedStep, key, kind, require_same, subject, todo
from tagline.flow.agents.seal import Seal
from tagline.flow.ci import Carried, run_plan
from tagline.flow.known import plan_event
from tagline.flow.plan import environments
from tagline.flow.report import Report, StepReport
from tagline.flow.steps import (
    AnyStep,
    FinishRollback,
    GoOnTraining,
    MakeRelease,
    Nothing,
    Plan,
    Promote,
    Smoke,
)
from tagline.flow.world import World
from tagline.git import events as ev
from tagline.git import tags
from tagline.git.ledger import is_run, part_of_run
from tagline.git.occasion import Event
from tagline.git.repo import LEDGER_REF
from tagline.git.state import State
from tagline.hosts.reading import read_call
from tagline.pipeline import compile as compiling
from tagline.words import Release, ReleaseTag


class Agent(msgspec.Struct, frozen=True):
    """What an agent has, and the one need that it is to limit itself to (None: it does all it can)."""

    have: frozenset[Need]
    only: Need | None = None

    def can(self, needed: frozenset[Need]) -> bool:
        """Whether a step with these needs is this agent's to do."""
        has = self.have | ({self.only} if self.only else set())
        return needed <= has and (self.only is None or self.only in needed)


class Ran(msgspec.Struct, frozen=True):
    """What an agent did of a plan, and what the next one must have: nothing in particular, or nothing is left.

    `earlier` are the steps that agents before it had done.
    """

    plan: Plan
    report: Report
    needs_agent: list[str] = []
    earlier: list[StepReport] = []

    def whole(self) -> Report:
        """The report of the plan so far, the earlier agents' steps first."""
        return msgspec.structs.replace(self.report, steps=[*self.earlier, *self.report.steps])


def save_plan(world: World, event: str | None, ref: str | None, env: str = "") -> Saved:
    """The plan of this call as its file says it; raises what `plan_event` raises."""
    made = plan_event(world, event, ref, env=env)
    saved = _saved(world, made, world.author.run, env)
    return msgspec.structs.replace(saved, told=event is not None)


def _saved(world: World, made: Plan, run: str, env: str, agreed: Saved | None = None) -> Saved:
    wants = _wants(world, made)
    steps = [_step(step, wants) for step in made.steps]
    return Saved(
        run=run,
        event=made.event,
        ref=made.ref,
        head=world.facts.head,
        policy=policy_digest(world),
        refs=dict(_refs(world, made, run, agreed)),
        steps=steps,
        environments=environments(made.steps),
        env=env,
        tagline=__version__,
    )


def _wants(world: World, made: Plan) -> Wants:
    """What the trainings of a plan ask for: HEAD's, or that of a release whose training goes on."""
    if made.event not in {Event.TAG, Event.SCHEDULE}:
        return wants_of(world, world.facts.head)
    going_on = [step for step in made.steps if isinstance(step, GoOnTraining)]
    parts = [(world.of(step.pipeline), step.release) for step in going_on]
    claims = [(part, part.state().release(part.policy.pipeline, release)) for part, release in parts]
    return Wants.of_all([wants_of(part, claim.commit) for part, claim in claims if claim])


def _step(step: AnyStep, wants: Wants) -> SavedStep:
    needed = [str(one) for one in sorted(needs(step, wants))]
    return SavedStep(kind(step), subject(step), step.reason, needed)


def policy_digest(world: World) -> str:
    """SHA-256 (hex) of tagline.yaml at the default branch's head and of the platform file it stands under."""
    under = world.platform_file.digest if world.platform_file else ""
    return hashlib.sha256(f"{under}\n{world.facts.policy or ''}".encode()).hexdigest()


def _refs(world: World, made: Plan, run: str, agreed: Saved | None) -> Iterator[tuple[str, str]]:
    """What the plan depends on, without what this very run has done since: that counts as done.

    A merge depends on the releases, a promotion on the promotions and decisions of its environment: what
    happens elsewhere does not make a plan wrong.
    """
    places: set[tuple[str, str]] | None = None
    if made.event in {Event.TAG, Event.SCHEDULE}:
        planned = (one.subject for one in (agreed.steps if agreed else []) if one.step == Promote.__name__)
        places = {_place(one) for one in planned}
        places |= {(one.promotion.env, one.promotion.model) for one in made.steps if isinstance(one, Promote)}
        yield from _promotions(world, run, places, agreed.refs if agreed else {})
    else:
        yield from _releases(world, run)
    events = world.ledger().events
    concern = [one for one in events if _concerns(one, places) and not is_run(one.run, run)]
    yield LEDGER_REF, hashlib.sha256(b"\n".join(msgspec.json.encode(one) for one in concern)).hexdigest()


def _concerns(event: ev.AnyEvent, places: Set[tuple[str, str]] | None) -> bool:
    """Whether a plan for these places, or one for releases (None), depends on an event."""
    if places is None:
        return isinstance(event, ev.Released)
    return isinstance(event, ev.OfPlace) and (event.env, event.model) in places


def _place(promotion: str) -> tuple[str, str]:
    asked = tags.parse(promotion)
    return asked.env, asked.model


def _releases(world: World, run: str) -> Iterator[tuple[str, str]]:
    """The release tags but those of this run's own claims."""
    state = world.state()
    ours = {event.tag for event in state.releases.values() if is_run(event.run, run)}
    for name, tag in sorted(world.facts.tags.items()):
        if ReleaseTag.read(name) and name not in ours:
            yield f"refs/tags/{name}", tag.object


def _promotions(
    world: World, run: str, places: Set[tuple[str, str]], agreed: dict[str, str]
) -> Iterator[tuple[str, str]]:
    """The open promotions of these places, and the agreed ones that this run has ended."""
    state = world.state()
    events = (one for one in world.ledger().events if isinstance(one, ev.OfPromotion))
    ours = {one.promotion for one in events if is_run(one.run, run)}
    for env, model in sorted(places):
        for one in tags.requests_of(world.facts, state, env, model):
            name = f"refs/tags/{one.tag.name}"
            if not state.ended(one.promotion) or (one.promotion in ours and name in agreed):
                yield name, one.tag.object


def run_saved(world: World, saved: Saved, agent: Agent, folder: Path | None, sealing: Secret) -> Ran:
    """Do this agent's part of a saved plan: plan again, refuse what differs, act, keep each result in `folder`.

    A key in `sealing` seals the results, and then only results that it sealed are believed.

    The report's exit code is that of the first failure, or `NeedsAgent`'s where a step is left that needs
    another agent. Raises `PlanDiffers`, `StateTampered`, and what planning raises.
    """
    kept = StateFolder(folder, saved.digest(), Seal(sealing, saved.head))
    earlier = [kept.reports[step.key] for step in saved.steps if step.key in kept.done]
    event, ref = _occasion(world, saved)
    own = plan_event(world, event, ref, env=saved.env, ours=saved.run)
    require_same(saved, _saved(world, own, saved.run, saved.env, saved))
    left = todo(saved, own.steps, kept.done)
    _require_told(world, saved, kept.done)
    world.author = msgspec.structs.replace(world.author, run=part_of_run(saved.run))
    mine, others = share(left, _wants(world, own), agent, own.event is Event.SCHEDULE)
    part = Plan(own.event, own.ref, mine or _none(own, left))
    report = run_plan(world, part, _Keeper(world, kept))
    if report.exit_code or not others:
        return Ran(part, report, earlier=earlier)
    report.exit_code = NeedsAgent.exit_code
    return Ran(part, report, [str(one) for one in sorted(next_needs(others))], earlier)


def _require_told(world: World, saved: Saved, done: Set[str]) -> None:
    """Raise `StateTampered` where the folder says that a release or promotion is done, and the ledger does not."""
    state = world.state()
    for step in saved.steps:
        if step.key not in done:
            continue
        released = step.step != MakeRelease.__name__ or _claimed(world, state, step.subject)
        ended = step.step != Promote.__name__ or state.ended(tags.parse(step.subject))
        if not (released and ended):
            raise StateTampered(
                f"the state directory says that {step.key} is done, and the ledger knows nothing of it",
                where=step.key,
                fix="begin again with an empty state directory",
            )


def _claimed(world: World, state: State, subject: str) -> bool:
    """Whether the release that a step is about stands in the ledger."""
    pipeline, _, release = subject.rpartition("@")
    return state.release(pipeline or world.policy.pipeline, Release.parse(release)) is not None


def _occasion(world: World, saved: Saved) -> tuple[str | None, str | None]:
    """Event and ref to plan again for: the plan's, or none where nobody told it and this agent's host knows."""
    if not saved.told and not saved.env and read_call(world.environ) is not None:
        return None, None
    return saved.event, saved.ref


def _none(own: Plan, left: list[AnyStep]) -> list[AnyStep]:
    if left:
        return [Nothing(reason="this agent can do none of what is left")]
    return [Nothing(reason="every step of the plan is done")]


def share(
    left: Sequence[AnyStep], wants: Wants, agent: Agent, independent: bool
) -> tuple[list[AnyStep], list[frozenset[Need]]]:
    """The steps that are this agent's, and the needs of each that is left for another.

    Steps follow one another: nothing after a step that is not done. Only `independent` ones (a schedule's)
    do not wait for each other, and nothing waits for the record of a rollback that one environment lacks.
    """
    mine: list[AnyStep] = []
    others: list[frozenset[Need]] = []
    waits = False
    for step in left:
        needed = needs(step, wants)
        if agent.can(needed) and not waits:
            mine.append(step)
        else:
            others.append(needed)
            waits = waits or not (independent or isinstance(step, FinishRollback))
    return mine, others


class _Keeper(Carried):
    """Keeps each finished step's result in the state directory, and hands on what an earlier agent built."""

    def __init__(self, world: World, kept: StateFolder) -> None:
        super().__init__(kept.built)
        self._kept, self._only = kept, world.policy.pipeline
        for pipeline, built in kept.built.items():
            _require_current(world.of(pipeline), built.compiled)

    def keep(self, step: AnyStep, report: StepReport) -> None:
        """Write the step's result."""
        if isinstance(step, Nothing):
            return
        built = self.built.get(step.pipeline or self._only) if isinstance(step, Smoke) else None
        self._kept.keep(key(step), report, built)


def _require_current(world: World, compiled: str) -> None:
    """Raise `StateTampered` where what an earlier agent compiled is not what HEAD's pipeline.yaml says."""
    head = world.facts.head
    committed = committed_pipeline(world, world.own_config(head), head)
    try:
        same = committed is not None and compiling.same(committed, compiled)
    except PipelineError:
        same = False
    if not same:
        raise StateTampered(
            f"the pipeline that passed its smoke training is not the one of HEAD {head[:10]}",
            where="pipeline.yaml",
            fix="begin again with an empty state directory",
        )
