"""A promotion from its tag to its end: ask once, gate once, roll out, and say in the ledger how it ended."""

import time
from collections.abc import Callable

import msgspec

from tagline.errors import GateInconclusive, GateRefused, ModelDoesNotLoad, VersionError
from tagline.flow import resolve
from tagline.flow.gating import hold_contest
from tagline.flow.report import Said, StepReport, done, nothing
from tagline.flow.scribe import Scribe
from tagline.flow.world import World
from tagline.git import events as ev
from tagline.git import tags
from tagline.git.history import check_on_a_line
from tagline.git.ledger import Batch
from tagline.git.state import Asking, State
from tagline.git.tags import Request as TagRequest
from tagline.model.gate import Outcome as GateOutcome
from tagline.model.gate import Verdict
from tagline.platforms import ServerSpec
from tagline.rollout.plan import plan_of
from tagline.rollout.request import RealClock, Request
from tagline.rollout.run import roll_out
from tagline.rollout.state import Outcome, error_of
from tagline.rollout.state import Verdict as Ending
from tagline.words import ModelVersion, Promotion

NEWER_EVERY = 10.0
_GATED = {
    GateOutcome.PASS: ev.Verdict.PASSED,
    GateOutcome.REFUSED: ev.Verdict.REFUSED,
    GateOutcome.INCONCLUSIVE: ev.Verdict.INCONCLUSIVE,
}


def promote_step(world: World, promotion: Promotion) -> StepReport:
    """Act on a promotion tag, from wherever an earlier call left it; again after its end is a no-op.

    Raises the errors of resolving (20–29, 40–49), of the gate (60–69) and of the rollout (70–79), each after
    its event stands in the ledger.
    """
    resolve.check_place(world.policy, promotion.env, promotion.model)
    resolve.check_machine(world, promotion.env, promotion.model)
    with world.platform.rollouts.lock(promotion.env, promotion.model):
        world.refresh()
        over = _over_before(world, promotion)
        if over:
            return nothing("promotion", over)
        asked = _asked(world, promotion)
        version = ModelVersion.parse(asked.model_version)
        if world.state().place(promotion.env, promotion.model).serves == version:
            _end(world, promotion, _already(promotion), _promoted(promotion, version, version))
            return nothing("promotion", f"{version} serves {promotion.env} already")
        spec = resolve.spec_of(world, world.state(), promotion.model, version)
        _pass_gate(world, promotion, asked, spec)
    return _rolled_out(world, promotion, spec)


def _over_before(world: World, promotion: Promotion) -> str:
    """Why there is nothing left to do for a promotion, or "" where there is; raises `TagMoved`."""
    numbers = [one.promotion.n for one in _requests(world, promotion)]
    state = world.state()
    if state.ended(promotion):
        known = state.promotions.get(promotion)
        return f"{promotion} ended before: {known.status if known else 'settled by adoption'}"
    newest = max([promotion.n, *numbers])
    if newest > promotion.n:
        _end(world, promotion, _superseded(promotion, newest))
        return f"{promotion} gave way to number {newest}"
    return ""


def _requests(world: World, like: Promotion) -> list[TagRequest]:
    """The promotion tags of this environment and model."""
    found = tags.requests(world.facts, world.state())
    return [one for one in found if (one.promotion.env, one.promotion.model) == (like.env, like.model)]


