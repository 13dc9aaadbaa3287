"""What is asked, decided and served, and where they disagree; and the next sensible command."""

import time
from datetime import UTC, datetime

import msgspec

from tagline.flow.promoting import resolve
from tagline.flow.releasing.owners import owner_prefix
from tagline.flow.releasing.registering import register_finished, unregistered
from tagline.flow.world import World
from tagline.git import tags
from tagline.git.state import State
from tagline.git.state import Status as Promotions
from tagline.words import ModelVersion, Promotion, Release


class PlaceStatus(msgspec.Struct, frozen=True):
    """One model in one environment: the three truths, the blocks, and where the truths disagree.

    `asked` is the newest promotion and what it asks for, `asked_open` whether it has no end yet. `weights`
    are percent by version, as the platform records them, also while it is down. `elsewhere` names the machine
    whose local platform decided, where it is not this one.
    """

    env: str
    model: str
    asked: str = ""
    asked_version: str = ""
    asked_open: bool = False
    ended: str = ""
    decided: str = ""
    serves: str = ""
    weights: dict[str, int] = {}
    url: str = ""
    up: bool = True
    elsewhere: str = ""
    blocked: dict[str, str] = {}
    disagree: list[str] = []


class ReleaseStatus(msgspec.Struct, frozen=True):
    """A release, its registered models and its trainings that are not registered; `pipeline` of several."""

    release: str
    commit: str
    models: list[str] = []
    trainings: list[str] = []
    pipeline: str = ""


class Status(msgspec.Struct, frozen=True):
    """Everything `tagline status` shows; `as_of` is when the remote was last looked at (ISO 8601, UTC).

    `offline`: it did not answer now. `unreadable` are tags that claim to be promotions and that nobody can act on.
    `unfinished` says what somebody began to push, piece by piece, and was cut short in; `next` then completes it.
    """

    pipeline: str
    platform: str
    as_of: str
    releases: list[ReleaseStatus]
    places: list[PlaceStatus]
    next: str
    offline: bool = False
    unreadable: list[str] = []
    unfinished: str = ""


COMPLETES = "tagline ci --event schedule"
SHOWN_RELEASES = 5


def status(world: World) -> Status:
    """Read all three truths; registers finished trainings first, as any command on the local platform may."""
    if not world.offline and not world.platform.pipelines.detached:
        register_finished(world)
    state = world.state()
    places = [
        _place(world, state, env, model)
        for env in world.policy.environments
        for model in world.policy.model_names()
        if world.platform.serves
    ]
    releases = [one for part in world.parts() for one in _releases(part, state)]
    shown = [one for part in world.parts() for one in _releases(part, state)[:SHOWN_RELEASES]]
    return Status(
        pipeline=world.policy.title,
        platform=f"{world.platform.name} ({world.platform.machine})",
        as_of=_as_of(world),
        releases=shown,
        places=places,
        next=_next(world, state, releases, places),
        offline=world.offline,
        unreadable=tags.malformed(world.facts, state),
        unfinished=unfinished(state),
    )


def unfinished(state: State) -> str:
    """What was begun on a host that takes no refs as one, and has no end; "" where there is nothing."""
    begun = state.pending
    return f"{begun.actor or 'somebody'} {begun.sentence()} and was cut short" if begun else ""


def _as_of(world: World) -> str:
    return datetime.fromtimestamp(world.facts.as_of or time.time(), UTC).isoformat(timespec="seconds")


def _releases(world: World, state: State) -> list[ReleaseStatus]:
    """Releases of this pipeline, newest first."""
    pipeline = world.policy.pipeline
    mine = sorted((release for name, release in state.releases if name == pipeline), reverse=True)
    return [_release(world, state, release) for release in mine]


def _release(world: World, state: State, release: Release) -> ReleaseStatus:
    pipeline = world.policy.pipeline
    models = [str(one) for name in world.policy.model_names() for one in state.versions(name, release)]
    runs = world.platform.pipelines.runs(owner_prefix(pipeline, release))
    why = {
        one.run.owner: f", not registered: {one.problem.what}" for one in unregistered(world, state).unclear
    }
    waiting = [run for run in runs if not state.trained_by(run.owner)]
    trainings = [f"{run.owner}: {run.state}{why.get(run.owner, '')}" for run in waiting]
    commit = state.releases[pipeline, release].commit
    return ReleaseStatus(str(release), commit, models, trainings, pipeline if world.policy.several else "")


