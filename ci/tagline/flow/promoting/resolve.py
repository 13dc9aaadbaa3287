"""What a promotion stands for: which model version, whether it may go there, and how it is served."""

from pathlib import Path

import msgspec

from tagline.config import Config, Serving, seconds
from tagline.errors import (
    Blocked,
    MissingKeys,
    NotTrained,
    OtherMachine,
    PlatformError,
    StillTraining,
    UnknownName,
)
from tagline.flow.releasing.owners import config_of, owner_prefix, uploaded
from tagline.flow.world import World
from tagline.git.events import Adopted, Promoted, RolledBack
from tagline.git.state import State
from tagline.git.versions import release_of
from tagline.platforms import RunState, ServerSpec
from tagline.rollout.resume import check_serves
from tagline.words import ModelVersion, Promotion, one_of


class Block(msgspec.Struct, frozen=True):
    """Why a version may not be promoted, and who says so."""

    by: str
    why: str


def check_place(policy: Config, env: str, model: str) -> None:
    """Raise `UnknownName` for what the policy does not declare, `MissingKeys` where it cannot be promoted."""
    one_of(env, policy.environments, "environment")
    one_of(model, policy.model_names(), "model")
    missing = [key for key in ("serving", "gate") if getattr(policy, key) is None]
    if missing:
        raise MissingKeys(
            f"tagline.yaml at the head of the default branch lacks {' and '.join(missing)}: no model can be promoted",
            where="tagline.yaml",
            fix=f"add {' and '.join(f'{key}:' for key in missing)} (docs/reference/tagline.yaml.md), commit, push",
        )


def check_asked(policy: Config, promotion: Promotion) -> None:
    """As `check_place`, for what a tag asks: an error of a name says which tag it is, and how to take it back."""
    try:
        check_place(policy, promotion.env, promotion.model)
    except UnknownName as error:
        error.where = f"the tag {promotion}"
        error.fix = f"{error.fix}; take the tag back: git push origin :refs/tags/{promotion}"
        raise


def require_serving(world: World) -> None:
    """Raise `NotYetSupported` where the platform serves no models in this version of tagline."""
    if not world.platform.serves:
        world.platform.serving  # noqa: B018  # it says why


def blocks(world: World, state: State, env: str, model: str) -> dict[ModelVersion, Block]:
    """Every block in force: the ledger's, and those that only the platform knows of yet."""
    known = {version: Block(event.by, event.why) for version, event in state.place(env, model).blocks.items()}
    for block in world.platform.rollouts.blocks(env, model):
        known.setdefault(ModelVersion.parse(block.version), Block(block.by, block.reason))
    return known


def unrecorded(world: World, state: State, env: str, model: str) -> dict[ModelVersion, str]:
    """What was taken back here by hand, with why, and is not in the ledger yet; in the order of the blocks."""
    known = state.place(env, model).blocks
    made = ((ModelVersion.parse(one.version), one) for one in world.platform.rollouts.blocks(env, model))
    return {version: block.reason for version, block in made if not block.promotion and version not in known}


def check_block(world: World, state: State, env: str, model: str, version: ModelVersion) -> None:
    """Raise `Blocked` (who, why, the command that lifts it) where a version may not be promoted."""
    block = blocks(world, state, env, model).get(version)
    if block:
        raise Blocked(
            f"{version} is blocked in {env}: {block.by} took it back: {block.why}",
            fix=f"tagline unblock {model} {version} --env {env} --reason '…'",
        )


def check_registered(state: State, model: str, version: ModelVersion) -> None:
    """Raise `NotTrained` that names what is registered, where a version is not."""
    if state.trained(model, version) is None:
        known = ", ".join(str(one.version) for one in state.models.get(model, ())) or "none"
        raise NotTrained(f"there is no model {model} {version}; registered: {known}", fix="tagline status")


def by_version(world: World, state: State, env: str, model: str, version: ModelVersion) -> ModelVersion:
    """The version itself, if it is registered and not blocked here; raises `NotTrained`, `Blocked`."""
    check_registered(state, model, version)
    check_block(world, state, env, model, version)
    return version


