"""The two tests: their guarantees by exact enumeration, and their speed."""

import math
from itertools import product

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tagline.rollout.evidence import (
    BETS,
    ODDS,
    Answer,
    Evidence,
    Interval,
    Rule,
    added,
    decide,
    e_not_worse,
    e_worse,
    is_not_worse,
    not_worse_factor,
    worse_factor,
)

RULE = Rule()
COUNTS = st.tuples(st.integers(0, 40), st.integers(0, 40)).flatmap(
    lambda n: st.builds(Interval, st.just(n[0]), st.integers(0, n[0]), st.just(n[1]), st.integers(0, n[1]))
)
ARMS = st.tuples(st.integers(1, 6), st.integers(1, 6))
RATE = st.floats(0.0, 1.0)


def binomial(n: int, k: int, p: float) -> float:
    return math.comb(n, k) * p**k * (1 - p) ** (n - k)


def mean_factor(log_factor, canary: int, stable: int, p_canary: float, p_stable: float) -> float:
    """The exact mean of a factor over every outcome of one interval."""
    return math.fsum(
        binomial(canary, b_c, p_canary)
        * binomial(stable, b_s, p_stable)
        * math.exp(log_factor(Interval(canary, b_c, stable, b_s)))
        for b_c, b_s in product(range(canary + 1), range(stable + 1))
    )


def folded(intervals: list[Interval], rule: Rule = RULE) -> Evidence:
    evidence = Evidence()
    for interval in intervals:
        evidence = added(evidence, interval, rule)
    return evidence


@settings(deadline=None)
@given(ARMS, RATE, RATE, st.sampled_from(ODDS))
def test_the_take_back_factor_has_mean_at_most_one_while_the_canary_is_no_worse(arms, a, b, odds):
    p_canary, p_stable = min(a, b), max(a, b)
    assert mean_factor(lambda seen: worse_factor(odds, seen), *arms, p_canary, p_stable) <= 1 + 1e-9


@settings(deadline=None)
@given(ARMS, st.integers(0, 12), st.sampled_from(ODDS))
def test_the_take_back_factor_has_mean_at_most_one_over_every_assignment_of_given_bad_responses(
    arms, bad, odds
):
    canary, stable = arms
    bad = min(bad, canary + stable)
    mean = math.fsum(
        math.comb(canary, k)
        * math.comb(stable, bad - k)
        / math.comb(canary + stable, bad)
        * math.exp(worse_factor(odds, Interval(canary, k, stable, bad - k)))
        for k in range(max(0, bad - stable), min(canary, bad) + 1)
    )
    assert mean <= 1 + 1e-9


@settings(deadline=None)
@given(ARMS, RATE, RATE, st.sampled_from(BETS), st.sampled_from([0.005, 0.02, 0.1, 0.5]))
def test_the_let_in_factor_has_mean_at_most_one_while_the_canary_is_worse(arms, a, b, bet, increase):
    p_stable = a * (1 - increase)
    p_canary = p_stable + increase + b * (1 - increase - p_stable)
    mean = mean_factor(lambda seen: not_worse_factor(bet, increase, seen), *arms, p_canary, p_stable)
    assert mean <= 1 + 1e-9


@settings(deadline=None)
@given(st.lists(st.tuples(RATE, RATE), min_size=2, max_size=5), st.data(), st.sampled_from(BETS))
def test_the_let_in_factor_has_mean_at_most_one_where_the_base_rate_drifts_inside_an_interval(
    rates, data, bet
):
    increase = 0.05
    pairs = [
        (s * (1 - increase), s * (1 - increase) + increase + c * (1 - s) * (1 - increase)) for s, c in rates
    ]
    n_canary = data.draw(st.integers(1, len(pairs) - 1))
    n_stable = len(pairs) - n_canary
    total, weight = 0.0, math.comb(len(pairs), n_canary)
    for on_canary in product([False, True], repeat=len(pairs)):
        if sum(on_canary) != n_canary:
            continue
        for bad in product([False, True], repeat=len(pairs)):
            chance = 1.0
            for is_canary, is_bad, (p_stable, p_canary) in zip(on_canary, bad, pairs, strict=True):
                p = p_canary if is_canary else p_stable
                chance *= p if is_bad else 1 - p
            b_c = sum(c and x for c, x in zip(on_canary, bad, strict=True))
            seen = Interval(n_canary, b_c, n_stable, sum(bad) - b_c)
            total += chance * math.exp(not_worse_factor(bet, increase, seen)) / weight
    assert total <= 1 + 1e-9


@settings(deadline=None)
@given(ARMS, RATE, st.sampled_from(BETS), st.floats(0.001, 0.5))
def test_a_bad_canary_response_leaves_one_minus_the_bet(arms, _, bet, increase):
    with_bad = not_worse_factor(bet, increase, Interval(arms[0], 1, arms[1], 0))
    without = not_worse_factor(bet, increase, Interval(arms[0], 0, arms[1], 0))
    stake = bet / (sum(arms) / arms[0] - increase)
    assert with_bad - without == pytest.approx(math.log1p(-bet) - math.log1p(stake * increase))


@settings(deadline=None)
@given(st.lists(COUNTS.map(lambda i: Interval(i.canary, 0, i.stable, 0)), max_size=20))
def test_the_take_back_e_value_is_exactly_one_while_nothing_was_bad(intervals):
    assert e_worse(folded(intervals)) == 1.0


