"""What two readings of the counters are good for."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st
from tagline.platforms import ArmCounts, Counts
from tagline.rollout.evidence import Interval
from tagline.rollout.reading import Tally, interval, is_fresh, tallied

N = st.integers(0, 10**6)


def counts(
    canary: ArmCounts | None, stable: ArmCounts | None, *, at: float = 1.0, generation: str = "1.1"
) -> Counts:
    arms = {name: arm for name, arm in (("c", canary), ("s", stable)) if arm is not None}
    return Counts(generation, at, arms)


BEFORE = counts(ArmCounts(10, 1), ArmCounts(90, 2))
AFTER = counts(ArmCounts(15, 2), ArmCounts(130, 2), at=2.0)


def test_the_growth_between_two_readings_is_an_interval():
    assert interval(BEFORE, AFTER, "c", "s") == Interval(5, 1, 40, 0)


def test_a_new_generation_enters_no_test():
    other = counts(ArmCounts(15, 2), ArmCounts(130, 2), at=2.0, generation="1.2")
    assert interval(BEFORE, other, "c", "s") is None


def test_a_counter_that_fell_enters_no_test():
    assert interval(BEFORE, counts(ArmCounts(3, 0), ArmCounts(130, 2)), "c", "s") is None
    assert interval(BEFORE, counts(ArmCounts(15, 0), ArmCounts(130, 2)), "c", "s") is None


def test_more_bad_responses_than_responses_enter_no_test():
    assert interval(BEFORE, counts(ArmCounts(11, 9), ArmCounts(130, 2)), "c", "s") is None


def test_a_missing_arm_enters_no_test():
    assert interval(BEFORE, counts(None, ArmCounts(130, 2)), "c", "s") is None
    assert interval(counts(ArmCounts(), None), AFTER, "c", "s") is None


@settings(deadline=None)
@given(N, N, N, N, N, N, N, N)
def test_an_interval_never_counts_less_than_nothing_nor_more_bad_than_served(a, b, c, d, e, f, g, h):
    seen = interval(
        counts(ArmCounts(a, b), ArmCounts(c, d)), counts(ArmCounts(e, f), ArmCounts(g, h)), "c", "s"
    )
    assert seen is None or (0 <= seen.canary_bad <= seen.canary and 0 <= seen.stable_bad <= seen.stable)


def test_the_tally_goes_on_over_a_new_generation_and_a_reset():
    after_reset = counts(ArmCounts(4, 1), ArmCounts(6, 0), generation="2.1")
    tally = tallied(tallied(Tally(), BEFORE, AFTER, "c", "s"), AFTER, after_reset, "c", "s")
    assert (tally.canary, tally.canary_bad, tally.stable, tally.stable_bad) == (9, 2, 46, 0)


def test_the_kinds_of_the_canarys_bad_responses_are_added_up():
    before = counts(ArmCounts(10, 1, {"5xx": 1}), ArmCounts())
    now = counts(ArmCounts(15, 4, {"5xx": 2, "4xx": 2}), ArmCounts(), at=2.0)
    assert tallied(Tally(kinds={"4xx": 1}), before, now, "c", "s").kinds == {"4xx": 3, "5xx": 1}


def test_a_reading_is_fresh_if_it_is_the_first_or_newer_or_of_another_generation():
    assert is_fresh(None, BEFORE)
    assert is_fresh(BEFORE, AFTER)
    assert not is_fresh(AFTER, AFTER)
    assert not is_fresh(AFTER, BEFORE)
    assert is_fresh(AFTER, counts(None, None, at=0.0, generation="2.1"))
    assert not is_fresh(None, counts(None, None, at=math.nan))