def by_commit(world: World, state: State, env: str, model: str, commit: str) -> ModelVersion:
    """The newest unblocked model of the nearest ancestor release, if no commit in between affects the pipeline.

    Raises `NotReleased`, `StillTraining`, `NotTrained`, `Blocked`: each with the command that mends it.
    """
    release = release_of(world.repo, world.facts, state, world.scope(), commit)
    versions = state.versions(model, release)
    held = blocks(world, state, env, model)
    free = [version for version in versions if version not in held]
    if free:
        return free[-1]
    if versions:
        check_block(world, state, env, model, versions[-1])
    runs = world.platform.pipelines.runs(owner_prefix(world.policy.pipeline, release))
    if any(run.state is RunState.RUNNING for run in runs):
        raise StillTraining(f"release {release} is still training", fix="add --wait, or try again later")
    raise NotTrained(f"release {release} has no trained model", fix=f"tagline train --release {release}")


def spec_of(world: World, state: State, model: str, version: ModelVersion) -> ServerSpec:
    """Everything needed to serve a registered model version on this platform, judged as the policy says.

    Raises `NotTrained`, `NotReleased` (its release is not on this platform), `MissingKeys`, `PlatformError`.
    """
    registered = state.trained(model, version)
    if registered is None:
        raise NotTrained(f"there is no model {model} {version}", fix="tagline status")
    kept = uploaded(world, registered.pipeline, version.release)
    own = config_of(world, kept)
    if own.serving is None:
        raise MissingKeys(
            f"release {version.release} has no serving: in its tagline.yaml", fix="release anew"
        )
    if not Path(registered.uri).exists():
        raise PlatformError(
            f"the file of model {version} is gone",
            where=registered.uri,
            fix=f"tagline train --release {version.release}",
        )
    return ServerSpec(
        model_name=model,
        version=version,
        predictor=own.serving.runtime,
        model=Path(registered.uri),
        sha256=registered.sha256,
        source=kept.tree,
        python=world.engine.build(kept.tree, serving=True).python,
        timeout=_timeout(world.policy, own.serving, proven=_was_let_in(state, model, version)),
        slower_than=_slower_than(world.policy),
        guards=world.engine.guards,
    )


def _was_let_in(state: State, model: str, version: ModelVersion) -> bool:
    return any(version in place.good for (_, name), place in state.places.items() if name == model)


def _timeout(policy: Config, own: Serving, *, proven: bool) -> float:
    """A version's own time-out, at most the policy's: it may give its answers less time, never more.

    One that was let in keeps what it was let in with: a later policy must not break the way back to it.
    """
    known = [own, policy.serving] if policy.serving and not proven else [own]
    return min(seconds(one.timeout) for one in known)


def _slower_than(policy: Config) -> float:
    """What makes an answer a bad one: the policy's word alone, so that no version judges itself."""
    return seconds(policy.serving.slower_than) if policy.serving and policy.serving.slower_than else 0.0


def machine_of(world: World, env: str, model: str) -> str:
    """The machine whose local platform decided last what serves here; "" where nobody did."""
    machine = ""
    for event in world.ledger().events:
        if isinstance(event, Promoted | RolledBack | Adopted) and (event.env, event.model) == (env, model):
            machine = event.machine
    return machine


def check_machine(world: World, env: str, model: str) -> None:
    """Raise `OtherMachine` where another machine's local platform decided what serves here."""
    theirs = machine_of(world, env, model)
    if theirs and theirs != world.platform.machine:
        raise OtherMachine(
            f"{model} in {env} is served by the local platform of {theirs}; this is {world.platform.machine}",
            fix=f"run the command there; or take over with: tagline adopt --reason 'moved from {theirs}'",
        )


def agreed(world: World, state: State, env: str, model: str) -> ModelVersion | None:
    """What serves, where ledger and platform say the same; raises `PlatformError` where they do not."""
    decided, route = state.place(env, model).serves, world.platform.serving.route(env, model)
    if decided != route.main:
        check_serves(decided, route, blocked=decided in blocks(world, state, env, model))
    return decided
