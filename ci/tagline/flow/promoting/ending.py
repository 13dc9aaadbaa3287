"""A promotion's end: written down once, and the same answer to everybody who asks again."""

from tagline.errors import (
    Blocked,
    GateInconclusive,
    GateRefused,
    ModelDoesNotLoad,
    RolloutError,
    RolloutInconclusive,
    TaglineError,
    TakenBack,
)
from tagline.flow.promoting import resolve
from tagline.flow.promoting.wording import ending_events, failed
from tagline.flow.world import World
from tagline.git import events as ev
from tagline.git.ledger import Batch
from tagline.git.state import Asking, State, Status
from tagline.rollout.run import saved
from tagline.rollout.state import Outcome, error_of
from tagline.rollout.state import Verdict as Ending
from tagline.words import ModelVersion, Promotion


def end(world: World, promotion: Promotion, *events: ev.AnyEvent) -> None:
    """Write the end of a promotion, unless it stands already."""

    def make(state: State) -> Batch:
        return Batch() if state.ended(promotion) else Batch(events=events)

    world.append(make)


def close(world: World, outcome: Outcome) -> RolloutError | None:
    """Write how a rollout ended, unless it stands already; returns its error.

    One that was let in and has been taken back by hand since is failed, not promoted.
    """
    promotion, let_in = outcome.promotion, outcome.verdict is Ending.LET_IN

    def make(state: State) -> Batch:
        held = resolve.blocks(world, state, promotion.env, promotion.model).get(outcome.candidate)
        if state.ended(promotion):
            return Batch()
        return Batch(
            events=[failed(promotion, f"let in, and then taken back by {held.by}: {held.why}")]
            if let_in and held
            else ending_events(outcome)
        )

    known = world.append(make).state.promotions.get(promotion)
    if let_in and known and known.status is Status.FAILED:
        return Blocked(known.why, where=str(promotion), fix=_unblock(promotion, outcome.candidate))
    return error_of(outcome)


def better_model(promotion: Promotion, version: str) -> str:
    """What to do after the gate has refused."""
    ask = f"tagline promote {promotion.model} --to {promotion.env} --version {version}"
    return f"make the model better; or overrule the gate: {ask} --override WHY"


def error_again(world: World, state: State, promotion: Promotion) -> TaglineError | None:
    """The error that a promotion ended with, in the ledger's words; None where it did not fail.

    A rollback by hand, and what a person settled by adopting, are no failures.
    """
    known = state.promotions.get(promotion)
    if (
        known is None
        or known.asked is None
        or promotion.n <= state.place(promotion.env, promotion.model).adopted
    ):
        return None
    where = str(promotion)
    ask = f"tagline promote {promotion.model} --to {promotion.env}"
    match known.status:
        case Status.REFUSED:
            return GateRefused(known.why, where=where, fix=better_model(promotion, known.asked.model_version))
        case Status.INCONCLUSIVE if known.gated and known.gated.verdict is ev.Verdict.INCONCLUSIVE:
            return GateInconclusive(known.why, where=where, fix="gather more rows for gate.data")
        case Status.INCONCLUSIVE:
            return RolloutInconclusive(known.why, where=where, fix=f"{ask} again, with more traffic")
        case Status.ROLLED_BACK:
            version = ModelVersion.parse(known.asked.model_version)
            return TakenBack(known.why, where=where, fix=_unblock(promotion, version))
        case Status.FAILED:
            return _failed_again(world, state, known, known.asked)
        case Status.ASKED | Status.PASSED | Status.ROLLING | Status.PROMOTED | Status.SUPERSEDED:
            return None


def _failed_again(world: World, state: State, known: Asking, asked: ev.Asked) -> TaglineError:
    """The kind of a failure, of which the ledger holds only the words: as the platform remembers it."""
    place, where = known.promotion, str(known.promotion)
    version = ModelVersion.parse(asked.model_version)
    left = saved(world.platform.rollouts, place.env, place.model)
    mine = left.outcome if left and left.promotion == place else None
    if mine and mine.verdict is not Ending.LET_IN:
        return error_of(mine) or RolloutError(known.why, where=where)
    if version in resolve.blocks(world, state, place.env, place.model):
        return Blocked(known.why, where=where, fix=_unblock(place, version))
    kind = ModelDoesNotLoad if left and left.promotion == place and mine is None else RolloutError
    return kind(
        known.why, where=where, fix=f"tagline promote {place.model} --to {place.env}, once it is mended"
    )


def _unblock(promotion: Promotion, version: ModelVersion) -> str:
    return (
        f"tagline unblock {promotion.model} {version} --env {promotion.env} --reason '…', once it is mended"
    )
