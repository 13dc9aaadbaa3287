"""`tagline promote`: resolve, look, and ask by an annotated tag that says exactly which model it means."""

import time

import msgspec

from tagline.config import seconds
from tagline.errors import StillTraining
from tagline.flow.promoting import overrides, resolve
from tagline.flow.promoting.gating import hold_contest
from tagline.flow.releasing.registering import register_finished
from tagline.flow.report import Said
from tagline.flow.world import World
from tagline.git import tags
from tagline.git.ledger import Batch
from tagline.git.state import State
from tagline.model.gate import Verdict
from tagline.rollout.outlook import Outlook, outlook, rate_between
from tagline.rollout.plan import plan_of
from tagline.words import ModelVersion, Promotion

WAIT_AT_MOST = 24 * 3600.0
LOOK_EVERY = 2.0
RATE_SEEN_FOR = 3.0


class Ask(msgspec.Struct, frozen=True):
    """A promotion as the command line asks for it; an empty `version` means the newest of HEAD's release."""

    model: str
    env: str
    version: str = ""
    reason: str = ""
    override: str = ""
    wait: bool = False


class Asked(msgspec.Struct, frozen=True):
    """What `tagline promote` did: the tag it pushed, "" with the reason where there was nothing to do."""

    model: str
    env: str
    version: str
    tag: str = ""
    nothing: str = ""


class Preview(msgspec.Struct, frozen=True):
    """What a promotion would do: the version, what serves, the gate's verdict, the rollout's steps in seconds.

    `outlook` says how long at today's traffic; None where nothing serves yet, or the rollout takes no canary.
    """

    model: str
    env: str
    version: str
    serves: str
    verdict: Verdict
    steps: list[int]
    seconds: float
    at_most: float
    outlook: Outlook | None = None


def promote(world: World, ask: Ask) -> Asked:
    """Push the tag that asks; a request for the same version that is open, or serves, is not made twice.

    Raises the errors of resolving (20–29, 40–49, `Blocked`, `OtherMachine`, `PlatformError`) and of pushing (17–19).
    """
    overrides.read(ask.override, ask.reason)
    world = world.of_model(ask.model)
    version = _resolved(world, ask)
    resolve.check_machine(world, ask.env, ask.model)
    done = _nothing_to_ask(world, world.state(), ask, version)
    if done:
        return Asked(ask.model, ask.env, str(version), nothing=done)
    pushed: list[str] = []

    def make(state: State) -> Batch:
        pushed.clear()
        if _nothing_to_ask(world, state, ask, version):
            return Batch()
        number = tags.next_number(world.facts, state, ask.env, ask.model)
        promotion = Promotion(ask.env, ask.model, number)
        wanted = tags.Details(model_version=version, reason=ask.reason, override=ask.override)
        pushed.append(str(promotion))
        return Batch(tags=[tags.promotion_tag(promotion, _commit(state, world, version), wanted)])

    world.append(make)
    if not pushed:
        return Asked(ask.model, ask.env, str(version), nothing="somebody else asked in the meantime")
    return Asked(ask.model, ask.env, str(version), tag=pushed[0])


def preview_promotion(world: World, ask: Ask) -> Preview:
    """Resolution, gate and rollout of a promotion, without asking for it."""
    world = world.of_model(ask.model)
    version = _resolved(world, ask)
    resolve.check_machine(world, ask.env, ask.model)
    served = resolve.agreed(world, world.state(), ask.env, ask.model)
    spec = resolve.spec_of(world, world.state(), ask.model, version)
    verdict = hold_contest(world, spec, served, overrides.read(ask.override, ask.reason))
    rollout = world.policy.rollout
    return Preview(
        model=ask.model,
        env=ask.env,
        version=str(version),
        serves=str(served or ""),
        verdict=verdict,
        steps=list(rollout.steps) if served else [100],
        seconds=len(rollout.steps) * seconds(rollout.step_time) if served else 0.0,
        at_most=seconds(rollout.max_duration),
        outlook=outlook(plan_of(rollout), _rate(world, ask)) if served else None,
    )


def _rate(world: World, ask: Ask) -> float | None:
    """Requests a second of the model now, seen for a few seconds; None where the platform is down."""
    serving = world.platform.serving
    if not serving.route(ask.env, ask.model).up:
        return None
    before = serving.counts(ask.env, ask.model)
    time.sleep(RATE_SEEN_FOR)
    return rate_between(before, serving.counts(ask.env, ask.model))


def _commit(state: State, world: World, version: ModelVersion) -> str:
    released = state.release(world.policy.pipeline, version.release)
    return released.commit if released else world.facts.head


def _resolved(world: World, ask: Ask) -> ModelVersion:
    resolve.check_place(world.policy, ask.env, ask.model)
    resolve.require_serving(world)
    register_finished(world)
    if ask.version:
        wanted = ModelVersion.parse(ask.version)
        return resolve.by_version(world, world.state(), ask.env, ask.model, wanted)
    until = time.monotonic() + (WAIT_AT_MOST if ask.wait else 0.0)
    while True:
        try:
            return resolve.by_commit(world, world.state(), ask.env, ask.model, world.facts.head)
        except StillTraining as still:
            if time.monotonic() > until:
                raise
            world.told(Said(f"{still.what}; waiting"))
            time.sleep(LOOK_EVERY)
            register_finished(world)


def _nothing_to_ask(world: World, state: State, ask: Ask, version: ModelVersion) -> str:
    """Why no tag is needed, or ""; raises `PlatformError` where the platform serves another one."""
    if state.place(ask.env, ask.model).serves == version:
        resolve.agreed(world, state, ask.env, ask.model)
        return f"{version} serves {ask.env} already"
    for one in tags.requests_of(world.facts, state, ask.env, ask.model):
        if state.ended(one.promotion):
            continue
        if tags.details(world.repo, one).model_version == version:
            return f"{one.promotion} asks for {version} already"
    return ""
