"""What should serve, as it is kept on disk, and every change to it as a pure function."""

from collections.abc import Mapping

import msgspec

from tagline.errors import ContentDiffers, PlatformError
from tagline.platforms import ServerSpec
from tagline.platforms.local.serving.files import Record
from tagline.platforms.local.serving.table import Row, Table, TableRoute
from tagline.words import ModelVersion


class ArmRecord(msgspec.Struct, frozen=True):
    """One version behind a route.

    `full_at` is the revision at which it last took everything (0: never), `loaded` whether it has ever been
    ready, `leaving` that it is to drain and stop, `limit` the seconds it may take to become ready.
    """

    spec: ServerSpec
    port: int
    limit: float
    weight: int = 0
    full_at: int = 0
    loaded: bool = False
    leaving: bool = False


class RouteRecord(msgspec.Struct, frozen=True):
    """One model in one environment; `slower_than` (seconds) holds for every arm, a time-out is each arm's own."""

    env: str
    model: str
    revision: int
    slower_than: float
    arms: list[ArmRecord]

    @property
    def name(self) -> str:
        return f"{self.env}/{self.model}"

    def arm(self, version: ModelVersion) -> ArmRecord | None:
        return next((arm for arm in self.arms if arm.spec.version == version), None)

    def stable(self, *, but: ModelVersion | None = None) -> ModelVersion | None:
        """The version that last took everything, leaving out `but`; None where none ever did."""
        full = [arm for arm in self.arms if arm.full_at > 0 and arm.spec.version != but]
        return max(full, key=lambda arm: arm.full_at).spec.version if full else None


class State(Record, frozen=True, kw_only=True):
    """Everything that should serve; `revision` counts its changes, `port` is the router's."""

    revision: int = 0
    port: int = 0
    routes: list[RouteRecord] = msgspec.field(default_factory=list)

    def route(self, env: str, model: str) -> RouteRecord | None:
        return next((route for route in self.routes if (route.env, route.model) == (env, model)), None)


def key(env: str, spec: ServerSpec) -> str:
    """The name of one server: `prod/wine/v1-4-0-r3`."""
    return f"{env}/{spec.model_name}/{spec.version.slug}"


def servers(state: State) -> dict[str, tuple[RouteRecord, ArmRecord]]:
    """Every server that should run, by its name."""
    return {key(route.env, arm.spec): (route, arm) for route in state.routes for arm in route.arms}


def _put(state: State, route: RouteRecord) -> State:
    """The state with this route changed; what the router sees of it gets the next revision, and one without
    arms is gone."""
    before = state.route(route.env, route.model)
    seen = before is None or _table_route(before) != _table_route(route)
    revision = state.revision + seen
    changed = msgspec.structs.replace(route, revision=revision if seen else route.revision)
    routes = [changed if old.name == route.name else old for old in state.routes]
    if route.name not in [old.name for old in state.routes]:
        routes.append(changed)
    kept = [one for one in routes if one.arms]
    return msgspec.structs.replace(state, revision=revision, routes=kept)


def _with_arm(route: RouteRecord, arm: ArmRecord) -> RouteRecord:
    arms = [arm if old.spec.version == arm.spec.version else old for old in route.arms]
    if arm not in arms:
        arms.append(arm)
    return msgspec.structs.replace(route, arms=arms)


def deployed(state: State, env: str, spec: ServerSpec, *, port: int, limit: float) -> State:
    """The state with this version behind its route, new ones with weight 0; unchanged where it is there.

    The bound that its answers are judged by holds for the whole route: the caller takes it from the policy.
    Raises `ContentDiffers` where the version is there with another digest.
    """
    route = state.route(env, spec.model_name)
    if route is None:
        route = RouteRecord(env, spec.model_name, 0, spec.slower_than, [])
    found = route.arm(spec.version)
    if found and found.spec.sha256 != spec.sha256:
        raise ContentDiffers(
            f"{spec.model_name} {spec.version} in {env} was deployed with another digest",
            where=str(spec.model),
            fix="a version never changes: train again, and deploy the new version",
        )
    arm = ArmRecord(spec, port, limit)
    if found:
        arm = msgspec.structs.replace(found, spec=spec, limit=limit, leaving=False)
    changed = _with_arm(route, arm)
    changed = msgspec.structs.replace(changed, slower_than=spec.slower_than)
    return state if changed == route else _put(state, changed)


def check_weights(route: RouteRecord, weights: Mapping[ModelVersion, int]) -> None:
    """Raise `PlatformError` for weights that cannot be set on this route."""
    unknown = [str(version) for version in weights if route.arm(version) is None]
    if unknown:
        known = ", ".join(str(arm.spec.version) for arm in route.arms)
        raise PlatformError(
            f"{route.name} has no version {unknown[0]}", fix=f"deploy it first; there are: {known}"
        )
    if any(weight < 0 for weight in weights.values()) or sum(weights.values()) not in (0, 100):
        raise PlatformError(f"the weights of {route.name} are {sum(weights.values())} in sum, not 100 or 0")


def weighted(state: State, env: str, model: str, weights: Mapping[ModelVersion, int]) -> State:
    """The state with these weights, versions not named at 0; unchanged where they stand already.

    Raises `PlatformError` for an unknown route or version, or a sum that is neither 100 nor 0.
    """
    route = state.route(env, model)
    if route is None:
        if not any(weights.values()):
            return state
        raise PlatformError(f"nothing is deployed for {env}/{model}", fix="deploy a version first")
    check_weights(route, weights)
    if all(arm.weight == weights.get(arm.spec.version, 0) for arm in route.arms):
        return state
    arms = [_weigh(arm, weights.get(arm.spec.version, 0), state.revision + 1) for arm in route.arms]
    return _put(state, msgspec.structs.replace(route, arms=arms))


def _weigh(arm: ArmRecord, weight: int, revision: int) -> ArmRecord:
    full_at = revision if weight == 100 else arm.full_at
    return msgspec.structs.replace(arm, weight=weight, full_at=full_at, leaving=arm.leaving and weight == 0)


def changed_arm(state: State, name: str, **fields: object) -> State:
    """The state with fields of one server's record changed (`loaded`, `leaving`, `port`)."""
    found = servers(state).get(name)
    if found is None:
        return state
    route, arm = found
    changed = msgspec.structs.replace(arm, **fields)
    return state if changed == arm else _put(state, _with_arm(route, changed))


def without(state: State, name: str) -> State:
    """The state without this server; unchanged where it is not there."""
    found = servers(state).get(name)
    if found is None:
        return state
    route, arm = found
    return _put(state, msgspec.structs.replace(route, arms=[one for one in route.arms if one != arm]))


def taken_back(state: State, env: str, model: str, canary: ModelVersion) -> State:
    """The state with the canary at 0 and the stable version at 100; all at 0 where there is none."""
    route = state.route(env, model)
    if route is None or route.arm(canary) is None:
        return state
    stable = route.stable(but=canary)
    return weighted(state, env, model, {stable: 100} if stable else {})


def table(state: State) -> Table:
    """What the router needs to know of the state."""
    return Table(revision=state.revision, routes=[_table_route(route) for route in state.routes])


def _table_route(route: RouteRecord) -> TableRoute:
    rows = [Row(str(arm.spec.version), arm.port, arm.weight, arm.spec.timeout) for arm in route.arms]
    return TableRoute(
        route.env,
        route.model,
        route.revision,
        str(route.stable() or ""),
        route.slower_than,
        rows,
    )
