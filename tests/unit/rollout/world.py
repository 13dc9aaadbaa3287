"""A small world for rollouts: three versions, one plan, and one call that rolls out under virtual time."""

from collections.abc import Callable

import msgspec
from tagline.rollout.plan import Plan
from tagline.rollout.request import Request
from tagline.rollout.run import roll_out
from tagline.rollout.state import Outcome, State, read
from tagline.rollout.told import Told
from tagline.words import ModelVersion, Promotion

from tests.fakes.simulated_platform import ENV, MODEL, SimulatedPlatform, spec

OLDER, STABLE, CANARY, NEXT = (ModelVersion.parse(f"{minor}.0.0-r1") for minor in (1, 2, 3, 4))
PLAN = Plan(steps=(10, 25, 50), step_time=40.0, max_duration=600.0, ttl=30.0)


def rates(stable: float, canary: float) -> Callable[[ModelVersion, float], float]:
    """Bad shares that do not change."""
    return lambda version, _: canary if version == CANARY else stable


def platform(
    stable: float = 0.0, canary: float = 0.0, *, rate: float = 20.0, seed: int = 1
) -> SimulatedPlatform:
    """STABLE serves, OLDER is warm behind it."""
    made = SimulatedPlatform(rates(stable, canary), rate=rate, seed=seed)
    for version in (OLDER, STABLE):
        made.deploy(ENV, spec(version))
        made.set_weights(ENV, MODEL, {version: 100})
    made.effects.clear()
    return made


def request(
    version: ModelVersion = CANARY, n: int = 7, plan: Plan = PLAN, serves: ModelVersion | None = STABLE
) -> Request:
    return Request(Promotion(ENV, MODEL, n), spec(version), plan, serves, hint="tagline local traffic wine")


def go(on: SimulatedPlatform, asked: Request | None = None, told: list[Told] | None = None) -> Outcome:
    """One call of the rollout, which moves the platform's own time."""
    return go_telling(on, ([] if told is None else told).append, asked)


def go_telling(on: SimulatedPlatform, told: Callable[[Told], None], asked: Request | None = None) -> Outcome:
    """The same with a listener that may act, or raise."""
    return roll_out(on, on, asked or request(), on, told)


def state_of(on: SimulatedPlatform) -> State:
    assert on.state is not None
    return read(on.state)


def weights_of(on: SimulatedPlatform) -> dict[ModelVersion, int]:
    """The versions that have traffic, with their weights."""
    return {version: arm.weight for version, arm in on.arms.items() if arm.weight}


def changed(asked: Request, **fields: object) -> Request:
    return msgspec.structs.replace(asked, **fields)