def _asked(world: World, promotion: Promotion) -> ev.Asked:
    """What the tag resolves to: as first written down, and used by every retry; older requests give way."""
    known = world.state().promotions.get(promotion)
    if known and known.asked:
        return known.asked
    request = next((one for one in _requests(world, promotion) if one.promotion == promotion), None)
    if request is None:
        raise VersionError(
            f"there is no tag {promotion} on the remote", fix="git push origin " + str(promotion)
        )
    check_on_a_line(world.repo, world.facts, request.tag.commit, str(promotion))
    said = tags.details(world.repo, request)
    version = _resolved(world, request, said)
    event = ev.Asked(
        env=promotion.env,
        model=promotion.model,
        n=promotion.n,
        tag=request.tag.object,
        commit=request.tag.commit,
        model_version=str(version),
        reason=said.reason,
        override=said.override,
        accept_blind=said.accept_blind,
        rollback_of=str(said.rollback_of or ""),
    )

    def make(state: State) -> Batch:
        if promotion in state.promotions:
            return Batch()
        return Batch(events=[event, *_give_way(world, state, promotion)])

    state = world.append(make).state
    asked = state.promotions[promotion].asked
    return asked or event


def _give_way(world: World, state: State, promotion: Promotion) -> list[ev.AnyEvent]:
    """`superseded` for each older promotion of this place that has no end yet."""
    older = {one.promotion for one in _requests(world, promotion) if one.promotion.n < promotion.n}
    return [_superseded(one, promotion.n) for one in sorted(older) if not state.ended(one)]


def _resolved(world: World, request: TagRequest, said: tags.Details) -> ModelVersion:
    env, model = request.promotion.env, request.promotion.model
    if said.model_version:
        return resolve.by_version(world, world.state(), env, model, said.model_version)
    return resolve.by_commit(world, world.state(), env, model, request.tag.commit)


def _pass_gate(world: World, promotion: Promotion, asked: ev.Asked, spec: ServerSpec) -> None:
    """Let the gate judge, once; raises `GateRefused`, `GateInconclusive` where it does not pass."""
    gated = world.state().promotions[promotion].gated
    if gated is None:
        resolve.check_block(world, world.state(), promotion.env, promotion.model, spec.version)
        served = resolve.agreed(world, world.state(), promotion.env, promotion.model)
        world.told(Said(f"the gate judges {spec.version} against {served or 'the declared floor'}"))
        verdict = hold_contest(world, spec, served, asked.override)
        gated = gate_event(promotion, verdict, asked.override)
        event = gated
        _append_once(world, event, lambda known: known.gated is None)
    world.told(Said(gated.why))
    if gated.verdict is ev.Verdict.REFUSED:
        raise GateRefused(
            gated.why, where=str(promotion), fix="make the model better, or override with a reason"
        )
    if gated.verdict is ev.Verdict.INCONCLUSIVE:
        raise GateInconclusive(gated.why, where=str(promotion), fix="gather more rows for gate.data")


def gate_event(promotion: Promotion, verdict: Verdict, override: str) -> ev.Gated:
    """The gate's verdict as an event; an override is recorded beside what the gate had said."""
    answer = _GATED[verdict.outcome]
    why = verdict.sentence
    if override and answer is not ev.Verdict.PASSED:
        answer, why = ev.Verdict.OVERRIDDEN, f"overridden ({override}); the gate said: {why}"
    counts = msgspec.structs.asdict(verdict.counts)
    numbers = {name: float(value) for name, value in counts.items()}
    numbers |= {"bound": verdict.bound, "allowed": verdict.allowed, "p_worse": verdict.p_worse}
    return ev.Gated(
        env=promotion.env, model=promotion.model, n=promotion.n, verdict=answer, why=why, numbers=numbers
    )


def _rolled_out(world: World, promotion: Promotion, spec: ServerSpec) -> StepReport:
    plan = plan_of(world.policy.rollout)
    request = Request(
        promotion=promotion,
        spec=spec,
        plan=plan,
        hint=f"tagline local traffic {promotion.model} --env {promotion.env}",
        by=world.author.actor,
        tick=min(1.0, plan.ttl / 3),
        newer=_newer(world, promotion),
    )
    serving, rollouts = world.platform.serving, world.platform.rollouts
    try:
        with Scribe(world, promotion, spec.version) as scribe:
            outcome = roll_out(serving, rollouts, request, RealClock(), scribe.told)
    except ModelDoesNotLoad as why:  # it will not the next time either: a new promotion asks for another try
        failed = ev.Failed(env=promotion.env, model=promotion.model, n=promotion.n, why=why.what)
        _end(world, promotion, failed)
        raise
    _end(world, promotion, *ending_events(outcome, request.newer()))
    error = error_of(outcome)
    if error:
        raise error
    return done("promotion", outcome.reason, version=str(outcome.candidate), promotion=str(promotion))


