"""`tagline adopt`: a person settles what the ledger does not know: promotion tags, and what a lost ledger held."""

import msgspec

from tagline.errors import BadWord, NoModel, TaskContractBroken
from tagline.flow.promoting.resolve import machine_of
from tagline.flow.releasing.owners import owner_prefix
from tagline.flow.releasing.registering import models_of, trained
from tagline.flow.world import World
from tagline.git import releases, tags
from tagline.git.events import Adopted, AnyEvent, Released, Uploaded
from tagline.git.facts import Tag
from tagline.git.ledger import Batch
from tagline.git.state import State
from tagline.pipeline.identity import content_digest
from tagline.platforms import Arm, ModelFacts, RunState
from tagline.words import Promotion

LOST = "lost"


class Found(msgspec.Struct):
    """What is to be written, and what to say of it."""

    events: list[AnyEvent]
    said: list[str]


def adopt(world: World, reason: str) -> str:
    """Record every open promotion as settled, with what the platform serves; returns a sentence.

    Releases that tagline made and that the ledger lost are recorded again, with what this platform was given
    and the models that serve here: they can be promoted over, and gone back to. Tags that nobody can read are
    named and ignored from then on. Again is a no-op.
    """
    found = Found([], [])

    def make(state: State) -> Batch:
        found.events, found.said = [], []
        _releases(world, state, found)
        _models(world, state, found)
        _places(world, state, reason, found)
        return Batch(events=found.events)

    world.append(make, may_be_missing=True)
    return "adopted " + "; ".join(found.said) if found.said else "nothing to do: nothing is unsettled"


def _releases(world: World, state: State, found: Found) -> None:
    """Releases by their tags, which tagline pushed together with an event that is gone."""
    made = releases.made(world.repo, world.facts)
    for named, tag in sorted(made.items(), key=lambda one: (one[0].pipeline, one[0].release)):
        pipeline, release = named.pipeline or _before(world, tag), named.release
        if state.release(pipeline, release):
            continue
        kept = world.platform.pipelines.version(pipeline, release)
        here = kept if kept and kept.commit == tag.commit else None
        identity = here.identity if here else LOST
        known = {"pipeline": pipeline, "version": str(release)}
        several = bool(named.pipeline)
        found.events.append(Released(**known, commit=tag.commit, identity=identity, several=several))
        if here:
            found.events.append(Uploaded(**known, digest=content_digest(here.compiled)))
        found.said.append(f"release {release}" + ("" if here else ", which is not on this platform"))


def _before(world: World, tag: Tag) -> str:
    """The pipeline of a plain release tag: the repository's only one, or the one that it was at that commit."""
    if not world.policy.several:
        return world.policy.pipeline
    return world.own_config(tag.commit).title


def _models(world: World, state: State, found: Found) -> None:
    """The models behind a route here that are registered nowhere."""
    for env in world.policy.environments:
        for model in world.policy.model_names():
            for arm in world.platform.serving.route(env, model).arms:
                seen = [one.sha256 for one in found.events if hasattr(one, "sha256")]
                if arm.uri and not state.trained(model, arm.version) and arm.sha256 not in seen:
                    part = world.of_model(model)
                    owner, facts = _origin(part, model, arm)
                    found.events.append(trained(part.policy.pipeline, model, arm.version, owner, facts))
                    found.said.append(f"model {model} {arm.version}")


def _origin(world: World, model: str, arm: Arm) -> tuple[str, ModelFacts]:
    """The run that made a served model and its facts; a key of its own where no run here did."""
    pipeline, release = world.policy.pipeline, arm.version.release
    kept = world.platform.pipelines.version(pipeline, release)
    for run in world.platform.pipelines.runs(owner_prefix(pipeline, release)):
        if kept is None or run.state is not RunState.SUCCEEDED:
            continue
        try:
            facts = models_of(world, run, kept).get(model)
        except (NoModel, TaskContractBroken):
            continue
        if facts and facts.uri == arm.uri:
            return run.owner, facts
    return f"adopted/{model}/{arm.version}", ModelFacts(arm.uri, arm.sha256)


def _places(world: World, state: State, reason: str, found: Found) -> None:
    newest, unread = _newest(world, state)
    for (env, model), number in sorted(newest.items()):
        serves = world.platform.serving.route(env, model).main
        found.said.append(f"{env}/{model} up to number {number}: {serves or 'nothing'} serves")
        found.events.append(
            Adopted(env=env, model=model, n=number, reason=reason, serves=str(serves or ""), ignored=unread)
        )


def _newest(world: World, state: State) -> tuple[dict[tuple[str, str], int], list[str]]:
    """The highest unsettled number of each (environment, model), and the names of unreadable tags.

    A place that another machine served is unsettled too: adopting takes it over.
    """
    newest: dict[tuple[str, str], int] = {}
    unread: list[str] = []
    for name in world.facts.tags:
        if not tags.is_request(name) or name in state.ignored:
            continue
        promotion = _read(name)
        if promotion is None:
            unread.append(name)
        elif not state.ended(promotion):
            place = (promotion.env, promotion.model)
            newest[place] = max(newest.get(place, 0), promotion.n)
    for env, model in state.places:
        if machine_of(world, env, model) not in {"", world.platform.machine}:
            newest.setdefault((env, model), state.last_number(env, model))
    return newest, sorted(unread)


def _read(name: str) -> Promotion | None:
    try:
        return tags.parse(name)
    except BadWord:
        return None