def _place(world: World, state: State, env: str, model: str) -> PlaceStatus:
    place, route = state.place(env, model), world.platform.serving.route(env, model)
    newest, asked_version = _newest(world, state, env, model)
    known = state.promotions.get(newest) if newest else None
    held = resolve.blocks(world, state, env, model)
    theirs = resolve.machine_of(world, env, model)
    found = PlaceStatus(
        env=env,
        model=model,
        asked=str(newest or ""),
        asked_version=asked_version,
        asked_open=newest is not None and not state.ended(newest),
        ended=str(known.status) if known else "",
        decided=str(place.serves or ""),
        serves=str(route.main or ""),
        weights={str(arm.version): arm.weight for arm in route.arms},
        url=route.url,
        up=route.up,
        elsewhere="" if theirs == world.platform.machine else theirs,
        blocked={str(version): f"{block.by}: {block.why}" for version, block in held.items()},
    )
    return msgspec.structs.replace(found, disagree=_disagree(found))


def _newest(world: World, state: State, env: str, model: str) -> tuple[Promotion | None, str]:
    mine = tags.requests_of(world.facts, state, env, model)
    if not mine:
        return None, ""
    known = state.promotions.get(mine[-1].promotion)
    if known and known.asked:
        return mine[-1].promotion, known.asked.model_version
    return mine[-1].promotion, str(tags.details(world.repo, mine[-1]).model_version or "")


def _disagree(place: PlaceStatus) -> list[str]:
    if place.elsewhere:
        return [
            f"decided on the local platform of {place.elsewhere}: what it serves cannot be seen from here"
        ]
    said = []
    if place.decided != place.serves:
        said.append(
            f"the ledger says {place.decided or 'nothing'} serves, the platform {place.serves or 'nothing'}"
        )
    if place.decided in place.blocked:
        said.append(f"{place.decided} was taken back here, which the ledger does not know yet")
    if place.serves and not place.up:
        said.append(f"{place.serves} is recorded as serving, but the local platform is down")
    if place.asked_open:
        said.append(f"{place.asked} asks for {place.asked_version or 'a model'}, and is not decided")
    return said


def _next(world: World, state: State, releases: list[ReleaseStatus], places: list[PlaceStatus]) -> str:
    """The next sensible command; a place that another machine decided is only taken over where all are.

    What was begun comes before all else: nothing can be written before its end.
    """
    if state.pending:
        return COMPLETES
    if places and all(place.elsewhere for place in places):
        return f"tagline adopt --reason 'moved from {places[0].elsewhere}'"
    places = [place for place in places if not place.elsewhere]
    down = any(place.serves and not place.up for place in places)
    waiting = next((place for place in places if place.asked_open), None)
    torn = next((place for place in places if place.disagree and not place.asked_open and place.up), None)
    undone = next((place for place in places if place.serves and place.decided in place.blocked), None)
    lost = next((place for place in places if place.decided and place.up and not place.serves), None)
    if down:
        return "tagline local up"
    if lost:
        return f"tagline rollback {lost.model} --env {lost.env} --to {lost.decided}"
    if undone:
        to = "" if undone.serves in undone.blocked else f" --to {undone.serves}"
        return f"tagline rollback {undone.model} --env {undone.env}{to}"
    if waiting:
        return f"tagline ci --event tag --ref {waiting.asked}"
    if torn:
        return (
            f"tagline rollback {torn.model} --env {torn.env} --to {torn.decided}"
            if torn.decided
            else "tagline adopt --reason '…'"
        )
    if not releases:
        return "tagline ci"
    if not releases[0].models:
        of = f" --pipeline {releases[0].pipeline}" if releases[0].pipeline else ""
        return f"tagline train --release {releases[0].release}{of}"
    return _promotion_hint(world, state, places)


def _refused(state: State, place: PlaceStatus) -> set[str]:
    """Versions that the gate has refused here: asking again would give the same answer."""
    here = [
        one
        for one in state.promotions.values()
        if (one.promotion.env, one.promotion.model) == (place.env, place.model)
    ]
    return {one.asked.model_version for one in here if one.asked and one.status is Promotions.REFUSED}


def _promotion_hint(world: World, state: State, places: list[PlaceStatus]) -> str:
    """Promote the newest model that the gate has not refused, where something older serves; else the history."""
    for place in places:
        out = {*place.blocked, *_refused(state, place)}
        fit = [one.version for one in state.models.get(place.model, ()) if one.model_version not in out]
        policy = world.of_model(place.model).policy
        if policy.gate and policy.serving and fit and str(max(fit)) != place.serves:
            behind = not place.serves or max(fit) > ModelVersion.parse(place.serves)
            if behind:
                return f"tagline promote {place.model} --to {place.env} --version {max(fit)}"
    return "tagline history"