def _newer(world: World, promotion: Promotion) -> Callable[[], Promotion | None]:
    """Asks the remote, at most every ten seconds, for a newer promotion of the same place."""
    from tagline.git import remote

    looked, newest = time.monotonic(), promotion
    place = str(promotion).removesuffix(str(promotion.n))

    def newer() -> Promotion | None:
        nonlocal looked, newest
        if time.monotonic() - looked >= NEWER_EVERY:
            looked = time.monotonic()
            names = (ref.removeprefix("refs/tags/") for ref in remote.listing(world.repo).refs)
            asked = [tags.parse(name) for name in names if name.startswith(place)]
            newest = max([promotion, *asked])
        return newest if newest.n > promotion.n else None

    return newer


def ending_events(outcome: Outcome, newer: Promotion | None) -> list[ev.AnyEvent]:
    """The ledger's words for the end of a rollout; `newer` is the promotion that took its place."""
    promotion, version = outcome.promotion, outcome.candidate
    place = {"env": promotion.env, "model": promotion.model}
    stable = str(outcome.stable or "")
    match outcome.verdict:
        case Ending.LET_IN:
            return [_promoted(promotion, version, outcome.stable)]
        case Ending.TAKEN_BACK:
            back = ev.RolledBack(
                **place,
                n=promotion.n,
                taken_back=str(version),
                to=stable,
                by=ev.By.CANARY,
                why=outcome.reason,
                numbers=numbers_of(outcome),
            )
            return [back]
        case Ending.INCONCLUSIVE:
            return [ev.Inconclusive(**place, n=promotion.n, why=outcome.reason)]
        case Ending.SUPERSEDED if newer is not None:
            return [_superseded(promotion, newer.n)]
        case Ending.SUPERSEDED | Ending.BLOCKED:
            return [ev.Failed(**place, n=promotion.n, why=outcome.reason)]


def numbers_of(outcome: Outcome) -> dict[str, float]:
    """What a rollout ended on, as plain numbers."""
    tally = msgspec.structs.asdict(outcome.tally)
    tally = {name: float(value) for name, value in tally.items() if isinstance(value, int)}
    reaction = {} if outcome.reaction is None else {"reaction": outcome.reaction}
    return {**tally, **reaction, "e_worse": outcome.e_worse, "seconds": outcome.seconds}


def _promoted(promotion: Promotion, version: ModelVersion, previous: ModelVersion | None) -> ev.Promoted:
    return ev.Promoted(
        env=promotion.env,
        model=promotion.model,
        n=promotion.n,
        model_version=str(version),
        previous=str(previous or ""),
    )


def _already(promotion: Promotion) -> ev.Gated:
    return ev.Gated(
        env=promotion.env,
        model=promotion.model,
        n=promotion.n,
        verdict=ev.Verdict.PASSED,
        why="it serves already: nothing to judge",
    )


def _superseded(promotion: Promotion, by: int) -> ev.Superseded:
    return ev.Superseded(env=promotion.env, model=promotion.model, n=promotion.n, by=by)


def _end(world: World, promotion: Promotion, *events: ev.AnyEvent) -> None:
    """Write the end of a promotion, unless it stands already."""

    def make(state: State) -> Batch:
        return Batch() if state.ended(promotion) else Batch(events=events)

    world.append(make)


def _append_once(world: World, event: ev.Gated, missing: Callable[[Asking], bool]) -> None:
    def make(state: State) -> Batch:
        return Batch(events=[event]) if missing(state.promotions[event.promotion]) else Batch()

    world.append(make)
