"""How long a canary will need at the traffic that is seen now."""

import pytest
from tagline.platforms import Counts
from tagline.rollout.evidence import Rule
from tagline.rollout.outlook import outlook, rate_between
from tagline.rollout.plan import Plan

PLAN = Plan(steps=(10, 25, 50), step_time=40.0, max_duration=600.0, ttl=30.0)


def test_letting_in_takes_as_many_requests_as_the_test_itself_needs():
    seen = outlook(PLAN, 20.0)
    assert seen.requests is not None
    assert 2 * 230 <= seen.requests <= 2 * 400
    assert seen.seconds == PLAN.duration


def test_a_smaller_increase_takes_more_requests():
    strict = Plan(steps=(50 - 40,), step_time=40.0, max_duration=600.0, ttl=30.0, rule=Rule(increase=0.005))
    loose, tight = outlook(PLAN, 20.0).requests, outlook(strict, 20.0).requests
    assert loose is not None and tight is not None
    assert tight > 2 * loose


def test_little_traffic_stretches_it_and_too_little_never_ends_in_time():
    needed = outlook(PLAN, None).requests
    assert needed is not None
    assert outlook(PLAN, needed / 300).seconds == pytest.approx(300)
    assert outlook(PLAN, needed / 3000).seconds is None
    assert outlook(PLAN, 0.0).seconds is None
    assert outlook(PLAN, None).seconds is None


def test_a_rate_needs_two_readings_of_one_generation():
    before, after = Counts("1", 10.0, {}, 0, 100), Counts("1", 13.0, {}, 0, 160)
    assert rate_between(before, after) == 20.0
    assert rate_between(before, Counts("2", 13.0, {}, 0, 160)) is None
    assert rate_between(before, before) is None
