"""kill -9 before and after every call, then the same call again: the same end, each effect once."""

from collections.abc import Callable

import msgspec
import pytest
from tagline.rollout.plan import Plan
from tagline.rollout.state import Outcome, Verdict

from tests.fakes.simulated_platform import Killed, SimulatedPlatform
from tests.unit.rollout.world import CANARY, NEXT, STABLE, go, platform, rates, request, state_of, weights_of

PLAN = Plan(steps=(10, 50), step_time=4.0, max_duration=60.0, ttl=30.0)


class Fuse:
    """Lets `calls` pass and kills at the next, and at all that follow: a dead process does nothing more."""

    def __init__(self, calls: float) -> None:
        self.left = calls
        self.passed = 0

    def __call__(self, call: str) -> None:
        if self.left <= 0:
            raise Killed(call)
        self.left -= 1
        self.passed += 1


def good() -> SimulatedPlatform:
    return platform(rate=200.0)


def failing() -> SimulatedPlatform:
    return platform(canary=1.0, rate=20.0)


def empty() -> SimulatedPlatform:
    return SimulatedPlatform(rates(0.0, 0.0), rate=20.0)


def calls_of(make: Callable[[], SimulatedPlatform]) -> int:
    on, fuse = make(), Fuse(float("inf"))
    on.tripwire = fuse
    go(on, request(plan=PLAN, serves=STABLE if STABLE in on.arms else None))
    return fuse.passed


def crashed(on: SimulatedPlatform, calls: int, wait: float) -> Outcome:
    """Killed after so many calls, called again `wait` seconds later."""
    asked = request(plan=PLAN, serves=STABLE if STABLE in on.arms else None)
    on.tripwire = Fuse(calls)
    with pytest.raises(Killed):
        go(on, asked)
    on.tripwire = lambda call: None
    on.sleep(wait)
    return go(on, asked)


CASES = {
    "good": (good, Verdict.LET_IN),
    "failing": (failing, Verdict.TAKEN_BACK),
    "first": (empty, Verdict.LET_IN),
}


@pytest.mark.parametrize("wait", [0.0, 40.0], ids=["at once", "after the watchdog"])
@pytest.mark.parametrize("case", CASES)
def test_killed_anywhere_it_comes_to_the_same_version_the_same_outcome_and_each_effect_once(case, wait):
    make, verdict = CASES[case]
    whole = make()
    go(whole, request(plan=PLAN, serves=STABLE if STABLE in whole.arms else None))
    for calls in range(calls_of(make)):
        on = make()
        outcome = crashed(on, calls, wait)
        assert outcome.verdict is verdict, calls
        assert weights_of(on) == weights_of(whole), calls
        assert set(on.arms) == set(whole.arms), calls
        assert on.blocked == [] or [block.version for block in on.blocked] == [str(CANARY)], calls
        once = [effect for effect in on.effects if not effect.startswith(("weights", "watchdog"))]
        assert len(once) == len(set(once)), calls


@pytest.mark.parametrize("case", ["good", "failing"])
def test_killed_anywhere_the_evidence_it_had_is_kept(case):
    make, _ = CASES[case]
    for calls in range(0, calls_of(make), 3):
        on = make()
        on.tripwire = Fuse(calls)
        with pytest.raises(Killed):
            go(on, request(plan=PLAN))
        on.tripwire = lambda call: None
        had = state_of(on).evidence if on.state else None
        go(on, request(plan=PLAN))
        assert had is None or state_of(on).evidence.canary >= had.canary, calls


def test_killed_twice_in_a_row_it_still_comes_to_its_end():
    for calls in range(2, calls_of(good) - 6, 5):  # from there on, six more are its end
        on = good()
        on.tripwire = Fuse(calls)
        with pytest.raises(Killed):
            go(on, request(plan=PLAN))
        assert crashed(on, 6, 0.0).verdict is Verdict.LET_IN, calls


def test_killed_anywhere_a_newer_promotion_leaves_nothing_of_the_older_one():
    for calls in range(0, calls_of(good), 2):
        on = good()
        on.tripwire = Fuse(calls)
        with pytest.raises(Killed):
            go(on, request(plan=PLAN))
        on.tripwire = lambda call: None
        left = state_of(on).outcome if on.state else None  # written to the ledger first
        serves = CANARY if left and left.verdict is Verdict.LET_IN else STABLE
        outcome = go(on, request(NEXT, n=8, plan=PLAN, serves=serves))
        assert outcome.verdict is Verdict.LET_IN, calls
        assert weights_of(on) == {NEXT: 100}, calls
        assert len(on.arms) == 2, calls


def test_the_state_after_a_crash_is_the_state_before_it_bit_for_bit():
    on = good()
    on.tripwire = Fuse(60)
    with pytest.raises(Killed):
        go(on, request(plan=PLAN))
    assert on.state is not None
    assert msgspec.json.encode(state_of(on)) == on.state
