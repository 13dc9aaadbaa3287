"""The fixed steps of a canary in percent and seconds, checked once."""

import math

import msgspec

from tagline.config import Rollout, seconds
from tagline.errors import ConfigError
from tagline.rollout.evidence import Rule

FIRST_AT_MOST = 10
LAST_AT_MOST = 95


class Plan(msgspec.Struct, frozen=True):
    """Weights in percent, rising, the first at most 10, the last at most 95; all times in seconds.

    The last step stretches from the plan's end to `max_duration` where the evidence needs it. `ttl` is the
    dead-man switch: a canary that nobody watches for so long goes to weight 0. Raises `ConfigError`.
    """

    steps: tuple[int, ...]
    step_time: float
    max_duration: float
    ttl: float
    rule: Rule = Rule()

    def __post_init__(self) -> None:
        for wrong, fix in _faults(self):
            raise ConfigError(wrong, where="rollout", fix=fix)

    @property
    def duration(self) -> float:
        """Seconds that the steps take, without the stretch."""
        return len(self.steps) * self.step_time


def _positive(number: float) -> bool:
    return math.isfinite(number) and number > 0


def _faults(plan: Plan) -> list[tuple[str, str]]:
    """What is wrong with a plan, each with its way out; empty where nothing is."""
    steps, rule = plan.steps, plan.rule
    checks = [
        (
            bool(steps) and 1 <= steps[0] <= FIRST_AT_MOST,
            "the first step must be 1 to 10 percent",
            "[10, 25, 50]",
        ),
        (list(steps) == sorted(set(steps)), "the steps must rise", "[10, 25, 50]"),
        (
            not steps or steps[-1] <= LAST_AT_MOST,
            "the last step leaves stable under 5 percent",
            "[10, 25, 50]",
        ),
        (_positive(plan.step_time), "step_time must be above 0", "step_time: 2m"),
        (_positive(plan.ttl), "ttl must be above 0", "ttl: 30s"),
        (plan.max_duration >= plan.duration, "max_duration is shorter than the steps", "max_duration: 30m"),
        (0 < rule.increase < 1, "max_bad_increase must lie between 0 and 1", "max_bad_increase: 0.02"),
        (0 < rule.alpha < 1 and 0 < rule.beta < 1, "alpha and beta must lie between 0 and 1", "0.01"),
    ]
    return [(wrong, fix) for right, wrong, fix in checks if not right]


def plan_of(rollout: Rollout) -> Plan:
    """The plan that tagline.yaml's `rollout:` asks for; raises `ConfigError`."""
    return Plan(
        steps=tuple(rollout.steps),
        step_time=seconds(rollout.step_time),
        max_duration=seconds(rollout.max_duration),
        ttl=seconds(rollout.ttl),
        rule=Rule(increase=rollout.max_bad_increase),
    )
