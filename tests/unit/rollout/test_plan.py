"""The steps of a plan, and what no plan may be."""

import math

import pytest
from tagline.config import Rollout
from tagline.errors import ConfigError
from tagline.rollout.evidence import Rule
from tagline.rollout.plan import Plan, plan_of


def plan(**changes) -> Plan:
    fields = {"steps": (10, 25, 50), "step_time": 120.0, "max_duration": 1800.0, "ttl": 30.0}
    return Plan(**(fields | changes))


def test_the_defaults_of_tagline_yaml_are_a_plan_in_seconds():
    assert plan_of(Rollout()) == plan()


def test_max_bad_increase_of_tagline_yaml_is_what_the_let_in_test_excludes():
    assert plan_of(Rollout(max_bad_increase=0.05)).rule == Rule(increase=0.05)


def test_the_steps_take_their_number_times_their_length():
    assert plan().duration == 360.0


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"steps": ()}, "first step"),
        ({"steps": (11, 50)}, "first step"),
        ({"steps": (0, 50)}, "first step"),
        ({"steps": (10, 10)}, "must rise"),
        ({"steps": (10, 50, 25)}, "must rise"),
        ({"steps": (10, 96)}, "leaves stable"),
        ({"step_time": 0.0}, "step_time"),
        ({"step_time": math.nan}, "step_time"),
        ({"ttl": -1.0}, "ttl"),
        ({"max_duration": 100.0}, "max_duration"),
        ({"max_duration": math.nan}, "max_duration"),
        ({"rule": Rule(increase=0.0)}, "max_bad_increase"),
        ({"rule": Rule(increase=math.nan)}, "max_bad_increase"),
        ({"rule": Rule(alpha=0.0)}, "alpha"),
        ({"rule": Rule(beta=1.0)}, "alpha and beta"),
    ],
)
def test_a_plan_that_could_not_protect_anybody_is_refused(changes, what):
    with pytest.raises(ConfigError, match=what):
        plan(**changes)
