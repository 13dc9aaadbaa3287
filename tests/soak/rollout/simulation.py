"""Simulated rollouts: Bernoulli arms, 20 requests a second, ten minutes, through the product's own machine.

Nothing of the rule is copied here: every tick is one `machine.watched`.
"""

import random
from collections.abc import Callable

import msgspec
from tagline.platforms import Arm, ArmCounts, Counts, Route
from tagline.rollout import machine
from tagline.rollout.plan import Plan
from tagline.rollout.state import Outcome, Phase, State, Verdict
from tagline.words import ModelVersion, Promotion, Release


class Named(ModelVersion, frozen=True):
    """A version that prints itself at once: a soak prints some two hundred million of them."""

    def __str__(self) -> str:
        return CANARY_NAME if self.number == 2 else STABLE_NAME


STABLE_NAME, CANARY_NAME = "1.0.0-r1", "1.0.0-r2"
STABLE, CANARY = Named(Release(1, 0, 0), 1), Named(Release(1, 0, 0), 2)
PROMOTION = Promotion("prod", "wine", 1)
PLAN = Plan(steps=(10, 25, 50), step_time=120.0, max_duration=600.0, ttl=30.0)
REQUESTS_A_TICK = 20


class Case(msgspec.Struct, frozen=True):
    """One world: bad shares (stable, canary) at each watched second, and what would be a wrong decision."""

    name: str
    shares: Callable[[float], tuple[float, float]]
    wrong: Verdict
    plan: Plan = PLAN


def constant(stable: float, canary: float) -> Callable[[float], tuple[float, float]]:
    return lambda second: (stable, canary)


def stairs(base: list[float], more: float) -> Callable[[float], tuple[float, float]]:
    """A base share that jumps with every step of the plan, the canary's higher by `more`."""

    def shares(second: float) -> tuple[float, float]:
        stable = base[min(int(second / PLAN.step_time), len(base) - 1)]
        return stable, stable + more

    return shares


def slope(first: float, last: float, more: float) -> Callable[[float], tuple[float, float]]:
    """A base share that moves evenly over the ten minutes."""

    def shares(second: float) -> tuple[float, float]:
        stable = first + (last - first) * second / PLAN.max_duration
        return stable, stable + more

    return shares


RISING, FALLING = [0.002, 0.03, 0.08], [0.10, 0.04, 0.002]
CASES = [
    Case("null, 0.2 % on both", constant(0.002, 0.002), Verdict.TAKEN_BACK),
    Case("null, the base rises with the weights", stairs(RISING, 0.0), Verdict.TAKEN_BACK),
    Case("null, the base falls as the weights rise", stairs(FALLING, 0.0), Verdict.TAKEN_BACK),
    Case("2 points worse, 0.2 %", constant(0.002, 0.022), Verdict.LET_IN),
    Case("1 % to 5 %", constant(0.01, 0.05), Verdict.LET_IN),
    Case("3 points worse, the base rises with the weights", stairs(RISING, 0.03), Verdict.LET_IN),
    Case("3 points worse, the base falls as the weights rise", stairs(FALLING, 0.03), Verdict.LET_IN),
    Case("changed signature: 4xx always", constant(0.002, 1.0), Verdict.LET_IN),
    Case("null, 1 % on both", constant(0.01, 0.01), Verdict.TAKEN_BACK),
    Case("null, 5 % on both", constant(0.05, 0.05), Verdict.TAKEN_BACK),
    Case("null, the base drifts from 0.2 to 8 %", slope(0.002, 0.08, 0.0), Verdict.TAKEN_BACK),
    Case("2 points worse, nobody else errs", constant(0.0, 0.02), Verdict.LET_IN),
    Case("2 points worse, 5 %", constant(0.05, 0.07), Verdict.LET_IN),
    Case("3 points worse, the base drifts from 8 to 0.2 %", slope(0.08, 0.002, 0.03), Verdict.LET_IN),
]


def case(name: str) -> Case:
    return next(found for found in CASES if found.name == name)


def binomial(rng: random.Random, n: int, p: float) -> int:
    """One draw by inversion, exact but for rounding; n is small here."""
    if p >= 1.0:
        return n
    point, chance, k = rng.random(), (1 - p) ** n, 0
    while point > chance and k < n:
        point -= chance
        chance *= (n - k) * p / ((k + 1) * (1 - p))
        k += 1
    return k


class Traffic:
    """The counters of both arms, which grow tick by tick."""

    def __init__(self, rng: random.Random) -> None:
        self.rng, self.ticks = rng, 0
        self.canary = self.canary_bad = self.stable = self.stable_bad = 0

    def tick(self, weight: int, shares: tuple[float, float]) -> None:
        canary = binomial(self.rng, REQUESTS_A_TICK, weight / 100)
        stable = REQUESTS_A_TICK - canary
        self.ticks += 1
        self.canary += canary
        self.stable += stable
        self.canary_bad += binomial(self.rng, canary, shares[1])
        self.stable_bad += binomial(self.rng, stable, shares[0])

    def counts(self, weight: int) -> Counts:
        arms = {
            CANARY_NAME: ArmCounts(self.canary, self.canary_bad),
            STABLE_NAME: ArmCounts(self.stable, self.stable_bad),
        }
        return Counts(f"1.{weight}", float(self.ticks), arms, 0, self.ticks * REQUESTS_A_TICK)


def rollout(seed: int, of: Case) -> Outcome:
    """One rollout to its verdict."""
    traffic, state = (
        Traffic(random.Random(seed)),
        State(PROMOTION, CANARY, STABLE, of.plan, phase=Phase.MOVING),
    )
    while state.outcome is None:
        weight = state.weight
        if state.phase is Phase.MOVING:
            state = machine.moved(state, traffic.counts(weight))
            route = Route("prod", "wine", [Arm(STABLE, 100 - weight, True), Arm(CANARY, weight, True)])
        traffic.tick(weight, of.shares(state.running))
        state = machine.watched(state, machine.Seen(traffic.counts(weight), route, 1.0))
    return state.outcome


def verdicts(of: Case, runs: int, first_seed: int = 0) -> list[Outcome]:
    """`runs` rollouts with fixed seeds."""
    return [rollout(seed, of) for seed in range(first_seed, first_seed + runs)]
