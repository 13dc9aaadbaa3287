"""A release, in the order that never wedges a version: environment, compile, smoke, then claim, upload.

Between the two halves an agent may hand over to another: `Built` is all that passes from one to the other.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tagline.config import Config
from tagline.errors import LostRace, StateTampered
from tagline.flow.releasing import images, training
from tagline.flow.report import Said, StepReport, done, nothing
from tagline.flow.world import World
from tagline.git.events import Released, Uploaded
from tagline.git.ledger import Batch
from tagline.git.objects import NewTag
from tagline.git.state import State
from tagline.git.versions import NextVersion, next_version
from tagline.pipeline import compile as compiling
from tagline.pipeline import compiled as compiled_file
from tagline.pipeline.identity import content_digest
from tagline.pipeline.project import Project
from tagline.words import Release

CLAIM_TRIES = 5


class Built(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a release is made of: a commit's pipeline, compiled with the environment's identity as its image.

    `compiled` is the compiled file's text.
    """

    commit: str
    pipeline: str
    identity: str
    compiled: str


class Ready(msgspec.Struct, frozen=True):
    """A commit made ready to run: its tree without the gate's data, its image or environment, its compiled file."""

    commit: str
    own: Config
    tree: Path
    identity: str
    compiled: Path

    def smoke(self, world: World) -> StepReport:
        """The smoke training of this content."""
        content = training.Content(self.compiled, self.tree, self.identity[-16:])
        return training.run_smoke(world.platform.pipelines, world.told, self.own, content)

    def built(self) -> Built:
        """What a release of this content is made of."""
        return Built(self.commit, self.own.pipeline, self.identity, self.compiled.read_text())


@contextmanager
def prepared(world: World, commit: str, *, known: str = "", push: bool = True) -> Iterator[Ready]:
    """Export a commit, make its image or environment, compile its pipeline with that in the image's place.

    `known` is the identity that a release was claimed with: nothing is built again. Without `push` an image
    stays on this machine.
    """
    own = world.own_config(commit)
    with world.work_folder() as folder:
        tree = _exported(world, commit, folder)
        identity = known or images.identity(world, tree, own, push=push)
        compiled = folder / "pipeline.yaml"
        compiling.compile_file(Project.find(tree, own).pipeline, compiled, world.engine.run)
        compiling.substitute_image(compiled, identity)
        world.platform.pipelines.place(compiled)
        yield Ready(commit, own, tree, identity, compiled)


def _exported(world: World, commit: str, folder: Path) -> Path:
    """A commit's tree without the gate's data: no training can have seen it."""
    hidden = {*world.own_config(commit).held_out(), *world.policy.held_out()}
    tree = folder / "tree"
    world.repo.export(commit, tree, exclude=sorted(hidden))
    return tree


def smoke_release(world: World) -> tuple[StepReport, Built]:
    """The first half of HEAD's release: image or environment, compile, smoke training; safe to repeat.

    Raises the errors of compiling and running (30–39). Nothing leaves this machine but an image named by its content,
    and no version exists.
    """
    world.repo.require_clean(untracked=False)
    with prepared(world, world.facts.head) as ready:
        return ready.smoke(world), ready.built()


class Got(msgspec.Struct, frozen=True):
    """What became of a planned release: the version that was claimed, or None and why there is none to claim."""

    release: Release | None
    why: str = ""


def claim_all(world: World, wanted: Mapping[str, tuple[Built, Release]]) -> dict[str, Got]:
    """Claim what was built, in this process or by another agent, by pipeline: all in one push; safe to repeat.

    None of the repository's code runs. Raises the errors of pushing (17–19), `StateTampered` for what is not
    HEAD's. Where somebody else was first, the version is computed anew.
    """
    world.repo.require_clean(untracked=False)
    for built, _ in wanted.values():
        _require_own(world.of(built.pipeline), built)
    left = dict(wanted)
    got: dict[str, Got] = {}
    for _ in range(CLAIM_TRIES):
        if claim(world, list(left.values())):
            return {**got, **{pipeline: Got(release) for pipeline, (_, release) in left.items()}}
        world.refresh()
        for pipeline, (built, release) in list(left.items()):
            found = next_of(world.of(pipeline))
            if found.release is None and found.at_head != release:
                got[pipeline] = Got(None, f"{release} went to another commit; {found.reason}")
                del left[pipeline]
            elif found.release and found.release != release:
                why = f"{release} went to another commit; now {found.release}: {found.reason}"
                world.told(Said(why))
                left[pipeline] = (built, found.release)
    raise LostRace(f"other releases kept taking the version, {CLAIM_TRIES} times", fix="tagline ci again")


