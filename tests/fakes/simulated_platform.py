"""A platform in memory under virtual time: serving with Bernoulli arms, the rollout's memory, and faults.

It keeps the promises of `tagline.platforms`: first draws only, a new generation with every change of the
route and every restart, a dead-man switch, one holder at a time.
"""

import math
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tagline.errors import Locked, ModelDoesNotLoad, PlatformError, PlatformUnavailable, PutDown
from tagline.platforms import Arm, ArmCounts, Block, Counts, Route, ServerSpec
from tagline.words import ModelVersion

ENV, MODEL = "prod", "wine"


class Killed(BaseException):
    """kill -9: nothing of this process runs any more, and every further call says so."""


def spec(version: ModelVersion) -> ServerSpec:
    return ServerSpec(MODEL, version, "sklearn", Path("model"), "0" * 64, Path("source"), Path("python"))


class SimulatedArm:
    """One version behind the route and what it has answered."""

    def __init__(self) -> None:
        self.weight = self.served = self.bad = 0


class SimulatedPlatform:
    """One route, `prod/wine`, at `rate` requests a second; it is its own clock.

    `bad_rate(version, now)` is the chance of a bad response. A bad canary response is asked again of the
    stable version; what is bad then, a client saw. `tripwire(call)` runs before and after each call's effect.
    """

    name, machine = "simulated", "here"

    def __init__(
        self, bad_rate: Callable[[ModelVersion, float], float], *, rate: float = 20.0, seed: int = 1
    ) -> None:
        self.bad_rate, self.rate, self.random = bad_rate, rate, random.Random(seed)
        self.time = 1000.0
        self.owed = 0.0
        self.arms: dict[ModelVersion, SimulatedArm] = {}
        self.revision, self.boot = 0, 1
        self.requests = self.client_bad = 0
        self.full: list[ModelVersion] = []
        self.unavailable_until = -math.inf
        self.put_down = False
        self.ready_at: dict[ModelVersion, float] = {}
        self.frozen: Counts | None = None
        self.ignores_weights = False
        self.does_not_load: set[ModelVersion] = set()
        self.mute: set[ModelVersion] = set()
        self.tripwire: Callable[[str], None] = lambda call: None
        self.effects: list[str] = []
        self.state: bytes | None = None
        self.switch: tuple[ModelVersion, float] | None = None
        self.blocked: list[Block] = []
        self.held = False

    # time

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        """Let time pass: requests are answered, the dead-man switch falls when it is due."""
        end = self.time + seconds
        while self.time < end:
            self._serve(min(0.5, end - self.time))

    def _serve(self, seconds: float) -> None:
        self.time += seconds
        if self.switch and self.time >= self.switch[1]:
            self._fall(self.switch[0])
        self.owed += self.rate * seconds
        while self.owed >= 1:
            self.owed -= 1
            self._answer()

    def _answer(self) -> None:
        arms = [version for version, arm in self.arms.items() if arm.weight or self.ignores_weights]
        if not arms:
            return
        weights = [1 if self.ignores_weights else self.arms[version].weight for version in arms]
        drawn = self.random.choices(arms, weights)[0]
        bad = self.random.random() < self.bad_rate(drawn, self.time)
        self.requests += 1
        self.arms[drawn].served += 1
        self.arms[drawn].bad += bad
        stable = self.full[-1] if self.full else drawn
        if bad and (drawn == stable or self.random.random() < self.bad_rate(stable, self.time)):
            self.client_bad += 1

    def _fall(self, canary: ModelVersion) -> None:
        """What the watchdog does: the canary to 0, the last version that took everything to 100."""
        self.switch = None
        stable = next((version for version in reversed(self.full) if version != canary), None)
        self._weigh({stable: 100} if stable else {})
        self.effects.append(f"watchdog {canary}")

    # faults

    def restart(self) -> None:
        """The router starts again: counters from 0, a new generation."""
        self.boot += 1
        for arm in self.arms.values():
            arm.served = arm.bad = 0
        self.requests = self.client_bad = 0

    @contextmanager
    def _call(self, name: str) -> Iterator[None]:
        self.tripwire(name)
        yield
        self.tripwire(name)

    # Serving

    def deploy(self, env: str, spec: ServerSpec) -> None:
        with self._call("deploy"):
            if spec.version in self.does_not_load:
                self.arms.setdefault(spec.version, SimulatedArm())
                raise ModelDoesNotLoad(f"{spec.version} does not load")
            if spec.version not in self.arms:
                self.arms[spec.version] = SimulatedArm()
                self.revision += 1
                self.effects.append(f"deploy {spec.version}")

    def set_weights(self, env: str, model: str, weights: Mapping[ModelVersion, int]) -> None:
        with self._call("set_weights"):
            self._answering()
            unknown = weights.keys() - self.arms.keys()
            if unknown or sum(weights.values()) not in (0, 100):
                raise PlatformError(f"weights {weights} cannot be set")
            self._weigh(weights)

    def _weigh(self, weights: Mapping[ModelVersion, int]) -> None:
        if all(arm.weight == weights.get(version, 0) for version, arm in self.arms.items()):
            return
        self.revision += 1
        for version, arm in self.arms.items():
            arm.weight = weights.get(version, 0)
            if arm.weight == 100 and self.full[-1:] != [version]:
                self.full.append(version)
        shown = [f"{version}={arm.weight}" for version, arm in self.arms.items() if arm.weight]
        self.effects.append("weights " + " ".join(shown))

    def remove(self, env: str, model: str, version: ModelVersion) -> None:
        with self._call("remove"):
            if version in self.arms and self.arms[version].weight:
                raise PlatformError(f"{version} still has traffic")
            if self.arms.pop(version, None):
                self.revision += 1
                self.effects.append(f"remove {version}")

    def route(self, env: str, model: str) -> Route:
        with self._call("route"):
            ready = {version: self.time >= self.ready_at.get(version, 0.0) for version in self.arms}
            arms = [Arm(version, arm.weight, ready[version]) for version, arm in self.arms.items()]
            return Route(env, model, arms, url="simulated")

    def answers(self, env: str, model: str) -> ModelVersion | None:
        with self._call("answers"):
            self._answering()
            taking = [
                version for version, arm in self.arms.items() if arm.weight and version not in self.mute
            ]
            return taking[0] if taking else None

    def routes(self) -> list[Route]:
        return [self.route(ENV, MODEL)]

    def counts(self, env: str, model: str) -> Counts:
        with self._call("counts"):
            self._answering()
            if self.frozen is not None:
                return self.frozen
            return self.reading()

    def reading(self) -> Counts:
        arms = {
            str(version): ArmCounts(arm.served, arm.bad, {"5xx": arm.bad} if arm.bad else {})
            for version, arm in self.arms.items()
        }
        return Counts(f"{self.boot}.{self.revision}", self.time, arms, self.client_bad, self.requests)

    def _answering(self) -> None:
        if self.put_down:
            raise PutDown("somebody took the local platform down")
        if self.time < self.unavailable_until:
            raise PlatformUnavailable("the router did not answer in 2 s")

    # Rollouts

    @contextmanager
    def lock(self, env: str, model: str) -> Iterator[None]:
        if self.held:
            raise Locked("another tagline holds prod/wine")
        self.held = True
        try:
            yield
        finally:
            self.held = False

    def load(self, env: str, model: str) -> bytes | None:
        with self._call("load"):
            return self.state

    def save(self, env: str, model: str, state: bytes, *, canary: ModelVersion | None, ttl: float) -> None:
        with self._call("save"):
            self.state = state
            self.switch = (canary, self.time + ttl) if canary else None

    def blocks(self, env: str, model: str) -> list[Block]:
        with self._call("blocks"):
            return list(self.blocked)

    def block(self, env: str, model: str, block: Block) -> None:
        with self._call("block"):
            if block.version not in [known.version for known in self.blocked]:
                self.blocked.append(block)
                self.effects.append(f"block {block.version}")

    def unblock(self, env: str, model: str, version: ModelVersion) -> None:
        self.blocked = [block for block in self.blocked if block.version != str(version)]
