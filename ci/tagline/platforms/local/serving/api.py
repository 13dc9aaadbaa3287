"""`Serving` on this machine: what the flow calls, said to the supervisor and the router."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import msgspec

from tagline.errors import ModelDoesNotLoad, PlatformUnavailable, PutDown
from tagline.platforms import Arm, Counts, Route, ServerSpec
from tagline.platforms.local.serving import admin, files, lifecycle, logfiles, ports, probe, wire
from tagline.platforms.local.serving.paths import Paths
from tagline.platforms.local.serving.records import RouteRecord, State, key
from tagline.words import ModelVersion, check_name

T = TypeVar("T", bound=msgspec.Struct)
READY_LIMIT = 120.0
REMOVE_LIMIT = 60.0
_POLL = 0.05


class LocalServing:
    """`Serving` for one home. A call that needs the platform starts it where it is down, unless it ran for an
    earlier call and somebody put it down since: that raises `PutDown`.

    `ready_limit` is the time in seconds that a model server may take to load.
    """

    def __init__(self, home: Path, *, ready_limit: float = READY_LIMIT) -> None:
        self._paths = Paths(home)
        self._ready_limit = ready_limit
        self._put_down: bytes | None = None

    def deploy(self, env: str, spec: ServerSpec) -> None:
        """Have a warm server for this version, with weight 0 if it is new; at once where it is warm.

        Raises `ModelDoesNotLoad` with the end of its log, and then nothing of it stays; `ContentDiffers`
        where the version is there with another digest.
        """
        check_name(env, "environment")
        name = key(env, spec)
        asked = wire.Deploy(env, spec, self._ready_limit)
        deadline = time.monotonic() + self._ready_limit + 30
        status = self._ask("/deploy", wire.Status, asked)
        while time.monotonic() < deadline:
            if name in status.failures:
                raise self._does_not_load(name, status.failures[name])
            found = next((one for one in status.processes if one.name == name), None)
            if found and found.phase is wire.Phase.READY:
                return
            time.sleep(_POLL)
            status = self._ask("/status", wire.Status) if found else self._ask("/deploy", wire.Status, asked)
        last = next((one.note for one in status.processes if one.name == name), "")
        raise self._does_not_load(
            name, f"not ready within {self._ready_limit:g} s; {last}\n{self._tail(name)}"
        )

    def set_weights(self, env: str, model: str, weights: Mapping[ModelVersion, int]) -> None:
        """Set weights in percent (sum 100, or all 0; versions not named get 0).

        Returns once the router uses them for every new request and its counters show it. Raises
        `PlatformError` for an unknown version, `PlatformUnavailable` where one that is not ready would gain.
        """
        applied = self._ask("/weights", wire.Applied, wire.Weigh(env, model, list(weights.items())))
        shown = self._router_counts(env, model)
        drawn = [
            str(version) for version in shown.drawn if shown.drawn[version] and not _weight(weights, version)
        ]
        if shown.counts.generation.startswith(f"{applied.boot}.") and drawn:
            raise PlatformUnavailable(f"{drawn[0]} of {env}/{model} still takes requests at weight 0")

    def remove(self, env: str, model: str, version: ModelVersion) -> None:
        """Drain and stop a version whose weight is 0; again, or for one that is not there, is a no-op.

        Raises `PlatformError` while it has weight, `PlatformUnavailable` if it does not end in 60 seconds.
        """
        asked = wire.Remove(env, model, version)
        name = f"{env}/{model}/{version.slug}"
        deadline = time.monotonic() + REMOVE_LIMIT
        status = self._ask("/remove", wire.Status, asked)
        while any(one.name == name for one in status.processes) or self._recorded(env, model, version):
            if time.monotonic() > deadline:
                raise PlatformUnavailable(f"{name} does not end", fix="tagline local logs")
            time.sleep(_POLL)
            status = self._ask("/status", wire.Status)

    def route(self, env: str, model: str) -> Route:
        """What serves, as recorded, also while the platform is down; an empty route where nothing does."""
        found = [route for route in self.routes() if (route.env, route.model) == (env, model)]
        return found[0] if found else Route(env, model, [], up=lifecycle.ask_status(self._paths) is not None)

    def routes(self) -> list[Route]:
        """Every route of this platform, as recorded. Starts nothing. Raises `StateBroken`."""
        state = self._state()
        status = lifecycle.ask_status(self._paths) if state.routes else None
        return [_route(route, status) for route in state.routes]

    def answers(self, env: str, model: str) -> ModelVersion | None:
        """The version whose server says through the router that this model is ready; None where none does."""
        return probe.ask(self.route(env, model))

    def counts(self, env: str, model: str) -> Counts:
        """The counters now; empty for a model without a route. Raises `PlatformUnavailable`."""
        return self._router_counts(env, model).counts

    def _router_counts(self, env: str, model: str) -> wire.RouteCounts:
        what = f"/counts/{check_name(env, 'environment')}/{check_name(model, 'model')}"
        return self._with_platform(lambda: admin.ask(self._paths.control, what, wire.RouteCounts))

    def _state(self) -> State:
        return files.read(self._paths.state, State) or State()

    def _recorded(self, env: str, model: str, version: ModelVersion) -> bool:
        route = self._state().route(env, model)
        return route is not None and route.arm(version) is not None

    def _ask(self, what: str, kind: type[T], body: msgspec.Struct | None = None) -> T:
        return self._with_platform(lambda: admin.ask(self._paths.admin, what, kind, body=body, timeout=20.0))

    def _with_platform(self, call: Callable[[], T]) -> T:
        """Make a call; where nobody answers, have the platform run and make it again, twice at most."""
        for _ in range(2):
            try:
                return self._remembered(call)
            except PlatformUnavailable as error:
                if error.fix:
                    raise
            self._check_not_put_down()
            lifecycle.ensure(self._paths)
        return self._remembered(call)

    def _remembered(self, call: Callable[[], T]) -> T:
        """Make a call, and remember which `down` was the last when the platform first answered."""
        answer = call()
        if self._put_down is None:
            self._put_down = lifecycle.last_put_down(self._paths)
        return answer

    def _check_not_put_down(self) -> None:
        if self._put_down is not None and self._put_down != lifecycle.last_put_down(self._paths):
            raise PutDown(
                "somebody took the local platform down while it was needed here",
                where=str(self._paths.home),
                fix="tagline local up, then the same command again (in CI: tagline ci)",
            )

    def _tail(self, name: str) -> str:
        return logfiles.tail(self._paths.log(name.replace("/", ".")))

    def _does_not_load(self, name: str, why: str) -> ModelDoesNotLoad:
        log = self._paths.log(name.replace("/", "."))
        return ModelDoesNotLoad(
            f"{name} does not load: {why}",
            where=str(log),
            fix="mend the model or its predictor, and train again",
        )


def _weight(weights: Mapping[ModelVersion, int], version: str) -> int:
    return weights.get(ModelVersion.parse(version), 0)


def _route(record: RouteRecord, status: wire.Status | None) -> Route:
    ready = {one.name for one in status.processes if one.phase is wire.Phase.READY} if status else set()
    arms = [
        Arm(
            arm.spec.version,
            arm.weight,
            key(record.env, arm.spec) in ready,
            arm.port,
            str(arm.spec.model),
            arm.spec.sha256,
        )
        for arm in record.arms
        if not arm.leaving
    ]
    port = status.hello.port if status else 0
    url = f"http://{ports.HOST}:{port}/{record.env}/v1/models/{record.model}:predict" if status else ""
    return Route(record.env, record.model, arms, url, status is not None, record.stable())
