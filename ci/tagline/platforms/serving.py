"""Model servers behind weighted routes, as the flow asks for them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import msgspec

from tagline.engines import Guards
from tagline.words import ModelVersion


class ServerSpec(msgspec.Struct, frozen=True):
    """Everything needed to serve (or to predict with) one model version.

    `predictor` is `sklearn`, `xgboost` or `custom:src/serve.py` (a path inside `source`), `model` a file or
    folder, `sha256` its digest, checked before loading. `timeout` ends an answer of this version. One slower
    than `slower_than` is bad (0: no bound): it comes from the policy, and holds for all versions of the route. Both
    in seconds. `guards` are the engine's: what its server must leave alone, whoever starts it, and whenever.
    """

    model_name: str
    version: ModelVersion
    predictor: str
    model: Path
    sha256: str
    source: Path
    python: Path
    timeout: float = 10.0
    slower_than: float = 0.0
    guards: Guards = Guards()


class Arm(msgspec.Struct, frozen=True):
    """One model version behind a route; `weight` in percent, `ready` as its own health answer says.

    `uri` is where its model lies, `sha256` that file's digest; "" where the platform cannot say.
    """

    version: ModelVersion
    weight: int
    ready: bool
    port: int = 0
    uri: str = ""
    sha256: str = ""


class Route(msgspec.Struct, frozen=True):
    """What serves one model in one environment: as recorded, also while the platform is down (`up` False).

    `stable` is the version that last took everything: it answers for a canary's failed calls.
    """

    env: str
    model: str
    arms: list[Arm]
    url: str = ""
    up: bool = True
    stable: ModelVersion | None = None

    def weight(self, version: ModelVersion) -> int:
        return next((arm.weight for arm in self.arms if arm.version == version), 0)

    @property
    def main(self) -> ModelVersion | None:
        """What serves: the stable version while it has traffic, else the one with the greatest weight."""
        serving = [arm for arm in self.arms if arm.weight > 0]
        if any(arm.version == self.stable for arm in serving):
            return self.stable
        return max(serving, key=lambda arm: arm.weight).version if serving else None


class ArmCounts(msgspec.Struct, frozen=True):
    """Responses of one arm since its server was first routed: first draws only; a retry enters no arm.

    `bad` as in the design: 5xx, 4xx except 401, 403 and 429, time-out, reset, unparsable or non-finite
    prediction, slower than the declared bound. `kinds` splits `bad` by kind.
    """

    served: int = 0
    bad: int = 0
    kinds: dict[str, int] = {}


class Counts(msgspec.Struct, frozen=True):
    """One reading of a route's counters.

    `generation` changes with every change of the route and every restart of the router: two readings with
    different generations span an interval that enters no test. `client_bad` counts bad answers that a
    client saw, after retries; `at` is a monotonic clock in seconds.
    """

    generation: str
    at: float
    arms: dict[str, ArmCounts]
    client_bad: int = 0
    requests: int = 0


class Serving(Protocol):
    """Model servers behind weighted routes. Every call may be repeated."""

    def deploy(self, env: str, spec: ServerSpec) -> None:
        """Have a warm server for this version behind the route, with weight 0 if it is new there.

        Raises `ModelDoesNotLoad` with the end of the server's log.
        """
        ...

    def set_weights(self, env: str, model: str, weights: Mapping[ModelVersion, int]) -> None:
        """Set weights in percent (sum 100, or all 0) and return once the data plane uses them."""
        ...

    def remove(self, env: str, model: str, version: ModelVersion) -> None:
        """Drain and stop a version whose weight is 0: waits until route and served share show it."""
        ...

    def route(self, env: str, model: str) -> Route:
        """What serves, from the recorded state; an empty route where nothing does."""
        ...

    def answers(self, env: str, model: str) -> ModelVersion | None:
        """The version whose server says through the route, as a client would hear it, that this model is ready.

        Nothing of it enters a counter. One try of a few seconds; None where nobody answers, or not so.
        """
        ...

    def routes(self) -> list[Route]:
        """Every route of this platform."""
        ...

    def counts(self, env: str, model: str) -> Counts:
        """The counters now. Raises `PlatformUnavailable` where the router does not answer."""
        ...
