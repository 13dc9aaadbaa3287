"""How many more requests are asked for."""

import random

from tagline.rollout.evidence import Evidence, Interval, Rule, added, is_not_worse
from tagline.rollout.forecast import requests_needed

RULE = Rule()


def after(*intervals: Interval) -> Evidence:
    evidence = Evidence()
    for interval in intervals:
        evidence = added(evidence, interval, RULE)
    return evidence


def test_the_forecast_is_right_where_nobody_errs():
    said = requests_needed(Evidence(), RULE, 50)
    assert said is not None
    enough = after(*[Interval(10, 0, 10, 0)] * (said // 20 + 1))
    assert is_not_worse(enough, RULE)
    assert not is_not_worse(after(*[Interval(10, 0, 10, 0)] * (said // 20 // 2)), RULE)


def test_a_tenth_of_the_traffic_needs_five_times_the_requests():
    tenth, half = requests_needed(Evidence(), RULE, 10), requests_needed(Evidence(), RULE, 50)
    assert tenth is not None
    assert half is not None
    assert 4.5 < tenth / half < 5.5


def test_nothing_more_is_needed_once_it_is_proven():
    assert requests_needed(after(*[Interval(50, 0, 50, 0)] * 8), RULE, 50) == 0


def test_errors_on_both_arms_cost_requests():
    clean = after(*[Interval(50, 0, 50, 0)] * 3)
    dirty = after(*[Interval(50, 1, 50, 1)] * 3)
    assert requests_needed(clean, RULE, 50) < requests_needed(dirty, RULE, 50)


def test_where_half_of_all_responses_are_bad_the_number_is_large_and_still_a_number():
    needs = requests_needed(after(*[Interval(10, 5, 10, 5)] * 20), RULE, 50)
    assert needs is None or needs > 10_000


def test_evidence_that_leans_towards_worse_needs_more_even_when_the_other_test_is_through():
    leaning = after(*[Interval(50, 0, 50, 0)] * 40, Interval(10, 1, 90, 0))
    assert not is_not_worse(leaning, RULE)
    needs = requests_needed(leaning, RULE, 50)
    assert needs is not None
    assert needs > 0


def test_the_forecast_at_one_percent_is_of_the_right_size():
    rng = random.Random(1)
    evidence = after(*[Interval(50, rng.random() < 0.5, 50, rng.random() < 0.5) for _ in range(5)])
    needs = requests_needed(evidence, RULE, 50)
    assert needs is not None
    assert 200 < needs < 4000
