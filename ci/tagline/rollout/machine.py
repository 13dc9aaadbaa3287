"""What a rollout does next: pure functions from a state and what was seen to the next state.

    DEPLOYING ─▶ MOVING ⇄ WATCHING ─┬▶ LETTING_IN ─────────────▶ SETTLING ─▶ REMOVING ─▶ DONE
        ▲           └───┬────┘      └▶ TAKING_BACK ─▶ BLOCKING ──▲
        └── PAUSED ◀────┘ Ctrl-C, watchdog            (only where taken back)

The phase names the action that is due. Each action may be carried out again, so that a process which was
killed anywhere repeats its last one and nothing else.
"""

from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from tagline.platforms import Counts, Route
from tagline.rollout.evidence import Answer, Interval, added, decide, e_worse
from tagline.rollout.forecast import requests_needed
from tagline.rollout.reading import interval, tallied
from tagline.rollout.state import Outcome, Phase, State, Verdict
from tagline.words import ModelVersion, Promotion

INTERVAL_AT_LEAST = 20
# a canary that always fails is taken back after three to five bad responses: no step ends before it could be seen
STEP_AT_LEAST = 5


class Seen(Struct, frozen=True):
    """One look at the platform; `elapsed` is the watched time since the last one, in seconds."""

    counts: Counts
    route: Route
    elapsed: float
    blocked: bool = False
    newer: Promotion | None = None


_NEXT = {
    Phase.PAUSED: Phase.DEPLOYING,
    Phase.DEPLOYING: Phase.MOVING,
    Phase.MOVING: Phase.WATCHING,
    Phase.WATCHING: Phase.WATCHING,
    Phase.LETTING_IN: Phase.SETTLING,
    Phase.BLOCKING: Phase.SETTLING,
    Phase.SETTLING: Phase.REMOVING,
    Phase.REMOVING: Phase.DONE,
    Phase.DONE: Phase.DONE,
}


def carried_out(state: State, took: float = 0.0) -> State:
    """The state once the action of its phase was carried out in `took` seconds; watching is `watched`'s."""
    if state.phase is Phase.DEPLOYING and state.stable is None:
        return _decided(state, Phase.LETTING_IN, state.ended(Verdict.LET_IN, "nothing served here before"))
    if state.phase is Phase.TAKING_BACK:
        return _taken_back(state, took)
    return replace(state, phase=_NEXT[state.phase])


def moved(state: State, base: Counts | None) -> State:
    """The step's weights stand; `base` is a reading taken right after, None where none could be had."""
    return replace(carried_out(state), base=base, last=state.last or base)


def settled(state: State, now: Counts) -> State:
    """The version that goes has answered its last request: `now` completes the outcome's tally."""
    if state.outcome is None or state.last is None or state.stable is None:
        return carried_out(state)
    tally = tallied(state.tally, state.last, now, str(state.candidate), str(state.stable))
    whole = replace(state, tally=tally, last=now, outcome=replace(state.outcome, tally=tally))
    return carried_out(whole)


def _decided(state: State, phase: Phase, outcome: Outcome) -> State:
    return replace(state, phase=phase, outcome=outcome)


def _taken_back(state: State, took: float) -> State:
    """Weight 0 stands: the reaction is known, and only what failed is blocked."""
    outcome = state.outcome
    if outcome is not None and outcome.reaction is not None:
        outcome = replace(outcome, reaction=outcome.reaction + took)
    failed = outcome is not None and outcome.verdict is Verdict.TAKEN_BACK
    return replace(state, phase=Phase.BLOCKING if failed else Phase.SETTLING, outcome=outcome)


def watched(state: State, seen: Seen) -> State:
    """The state after one look: what was served enters the tests, and the rule answers."""
    if state.stable is None or not seen.route.weight(state.stable):
        return replaced(state, seen.route)
    if seen.newer is not None:
        return superseded(state, seen.newer)
    if seen.blocked:
        return blocked(state)
    if not seen.route.weight(state.candidate):
        return reentered(state)
    counted = _counted(state, str(state.candidate), str(state.stable), seen)
    if seen.route.weight(state.candidate) != state.weight:
        return replace(counted, phase=Phase.MOVING)
    return _judged(counted)


def replaced(state: State, route: Route) -> State:
    """The state once somebody else moved the traffic: nothing is touched any more."""
    reason = f"somebody else made {route.main or 'nothing'} serve in the place of {state.stable}"
    return _decided(state, Phase.DONE, state.ended(Verdict.SUPERSEDED, reason))


def superseded(state: State, by: Promotion) -> State:
    """The state once a newer promotion took this one's place: no verdict on the canary, weight 0."""
    reason = f"{by} took the place of {state.promotion}"
    outcome = replace(state.ended(Verdict.SUPERSEDED, reason), superseded_by=by)
    return _decided(state, Phase.TAKING_BACK, outcome)


def blocked(state: State) -> State:
    """The state once somebody blocked the candidate."""
    reason = f"{state.candidate} was blocked while it took its steps"
    return _decided(state, Phase.TAKING_BACK, state.ended(Verdict.BLOCKED, reason))


