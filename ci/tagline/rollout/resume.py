"""Where a call of a rollout takes up: the saved state against what serves and what is asked for."""

from msgspec.structs import replace

from tagline.errors import Blocked, PlatformError, RolloutError
from tagline.platforms import Block, Route
from tagline.rollout import machine
from tagline.rollout.request import Request
from tagline.rollout.state import Outcome, Phase, State, Verdict
from tagline.words import ModelVersion, Promotion


def closing(old: State, route: Route, by: Promotion) -> State:
    """What is left of an older promotion's rollout: a verdict is carried out, anything else superseded."""
    if old.phase.decided:
        return old
    ended = machine.superseded(old, by)
    stands = old.stable is None or route.weight(old.stable)
    return ended if stands else replace(ended, phase=Phase.DONE)


def outdated(saved: State, asked: Promotion, candidate: ModelVersion) -> Outcome:
    """The outcome of a call for an older promotion than the saved one: superseded, and nothing is touched."""
    state = State(promotion=asked, candidate=candidate, stable=saved.stable, plan=saved.plan)
    ended = state.ended(Verdict.SUPERSEDED, f"{saved.promotion} took the place of {asked}")
    return replace(ended, superseded_by=saved.promotion)


def taken_up(saved: State, route: Route, *, blocked: bool) -> State | None:
    """The saved state of the same promotion, ready to go on; None where something else serves by now."""
    if saved.phase.decided:
        return saved
    if saved.stable is not None and not route.weight(saved.stable):
        return None
    if blocked:
        return machine.blocked(saved)
    if saved.stable is None:
        return saved
    return saved if route.weight(saved.candidate) else machine.reentered(saved)


def fresh(request: Request, route: Route) -> State:
    """A new rollout against what serves.

    Raises `RolloutError` where the traffic is split already, `PlatformError` where the ledger says otherwise.
    """
    asked, candidate = request.promotion, request.spec.version
    serving = [arm.version for arm in route.arms if arm.weight]
    if len(serving) > 1:
        named = ", ".join(f"{version} ({route.weight(version)} %)" for version in serving)
        raise RolloutError(
            f"{asked.env}/{asked.model} is split between {named}, and no rollout is under way",
            fix=f"tagline rollback {asked.model} --env {asked.env} --to VERSION",
        )
    check_serves(request.serves, route)
    state = State(promotion=asked, candidate=candidate, stable=route.main, plan=request.plan)
    if route.main == candidate:
        serves = state.ended(Verdict.LET_IN, f"{candidate} serves already")
        return replace(state, stable=None, phase=Phase.DONE, outcome=replace(serves, stable=None))
    return state


def check_serves(decided: ModelVersion | None, route: Route, *, blocked: bool = False) -> None:
    """Raise `PlatformError` where the platform serves another version than the ledger says, or none.

    A platform that lost its state looks like one where nothing ever served: no canary, no evidence. `blocked`: what
    the ledger says may not serve here any more, so that the way out leads to what does.
    """
    serves, place = route.main, f"{route.env}/{route.model}"
    if serves == decided:
        return
    if decided is None:
        raise PlatformError(
            f"{serves} serves {place}, and the ledger knows nothing of it",
            fix=f"tagline adopt --reason '…' settles it with {serves} serving",
        )
    to = serves if blocked and serves else decided
    raise PlatformError(
        f"the ledger says that {decided} serves {place}, the platform says {serves or 'nothing'}",
        fix=f"tagline rollback {route.model} --env {route.env} --to {to}",
    )


def check_same(saved: State, candidate: ModelVersion) -> None:
    """Raise `RolloutError` where a promotion that began with one version is called with another."""
    if saved.candidate != candidate:
        raise RolloutError(
            f"{saved.promotion} began with {saved.candidate} and cannot go on with {candidate}",
            fix=f"tagline promote {saved.promotion.model} --to {saved.promotion.env} --version {candidate}",
        )


def is_blocked(candidate: ModelVersion, blocks: list[Block]) -> bool:
    return any(block.version == str(candidate) for block in blocks)


def check_block(candidate: ModelVersion, asked: Promotion, blocks: list[Block]) -> None:
    """Raise `Blocked` where the candidate must not be promoted here."""
    for block in blocks:
        if block.version == str(candidate):
            raise Blocked(
                f"{asked.model} {candidate} is blocked in {asked.env}: {block.reason}",
                where=block.promotion,
                fix=f"tagline unblock {asked.model} {candidate} --env {asked.env} --reason '...'",
            )
