"""Back to the last good version, at once: the block first, then the weights, then the tag and the ledger.

A block by hand that the ledger does not know is a rollback that was begun and not recorded. Whoever comes next,
the same command or `tagline ci`, completes that one instead of going one version further.
"""

import msgspec

from tagline.errors import DidNotAnswer, NothingToRollBackTo, TaglineError
from tagline.flow.promoting import answering, resolve
from tagline.flow.report import Said, StepReport, done, nothing
from tagline.flow.world import World
from tagline.git import events as ev
from tagline.git import tags
from tagline.git.ledger import Batch
from tagline.git.objects import NewTag
from tagline.git.state import State
from tagline.platforms import Block, Route
from tagline.words import ModelVersion, Promotion, one_of


class RolledBack(msgspec.Struct, frozen=True):
    """What a rollback did: what serves now, what was taken back (blocked from now on; "" = nothing), its tag.

    `unpushed` says why the tag is not on the remote yet, and `exit_code` is that error's; the weights have
    moved all the same.
    """

    model: str
    env: str
    to: str
    taken_back: str
    tag: str = ""
    unpushed: str = ""
    exit_code: int = 0


def rollback(world: World, model: str, env: str, *, to: str = "", reason: str = "") -> RolledBack:
    """Block what is taken back, switch to the last good unblocked version (or `to`), see it answer, then tell git.

    Raises `NothingToRollBackTo`, `NotTrained`, `ModelDoesNotLoad`, `OtherMachine`; `DidNotAnswer`, with all of it
    done, where no answer of the target was seen.
    """
    one_of(env, world.policy.environments, "environment")
    one_of(model, world.policy.model_names(), "model")
    world = world.of_model(model)
    resolve.check_machine(world, env, model)
    state, route = world.state(), world.platform.serving.route(env, model)
    begun = resolve.unrecorded(world, state, env, model)
    bad, target = _chosen(world, state, route, to)
    _prepare(world, state, route, target)
    if bad is not None and bad not in begun:
        block = Block(str(bad), world.author.actor, reason or "rolled back by hand")
        world.platform.rollouts.block(env, model, block)
    silent = _switch(world, env, model, target)
    taken = bad or next(reversed(begun), None)
    result = RolledBack(model, env, str(target), str(taken or ""))
    if taken is not None:
        result = _told_git(world, result, target)
    if silent:
        silent.what += f"; not in git yet: {result.unpushed}" if result.unpushed else ""
        raise silent
    return result


def _told_git(world: World, result: RolledBack, target: ModelVersion) -> RolledBack:
    try:
        tag = _record(world, result.env, result.model, target)
    except TaglineError as error:
        return msgspec.structs.replace(result, unpushed=error.what, exit_code=error.exit_code)
    world.told(Said(f"{result.taken_back} is blocked in {result.env} until it is unblocked"))
    return msgspec.structs.replace(result, tag=tag)


def finish_rollback(world: World, env: str, model: str) -> StepReport:
    """Complete a rollback that was begun here and never recorded; raises what `rollback` and pushing raise."""
    world = world.of_model(model)
    state, route = world.state(), world.platform.serving.route(env, model)
    begun = resolve.unrecorded(world, state, env, model)
    if not begun:
        return nothing("rollback", f"every rollback of {env}/{model} is recorded")
    _, target = _chosen(world, state, route, "")
    _prepare(world, state, route, target)
    silent = _switch(world, env, model, target)
    tag = _record(world, env, model, target)
    if silent:
        raise silent
    return done("rollback", f"{', '.join(map(str, begun))} taken back, {target} serves {env}", tag=tag)


def _chosen(world: World, state: State, route: Route, to: str) -> tuple[ModelVersion | None, ModelVersion]:
    """What is taken back (None: it is blocked already), and the version to go back to.

    That is `to`; else what serves, where a canary or an unrecorded rollback is what is left; else the last good.
    """
    env, model = route.env, route.model
    decided = state.place(env, model).serves
    serving = route.main or decided
    held = resolve.blocks(world, state, env, model)
    canary = next((arm.version for arm in route.arms if arm.weight and arm.version != serving), None)
    begun = resolve.unrecorded(world, state, env, model)
    if to:
        target = resolve.by_version(world, state, env, model, ModelVersion.parse(to))
    elif serving is not None and serving not in held and (canary is not None or begun):
        target = serving
    else:
        target = _last_good(world, state, route, serving)
    suspects = (canary, serving, decided if to else None)
    fit = (one for one in suspects if one not in {None, target} and one not in held)
    return next(fit, None), target