def reentered(state: State) -> State:
    """Back to the first step after nobody watched and the canary went to 0; the evidence stays.

    What ran before, and the `ttl` that nobody watched, count towards `max_duration`: so it ends some day.
    """
    again = replace(state, phase=Phase.DEPLOYING, step=0, in_step=0.0, running=0.0, quiet=0.0)
    again = replace(again, step_from=state.tally.canary)
    return replace(again, first_bad=None, base=None, earlier=state.earlier + state.running + state.plan.ttl)


def paused(state: State) -> State:
    """Interrupted with the canary at 0: no verdict, no block, and all of `max_duration` for the next call."""
    return replace(reentered(state), phase=Phase.PAUSED, earlier=0.0)


def _counted(state: State, canary: str, stable: str, seen: Seen) -> State:
    """Time, tally and evidence after one look."""
    tally = tallied(state.tally, state.last or seen.counts, seen.counts, canary, stable)
    first_bad = state.first_bad
    if first_bad is None and tally.canary_bad > state.tally.canary_bad:
        first_bad = state.running
    timed = replace(
        state,
        in_step=state.in_step + seen.elapsed,
        running=state.running + seen.elapsed,
        quiet=0.0 if tally.requests > state.tally.requests else state.quiet + seen.elapsed,
        tally=tally,
        first_bad=first_bad,
        last=seen.counts,
    )
    served = interval(state.base, seen.counts, canary, stable) if state.base else None
    return _with_evidence(timed, served, seen.counts)


def _with_evidence(state: State, served: Interval | None, now: Counts) -> State:
    """Close the open interval if it holds enough responses, or if the weights are about to change.

    Its end depends on the clock and on the number of responses, never on whether they were bad.
    """
    if served is None:
        return replace(state, base=now)
    if served.total < INTERVAL_AT_LEAST and not (_step_over(state) or _out_of_time(state)):
        return state
    return replace(state, base=now, evidence=added(state.evidence, served, state.plan.rule))


def _is_last(state: State) -> bool:
    return state.step == len(state.plan.steps) - 1


def _step_over(state: State) -> bool:
    """Whether the next step is due: this one has run its time, and has seen the canary answer."""
    seen = state.tally.canary - state.step_from
    return not _is_last(state) and state.in_step >= state.plan.step_time and seen >= STEP_AT_LEAST


def _out_of_time(state: State) -> bool:
    return state.earlier + state.running >= state.plan.max_duration


def _judged(state: State) -> State:
    """The state after the rule's answer."""
    ran = _is_last(state) and state.in_step >= state.plan.step_time
    answer = decide(state.evidence, state.plan.rule, ran=ran, out_of_time=_out_of_time(state))
    match answer:
        case Answer.TAKE_BACK:
            return _decided(state, Phase.TAKING_BACK, state.ended(Verdict.TAKEN_BACK, _why_worse(state)))
        case Answer.LET_IN:
            return _decided(state, Phase.LETTING_IN, state.ended(Verdict.LET_IN, _why_in(state)))
        case Answer.INCONCLUSIVE:
            return _inconclusive(state)
        case Answer.GO_ON if _step_over(state):
            return _next_step(state)
        case Answer.GO_ON:
            return state
        case _:
            assert_never(answer)


def _next_step(state: State) -> State:
    return replace(state, phase=Phase.MOVING, step=state.step + 1, in_step=0.0, step_from=state.tally.canary)


def _inconclusive(state: State) -> State:
    needs = requests_needed(state.evidence, state.plan.rule, state.plan.steps[-1])
    lack = "more requests like these would not prove it" if needs is None else f"needs {needs} more requests"
    reason = f"not enough evidence after {state.earlier + state.running:.0f} s: {lack}"
    return _decided(state, Phase.TAKING_BACK, state.ended(Verdict.INCONCLUSIVE, reason, needs))


def _shares(state: State) -> str:
    tally = state.tally
    return (
        f"{state.candidate} gave {tally.canary_bad} bad responses of {tally.canary}, "
        f"{state.stable} {tally.stable_bad} of {tally.stable}"
    )


def _why_worse(state: State) -> str:
    limit = 1 / state.plan.rule.alpha
    return f"{_shares(state)} (e-value {e_worse(state.evidence):.4g}, taken back at {limit:.4g})"


def _why_in(state: State) -> str:
    return f"{_shares(state)}: proven less than {state.plan.rule.increase:.2%} worse"


def weights(state: State, route: Route) -> dict[ModelVersion, int]:
    """The weights that the state asks for, 0 for every other version behind the route."""
    wanted = dict.fromkeys((arm.version for arm in route.arms), 0)
    match state.phase:
        case Phase.MOVING if state.stable is not None:
            return wanted | {state.candidate: state.weight, state.stable: 100 - state.weight}
        case Phase.LETTING_IN:
            return wanted | {state.candidate: 100}
        case _:
            return wanted | ({state.stable: 100} if state.stable else {})


def lets_in(state: State) -> bool:
    return state.outcome is not None and state.outcome.verdict is Verdict.LET_IN


def going(state: State) -> ModelVersion | None:
    """The version that must have no traffic once the verdict stands."""
    return state.stable if lets_in(state) else state.candidate


def leftovers(state: State, route: Route) -> list[ModelVersion]:
    """What is removed at the end: a candidate that is out; else all but it and the one before, kept warm."""
    behind = [arm.version for arm in route.arms if not arm.weight]
    if lets_in(state):
        return [version for version in behind if version not in {state.candidate, state.stable}]
    return [version for version in behind if version == state.candidate]