@settings(deadline=None)
@given(st.lists(COUNTS, max_size=10), st.integers(0, 40), st.integers(0, 40))
def test_an_interval_that_lacks_an_arm_adds_nothing(intervals, n, bad):
    evidence = folded(intervals)
    bad = min(n, bad)
    assert added(evidence, Interval(n, bad, 0, 0), RULE) == evidence
    assert added(evidence, Interval(0, 0, n, bad), RULE) == evidence


@settings(deadline=None)
@given(COUNTS.filter(lambda i: i.canary > i.canary_bad and i.stable > 0))
def test_one_more_bad_canary_response_helps_taking_back_and_hurts_letting_in(seen):
    worse = msgspec.structs.replace(seen, canary_bad=seen.canary_bad + 1)
    assert e_worse(folded([worse])) > e_worse(folded([seen]))
    assert e_not_worse(folded([worse])) < e_not_worse(folded([seen]))


@settings(deadline=None)
@given(COUNTS.filter(lambda i: i.stable > i.stable_bad and i.canary > 0))
def test_one_more_bad_stable_response_hurts_taking_back_and_helps_letting_in(seen):
    worse = msgspec.structs.replace(seen, stable_bad=seen.stable_bad + 1)
    assert e_worse(folded([worse])) < e_worse(folded([seen]))
    assert e_not_worse(folded([worse])) > e_not_worse(folded([seen]))


@given(st.lists(COUNTS, max_size=20))
@settings(max_examples=50, deadline=None)
def test_evidence_comes_back_from_its_file_bit_for_bit(intervals):
    evidence = folded(intervals)
    again = msgspec.json.decode(msgspec.json.encode(evidence), type=Evidence)
    assert [x.hex() for x in again.worse + again.not_worse] == [
        x.hex() for x in evidence.worse + evidence.not_worse
    ]
    assert again == evidence


@given(st.lists(COUNTS, max_size=20), st.integers(0, 20), COUNTS)
@settings(max_examples=50, deadline=None)
def test_a_pause_in_the_middle_changes_no_bit_of_what_follows(intervals, cut, last):
    before = folded(intervals[:cut])
    resumed = msgspec.json.decode(msgspec.json.encode(before), type=Evidence)
    for interval in [*intervals[cut:], last]:
        resumed = added(resumed, interval, RULE)
    assert resumed == folded([*intervals, last])


@settings(deadline=None)
@given(st.booleans(), st.booleans(), st.integers(0, 10_000))
def test_nothing_is_let_in_without_data_from_both_arms(ran, out_of_time, stable):
    for evidence in (Evidence(), folded([Interval(0, 0, stable, 0)])):
        assert decide(evidence, RULE, ran=ran, out_of_time=out_of_time) in {Answer.GO_ON, Answer.INCONCLUSIVE}


GOOD = folded([Interval(50, 0, 50, 0)] * 8)
FAILING = folded([Interval(2, 2, 18, 0)] * 3)


def test_a_canary_that_fails_always_is_taken_back_after_three_bad_responses_of_a_tenth():
    evidence, needed = Evidence(), 0
    while decide(evidence, RULE, ran=False, out_of_time=False) is not Answer.TAKE_BACK:
        evidence = added(evidence, Interval(2, 2, 18, 0) if needed % 2 else Interval(1, 1, 9, 0), RULE)
        needed = evidence.canary_bad
    assert 3 <= needed <= 5


def test_it_is_let_in_once_the_last_step_has_run_and_not_before():
    assert decide(GOOD, RULE, ran=True, out_of_time=False) is Answer.LET_IN
    assert decide(GOOD, RULE, ran=False, out_of_time=False) is Answer.GO_ON


def test_sabotage_without_the_let_in_test_little_traffic_would_be_enough():
    few = folded([Interval(50, 0, 50, 0)])
    assert decide(few, RULE, ran=True, out_of_time=False) is Answer.GO_ON
    assert decide(few, RULE, ran=True, out_of_time=True) is Answer.INCONCLUSIVE


def test_sabotage_without_the_take_back_test_a_failing_canary_would_go_on():
    assert decide(FAILING, RULE, ran=False, out_of_time=False) is Answer.TAKE_BACK


def test_taking_back_comes_before_letting_in():
    both = msgspec.structs.replace(GOOD, worse=FAILING.worse)
    assert decide(both, RULE, ran=True, out_of_time=True) is Answer.TAKE_BACK


def test_evidence_that_leans_towards_worse_holds_letting_in_back():
    leaning = added(GOOD, Interval(50, 1, 450, 0), RULE)
    rich = msgspec.structs.replace(leaning, not_worse=GOOD.not_worse)
    assert e_worse(rich) > 1
    assert not is_not_worse(rich, RULE)
    assert decide(rich, RULE, ran=True, out_of_time=False) is Answer.GO_ON


def test_between_230_and_400_responses_of_each_arm_prove_a_canary_where_nobody_errs():
    evidence, n = Evidence(), 0
    while not is_not_worse(evidence, RULE):
        evidence, n = added(evidence, Interval(10, 0, 10, 0), RULE), n + 10
    assert 230 <= n <= 400


def test_wealth_beyond_what_a_float_holds_is_still_a_number():
    rich = folded([Interval(100_000, 0, 100_000, 0)] * 100)
    assert math.isfinite(e_not_worse(rich))
    poor = folded([Interval(1000, 1000, 1000, 0)] * 100)
    assert e_not_worse(poor) == 0.0
    assert math.isfinite(e_worse(poor))