def upload_claimed(world: World, built: Built, got: Got) -> StepReport:
    """Upload what was claimed; nothing where it was not. Safe to repeat."""
    if got.release is None:
        return nothing("release", got.why)
    name_image(world, built, got.release)
    upload(world, built, got.release)
    tag = world.scope().tag(got.release)
    return done("release", f"{built.pipeline} {got.release}", release=str(got.release), tag=tag)


def _require_own(world: World, built: Built) -> None:
    """Raise `StateTampered` for a build of another commit, or whose images are not its environment."""
    found = {
        one.get("image")
        for one in compiled_file.parse(built.compiled, "what was built").containers().values()
    }
    expected = (world.facts.head, world.own_config(world.facts.head).pipeline)
    if (built.commit, built.pipeline) != expected or found - {built.identity}:
        raise StateTampered(
            f"what passed its smoke training is not the pipeline of HEAD {world.facts.head[:10]}",
            where=built.commit,
            fix="begin again with an empty state directory",
        )


def next_of(world: World, commit: str = "") -> NextVersion:
    """The version that HEAD, or another commit, would get, or why it gets none."""
    facts = msgspec.structs.replace(world.facts, head=commit) if commit else world.facts
    pipeline = world.policy.pipeline
    if world.platform.pipelines.detached:  # a server others share: its versions are ours by the ledger alone
        return next_version(world.repo, facts, world.state(), world.scope())
    published = {one.release: one.commit for one in world.platform.pipelines.versions(pipeline)}
    # the platform may hold another repository's pipeline of the same name
    known = {release: commit for release, commit in published.items() if world.repo.has(commit)}
    return next_version(world.repo, facts, world.state(), world.scope(), published=known)


def finish_release(world: World, release: Release) -> StepReport:
    """Upload a release that was claimed; its commit is made ready again, and gives the same content."""
    claimed = world.state().releases[world.policy.pipeline, release]
    with prepared(world, claimed.commit, known=claimed.identity) as ready:
        name_image(world, ready.built(), release)
        upload(world, ready.built(), release)
    return done("release", f"{world.policy.pipeline} {release} uploaded", release=str(release))


def claim(world: World, wanted: Sequence[tuple[Built, Release]]) -> bool:
    """Tags and `released` events in one atomic push; False, with nothing pushed, where one of the versions, or a
    newer one, went to another commit."""
    won: list[bool] = []

    def make(state: State) -> Batch:
        free = [_free(state, built, release) for built, release in wanted]
        won[:] = [all(free)]
        new = [one for one in wanted if state.release(one[0].pipeline, one[1]) is None] if all(free) else []
        return Batch(events=[_released(world, *one) for one in new], tags=[_tag(world, *one) for one in new])

    world.append(make)
    return won[0]


def _free(state: State, built: Built, release: Release) -> bool:
    """Whether a version is this build's already, or nobody's and the newest."""
    mine = state.release(built.pipeline, release)
    if mine:
        return mine.commit == built.commit
    return not any(name == built.pipeline and one > release for name, one in state.releases)


def _released(world: World, built: Built, release: Release) -> Released:
    return Released(
        pipeline=built.pipeline,
        version=str(release),
        commit=built.commit,
        identity=built.identity,
        several=world.policy.several,
    )


def _tag(world: World, built: Built, release: Release) -> NewTag:
    return NewTag(
        world.of(built.pipeline).scope().tag(release), built.commit, f"{built.pipeline} {release}\n"
    )


def name_image(world: World, built: Built, release: Release) -> None:
    """The release's names for its image in the registry, which carries none of them before the claim."""
    names = images.release_names(world.scope().tag(release), built.commit)
    images.name_release(world, world.own_config(built.commit), built.identity, names)


def upload(world: World, built: Built, release: Release) -> None:
    """Put the version on the platform and say so in the ledger; the same again is a no-op."""
    pipeline = built.pipeline
    with world.work_folder() as folder:
        compiled = folder / "pipeline.yaml"
        compiled.write_text(built.compiled)
        tree = _exported(world, built.commit, folder)
        kept = world.platform.pipelines.upload(pipeline, release, built.commit, compiled, tree)

    def make(state: State) -> Batch:
        if (pipeline, release) in state.uploads:
            return Batch()
        digest = content_digest(kept.compiled)
        return Batch(events=[Uploaded(pipeline=pipeline, version=str(release), digest=digest)])

    world.append(make)
