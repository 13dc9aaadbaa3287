"""A command that a host can cancel: the real rollout on the simulated platform, under the real signals.

Arguments: a file that hears what the platform was told, the seconds that it takes to move a weight, and
`careful` or `careless` (what Python does by itself with signals).
"""

import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from tagline.cli.cancel import Cancel
from tagline.rollout.plan import Plan
from tagline.rollout.run import roll_out
from tagline.rollout.told import Progress, Told
from tagline.words import ModelVersion

from tests.fakes.simulated_platform import SimulatedPlatform
from tests.unit.rollout.world import platform, request, state_of, weights_of

LONG = Plan(steps=(10, 25, 50), step_time=40_000.0, max_duration=200_000.0, ttl=30.0)


class Paced:
    """The simulated platform's time, at a pace that a signal can meet."""

    def __init__(self, on: SimulatedPlatform) -> None:
        self.on = on

    def now(self) -> float:
        return self.on.now()

    def sleep(self, seconds: float) -> None:
        time.sleep(0.02)
        self.on.sleep(seconds)


def main(file: str, slow: str, how: str) -> int:
    cancel = Cancel()
    if how == "careful":
        cancel.install()
    else:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.default_int_handler)
    on = platform()
    move = on.set_weights

    def moved(env: str, model: str, weights: Mapping[ModelVersion, int]) -> None:
        if cancel.number or how == "careless":
            time.sleep(float(slow))
        move(env, model, weights)

    on.set_weights = moved  # type: ignore[method-assign]

    def told(fact: Told) -> None:
        if isinstance(fact, Progress):
            Path(file).write_text("watching")

    try:
        roll_out(on, on, request(plan=LONG), Paced(on), told)
    except KeyboardInterrupt:
        shares = " ".join(f"{version}={weight}" for version, weight in weights_of(on).items())
        Path(file).write_text(f"{state_of(on).phase} {shares}")
        return cancel.heard()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
