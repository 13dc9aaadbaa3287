"""A promotion from its tag to its end: ask once, gate once, roll out, and say in the ledger how it ended."""

from collections.abc import Callable

from tagline.errors import Blocked, GateInconclusive, GateRefused, ModelDoesNotLoad, VersionError
from tagline.flow.promoting import overrides, resolve
from tagline.flow.promoting.ending import better_model, close, end, error_again
from tagline.flow.promoting.gating import hold_contest
from tagline.flow.promoting.newer import newer_than
from tagline.flow.promoting.scribe import Scribe
from tagline.flow.promoting.wording import already_serves, failed, gate_event, promoted, superseded
from tagline.flow.report import Said, StepReport, done, nothing
from tagline.flow.world import World
from tagline.git import events as ev
from tagline.git import tags
from tagline.git.history import check_on_a_line
from tagline.git.ledger import Batch
from tagline.git.state import Asking, State
from tagline.git.tags import Request as TagRequest
from tagline.platforms import ServerSpec
from tagline.rollout.plan import plan_of
from tagline.rollout.request import RealClock, Request
from tagline.rollout.run import roll_out, saved
from tagline.rollout.state import Outcome
from tagline.rollout.state import State as Rollout
from tagline.words import ModelVersion, Promotion


def promote_step(world: World, promotion: Promotion) -> StepReport:
    """Act on a promotion tag, from wherever an earlier call left it; again after its end is a no-op.

    Raises the errors of resolving (20–29, 40–49), of the gate (60–69) and of the rollout (70–79), each after
    its event stands in the ledger.
    """
    world = world.of_model(promotion.model)
    resolve.check_asked(world.policy, promotion)
    resolve.require_serving(world)
    resolve.check_machine(world, promotion.env, promotion.model)
    left = _decided(world, promotion)
    if left and left.promotion == promotion:
        return _rolled_out(
            world, promotion, resolve.spec_of(world, world.state(), promotion.model, left.candidate)
        )
    if left:
        _finish(world, left)
    with world.platform.rollouts.lock(promotion.env, promotion.model):
        world.refresh()
        over = _over_before(world, promotion)
        if over:
            return nothing("promotion", over)
        asked = _asked(world, promotion)
        version = ModelVersion.parse(asked.model_version)
        if world.state().place(promotion.env, promotion.model).serves == version:
            resolve.agreed(world, world.state(), promotion.env, promotion.model)
            end(world, promotion, already_serves(promotion), promoted(promotion, version, version))
            return nothing("promotion", f"{version} serves {promotion.env} already")
        spec = resolve.spec_of(world, world.state(), promotion.model, version)
        _pass_gate(world, promotion, asked, spec)
    return _rolled_out(world, promotion, spec)


def _over_before(world: World, promotion: Promotion) -> str:
    """Why there is nothing left to do for a promotion, or "" where there is.

    Raises `TagMoved`, and the error of one that failed before: a job that is run again stays red.
    """
    numbers = [one.promotion.n for one in _requests(world, promotion)]
    state = world.state()
    if state.ended(promotion):
        known = state.promotions.get(promotion)
        error = error_again(world, state, promotion)
        if error:
            raise error
        return f"{promotion} ended before: {known.status if known else 'settled by adoption'}"
    newest = max([promotion.n, *numbers])
    if newest > promotion.n:
        end(world, promotion, superseded(promotion, newest))
        return f"{promotion} gave way to number {newest}"
    return ""


def read_request(world: World, promotion: Promotion) -> tuple[TagRequest, tags.Details]:
    """The promotion's tag and its trailers; raises `VersionError`, `NotOnALine`, and what reading them does."""
    request = next((one for one in _requests(world, promotion) if one.promotion == promotion), None)
    if request is None:
        raise VersionError(
            f"there is no tag {promotion} on the remote", fix="git push origin " + str(promotion)
        )
    check_on_a_line(world.repo, world.facts, request.tag.commit, str(promotion))
    said = tags.details(world.repo, request)
    overrides.read(said.override, said.reason, str(promotion))
    return request, said


def _requests(world: World, like: Promotion) -> list[TagRequest]:
    """The promotion tags of this environment and model."""
    return tags.requests_of(world.facts, world.state(), like.env, like.model)


def _asked(world: World, promotion: Promotion) -> ev.Asked:
    """What the tag resolves to: as first written down, and used by every retry; older requests give way."""
    known = world.state().promotions.get(promotion)
    if known and known.asked:
        return known.asked
    request, said = read_request(world, promotion)
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
    return [superseded(one, promotion.n) for one in sorted(older) if not state.ended(one)]


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
        override = overrides.read(asked.override, asked.reason, str(promotion))
        verdict = hold_contest(world, spec, served, override)
        gated = gate_event(promotion, verdict, override)
        event = gated
        _append_once(world, event, lambda known: known.gated is None)
    world.told(Said(gated.why))
    if gated.verdict is ev.Verdict.REFUSED:
        raise GateRefused(gated.why, where=str(promotion), fix=better_model(promotion, asked.model_version))
    if gated.verdict is ev.Verdict.INCONCLUSIVE:
        raise GateInconclusive(gated.why, where=str(promotion), fix="gather more rows for gate.data")


def _decided(world: World, promotion: Promotion) -> Rollout | None:
    """A rollout here whose verdict stands and whose end is not in the ledger: what a killed process leaves.

    It must not be taken for superseded.
    """
    left = saved(world.platform.rollouts, promotion.env, promotion.model)
    if left is None or not left.phase.decided or left.promotion not in world.state().promotions:
        return None
    return None if world.state().ended(left.promotion) else left


def _finish(world: World, left: Rollout) -> None:
    """Carry out, and write down, an earlier promotion that was decided."""
    world.told(Said(f"{left.promotion} was decided and not finished: finishing it first"))
    spec = resolve.spec_of(world, world.state(), left.promotion.model, left.candidate)
    close(world, _roll_out(world, left.promotion, spec))


def _roll_out(world: World, promotion: Promotion, spec: ServerSpec) -> Outcome:
    plan = plan_of(world.policy.rollout)
    request = Request(
        promotion=promotion,
        spec=spec,
        plan=plan,
        serves=world.state().place(promotion.env, promotion.model).serves,
        hint=f"tagline local traffic {promotion.model} --env {promotion.env}",
        by=world.author.actor,
        tick=min(1.0, plan.ttl / 3),
        newer=newer_than(world.repo, promotion, plan.ttl),
    )
    with Scribe(world, promotion, spec.version) as scribe:
        return roll_out(world.platform.serving, world.platform.rollouts, request, RealClock(), scribe.told)


def _rolled_out(world: World, promotion: Promotion, spec: ServerSpec) -> StepReport:
    try:
        outcome = _roll_out(world, promotion, spec)
    except (ModelDoesNotLoad, Blocked) as why:  # the same the next time: a new promotion asks for another try
        end(world, promotion, failed(promotion, why.what))
        raise
    error = close(world, outcome)
    if error:
        raise error
    return done("promotion", outcome.reason, version=str(outcome.candidate), promotion=str(promotion))


def _append_once(world: World, event: ev.Gated, missing: Callable[[Asking], bool]) -> None:
    def make(state: State) -> Batch:
        return Batch(events=[event]) if missing(state.promotions[event.promotion]) else Batch()

    world.append(make)
