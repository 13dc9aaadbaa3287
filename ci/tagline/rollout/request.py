"""What a caller gives to a rollout: one promotion to carry out, and a clock."""

import time
from collections.abc import Callable
from typing import Protocol

import msgspec

from tagline.platforms import ServerSpec
from tagline.rollout.plan import Plan
from tagline.words import ModelVersion, Promotion


class Clock(Protocol):
    """Seconds that only go forward, and a way to wait."""

    def now(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


class RealClock:
    """This machine's monotonic clock."""

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def nothing_newer() -> Promotion | None:
    """The answer of a caller that cannot be overtaken."""
    return None


class Request(msgspec.Struct, frozen=True):
    """One promotion to carry out.

    `tick` is the time between two looks in seconds, at most a third of `plan.ttl`. `newer` is asked at every
    look for the newest promotion of this environment and model: it must answer well within `plan.ttl`, and
    may raise a `RepositoryError`, which ends nothing. `serves` is what the ledger says serves here, None
    where nothing ever did: a rollout begins only where the platform says the same. `hint` is the command that
    makes traffic, `by` who asked; both only for people.
    """

    promotion: Promotion
    spec: ServerSpec
    plan: Plan
    serves: ModelVersion | None
    hint: str = ""
    by: str = "tagline"
    tick: float = 1.0
    newer: Callable[[], Promotion | None] = nothing_newer