def _last_good(world: World, state: State, route: Route, serving: ModelVersion | None) -> ModelVersion:
    held = resolve.blocks(world, state, route.env, route.model)
    good = [one for one in state.place(route.env, route.model).good if one != serving and one not in held]
    if not good:
        raise NothingToRollBackTo(
            f"no earlier good version of {route.model} is known in {route.env}",
            fix=f"tagline rollback {route.model} --env {route.env} --to VERSION",
        )
    return good[-1]


def _prepare(world: World, state: State, route: Route, target: ModelVersion) -> None:
    """Have a warm server of the target, so that nothing is blocked for one that does not load."""
    warm = any(arm.version == target and arm.ready for arm in route.arms)
    if not warm or not route.up:
        world.told(Said(f"starting a server of {target}"))
        world.platform.serving.deploy(route.env, resolve.spec_of(world, state, route.model, target))


def _switch(world: World, env: str, model: str, target: ModelVersion) -> DidNotAnswer | None:
    """All traffic to the target, at once; then, whether it answers: the error to end with where it does not."""
    serving = world.platform.serving
    others = {arm.version: 0 for arm in serving.route(env, model).arms}
    serving.set_weights(env, model, {**others, target: 100})
    return answering.see_answer(world, env, model, target)


def _record(world: World, env: str, model: str, target: ModelVersion) -> str:
    """Push the tags and the events of what was taken back; returns the newest tag, "" where all stood."""
    pushed: list[str] = []

    def make(state: State) -> Batch:
        pushed.clear()
        number = tags.next_number(world.facts, state, env, model)
        begun = resolve.unrecorded(world, state, env, model).items()
        events = [
            _event(Promotion(env, model, n), bad, target, why) for n, (bad, why) in enumerate(begun, number)
        ]
        asked = [_tag(world, state, event) for event in events]
        pushed.extend(tag.name for tag in asked)
        return Batch(events=events, tags=asked)

    world.append(make)
    return pushed[-1] if pushed else ""


def _event(promotion: Promotion, bad: ModelVersion, target: ModelVersion, why: str) -> ev.RolledBack:
    return ev.RolledBack(
        env=promotion.env,
        model=promotion.model,
        n=promotion.n,
        taken_back=str(bad),
        to=str(target),
        by=ev.By.PERSON,
        why=why,
    )


def _tag(world: World, state: State, event: ev.RolledBack) -> NewTag:
    target = ModelVersion.parse(event.to)
    released = state.release(world.policy.pipeline, target.release)
    undone = _promotion_of(state, event.promotion, event.taken_back)
    wanted = tags.Details(model_version=target, reason=event.why, rollback_of=undone)
    return tags.promotion_tag(event.promotion, released.commit if released else world.facts.head, wanted)


def _promotion_of(state: State, like: Promotion, version: str) -> Promotion | None:
    """The newest promotion of this place that asked for what was taken back."""
    mine = [
        one.promotion
        for one in state.promotions.values()
        if (one.promotion.env, one.promotion.model) == (like.env, like.model)
        and one.asked is not None
        and one.asked.model_version == version
    ]
    return max(mine, default=None)


def unblock(world: World, model: str, version: str, env: str, reason: str) -> str:
    """Lift a block in the ledger and on the platform; again is a no-op. Returns a sentence."""
    one_of(env, world.policy.environments, "environment")
    one_of(model, world.policy.model_names(), "model")
    wanted = ModelVersion.parse(version)
    if wanted not in resolve.blocks(world, world.state(), env, model):
        resolve.check_registered(world.state(), model, wanted)
        return f"nothing to do: {wanted} is not blocked in {env}"

    def make(state: State) -> Batch:
        if wanted not in state.place(env, model).blocks:
            return Batch()
        event = ev.Unblocked(env=env, model=model, model_version=version, by=world.author.actor, why=reason)
        return Batch(events=[event])

    world.platform.rollouts.unblock(
        env, model, wanted
    )  # first: one the ledger forgot is taken for a rollback
    world.append(make)
    return f"{wanted} may be promoted to {env} again"
