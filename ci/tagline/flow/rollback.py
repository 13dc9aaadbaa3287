"""Back to the last good version, at once: weights first, then the block, then the tag and the ledger."""

import msgspec

from tagline.errors import NothingToRollBackTo, TaglineError
from tagline.flow import resolve
from tagline.flow.report import Said
from tagline.flow.world import World
from tagline.git import events as ev
from tagline.git import tags
from tagline.git.ledger import Batch
from tagline.git.state import State
from tagline.platforms import Block
from tagline.words import ModelVersion, Promotion, one_of


class RolledBack(msgspec.Struct, frozen=True):
    """What a rollback did: what serves now, what was taken back (blocked from now on), and its tag.

    `unpushed` says why the tag is not on the remote yet; the weights have moved all the same.
    """

    model: str
    env: str
    to: str
    taken_back: str
    tag: str = ""
    unpushed: str = ""


def rollback(world: World, model: str, env: str, *, to: str = "", reason: str = "") -> RolledBack:
    """Switch to the last good unblocked version (or `to`), block what is taken back, then tell git.

    Raises `NothingToRollBackTo`, `NotTrained`, `ModelDoesNotLoad`, `OtherMachine`.
    """
    one_of(env, world.policy.environments, "environment")
    one_of(model, world.policy.model_names(), "model")
    resolve.check_machine(world, env, model)
    state = world.state()
    route = world.platform.serving.route(env, model)
    decided = state.place(env, model).serves
    serving = route.main or decided
    canary = next((arm.version for arm in route.arms if arm.weight and arm.version != serving), None)
    half = decided is not None and decided != serving and decided in resolve.blocks(world, state, env, model)
    keep = serving if canary is not None or half else None
    target = _target(world, state, Promotion(env, model, 1), to, keep, serving)
    bad = canary or next((one for one in (serving, decided) if one not in {None, target}), None)
    _switch(world, state, env, model, target)
    why = reason or "rolled back by hand"
    if bad:
        block = Block(str(bad), world.author.actor, why)
        world.platform.rollouts.block(env, model, block)
    done = RolledBack(model, env, str(target), str(bad or ""))
    if bad is None:
        return msgspec.structs.replace(done, unpushed="nothing was taken back: no tag is needed")
    return _told_to_git(world, done, why)


def _target(
    world: World,
    state: State,
    place: Promotion,
    to: str,
    keep: ModelVersion | None,
    serving: ModelVersion | None,
) -> ModelVersion:
    """The version to go back to: the one named, the one to keep, or the last good one.

    Kept is the stable model under a canary, and what serves where an earlier rollback never reached git.
    """
    if to:
        return resolve.by_version(world, state, place.env, place.model, ModelVersion.parse(to))
    if keep is not None:
        return keep
    held = resolve.blocks(world, state, place.env, place.model)
    good = [one for one in state.place(place.env, place.model).good if one != serving and one not in held]
    if not good:
        raise NothingToRollBackTo(
            f"no earlier good version of {place.model} is known in {place.env}",
            fix=f"tagline rollback {place.model} --env {place.env} --to VERSION",
        )
    return good[-1]


def _switch(world: World, state: State, env: str, model: str, target: ModelVersion) -> None:
    """All traffic to the target: at once where its server is warm, else once it is ready."""
    serving = world.platform.serving
    route = serving.route(env, model)
    warm = any(arm.version == target and arm.ready for arm in route.arms)
    if not warm or not route.up:
        world.told(Said(f"starting a server of {target}"))
        serving.deploy(env, resolve.spec_of(world, state, model, target))
    others = {arm.version: 0 for arm in serving.route(env, model).arms}
    serving.set_weights(env, model, {**others, target: 100})
    world.told(Said(f"{target} serves {env}/{model}"))


def _told_to_git(world: World, done: RolledBack, why: str) -> RolledBack:
    """Push the tag with the events that belong to it; a remote that cannot be reached loses nothing."""
    pushed: list[str] = []
    target, bad = ModelVersion.parse(done.to), ModelVersion.parse(done.taken_back)

    def make(state: State) -> Batch:
        pushed.clear()
        number = tags.next_number(world.facts, state, done.env, done.model)
        promotion = Promotion(done.env, done.model, number)
        pushed.append(str(promotion))
        released = state.release(world.policy.pipeline, target.release)
        wanted = tags.Details(model_version=target, reason=why, rollback_of=_promotion_of(state, done))
        tag = tags.promotion_tag(promotion, released.commit if released else world.facts.head, wanted)
        return Batch(events=_events(world, promotion, done, why), tags=[tag])

    try:
        world.append(make)
    except TaglineError as error:
        return msgspec.structs.replace(done, unpushed=error.what)
    world.told(Said(f"{bad} is blocked in {done.env} until it is unblocked"))
    return msgspec.structs.replace(done, tag=pushed[0])


def _promotion_of(state: State, done: RolledBack) -> Promotion | None:
    """The newest promotion of this place that asked for what was taken back."""
    asked = (one for one in state.promotions.values() if one.asked is not None)
    mine = [
        one.promotion
        for one in asked
        if (one.promotion.env, one.promotion.model) == (done.env, done.model)
        and one.asked is not None
        and one.asked.model_version == done.taken_back
    ]
    return max(mine, default=None)


def _events(world: World, promotion: Promotion, done: RolledBack, why: str) -> list[ev.AnyEvent]:
    """The events of a rollback by hand; only the platform `local` may append them here."""
    back = ev.RolledBack(
        env=done.env,
        model=done.model,
        n=promotion.n,
        taken_back=done.taken_back,
        to=done.to,
        by=ev.By.PERSON,
        why=why,
    )
    return [back]


def unblock(world: World, model: str, version: str, env: str, reason: str) -> str:
    """Lift a block in the ledger and on the platform; again is a no-op. Returns a sentence."""
    one_of(env, world.policy.environments, "environment")
    one_of(model, world.policy.model_names(), "model")
    wanted = ModelVersion.parse(version)
    if wanted not in resolve.blocks(world, world.state(), env, model):
        return f"nothing to do: {wanted} is not blocked in {env}"

    def make(state: State) -> Batch:
        if wanted not in state.place(env, model).blocks:
            return Batch()
        event = ev.Unblocked(env=env, model=model, model_version=version, by=world.author.actor, why=reason)
        return Batch(events=[event])

    world.append(make)
    world.platform.rollouts.unblock(env, model, wanted)
    return f"{wanted} may be promoted to {env} again"
