"""A promotion's moments in the ledger's words: what the gate said, and how the rollout ended."""

import msgspec

from tagline.flow.promoting.overrides import Override
from tagline.git import events as ev
from tagline.model.gate import Outcome as GateOutcome
from tagline.model.gate import Verdict
from tagline.rollout.state import Outcome
from tagline.rollout.state import Verdict as Ending
from tagline.words import ModelVersion, Promotion

_GATED = {
    GateOutcome.PASS: ev.Verdict.PASSED,
    GateOutcome.REFUSED: ev.Verdict.REFUSED,
    GateOutcome.INCONCLUSIVE: ev.Verdict.INCONCLUSIVE,
}


def gate_event(promotion: Promotion, verdict: Verdict, override: Override | None) -> ev.Gated:
    """The gate's verdict as an event; an override is recorded beside what the gate had said.

    One of the scorer alone overrules nothing: the verdict of the candidate's scorer stands.
    """
    answer = _GATED[verdict.outcome]
    why = verdict.sentence
    if override and override.scorer:
        why = f"judged by the candidate's scorer ({override.reason}): {why}"
    elif override and answer is not ev.Verdict.PASSED:
        answer, why = ev.Verdict.OVERRIDDEN, f"overridden ({override.reason}); the gate said: {why}"
    counts = msgspec.structs.asdict(verdict.counts)
    numbers = {name: float(value) for name, value in counts.items()}
    numbers |= {"bound": verdict.bound, "allowed": verdict.allowed, "p_worse": verdict.p_worse}
    return ev.Gated(
        env=promotion.env, model=promotion.model, n=promotion.n, verdict=answer, why=why, numbers=numbers
    )


def ending_events(outcome: Outcome) -> list[ev.AnyEvent]:
    """The ledger's words for the end of a rollout."""
    promotion, version = outcome.promotion, outcome.candidate
    place = {"env": promotion.env, "model": promotion.model}
    stable = str(outcome.stable or "")
    match outcome.verdict:
        case Ending.LET_IN:
            return [promoted(promotion, version, outcome.stable)]
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
        case Ending.SUPERSEDED if outcome.superseded_by is not None:
            return [superseded(promotion, outcome.superseded_by.n)]
        case Ending.SUPERSEDED | Ending.BLOCKED:
            return [failed(promotion, outcome.reason)]


def numbers_of(outcome: Outcome) -> dict[str, float]:
    """What a rollout ended on, as plain numbers."""
    tally = msgspec.structs.asdict(outcome.tally)
    tally = {name: float(value) for name, value in tally.items() if isinstance(value, int)}
    reaction = {} if outcome.reaction is None else {"reaction": outcome.reaction}
    return {**tally, **reaction, "e_worse": outcome.e_worse, "seconds": outcome.seconds}


def promoted(promotion: Promotion, version: ModelVersion, previous: ModelVersion | None) -> ev.Promoted:
    """The model serves alone."""
    return ev.Promoted(
        env=promotion.env,
        model=promotion.model,
        n=promotion.n,
        model_version=str(version),
        previous=str(previous or ""),
    )


def already_serves(promotion: Promotion) -> ev.Gated:
    """The gate of a promotion that asks for what serves."""
    return ev.Gated(
        env=promotion.env,
        model=promotion.model,
        n=promotion.n,
        verdict=ev.Verdict.PASSED,
        why="it serves already: nothing to judge",
    )


def superseded(promotion: Promotion, by: int) -> ev.Superseded:
    """Number `by` took its place."""
    return ev.Superseded(env=promotion.env, model=promotion.model, n=promotion.n, by=by)


def failed(promotion: Promotion, why: str) -> ev.Failed:
    """It ended without a verdict on the model."""
    return ev.Failed(env=promotion.env, model=promotion.model, n=promotion.n, why=why)
