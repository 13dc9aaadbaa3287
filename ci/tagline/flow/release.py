"""A release, in the order that never wedges a version: environment, compile, smoke, claim, upload."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tagline.config import Config
from tagline.errors import LostRace
from tagline.flow import images, training
from tagline.flow.report import Said, StepReport, done, nothing
from tagline.flow.world import World
from tagline.git.events import Released, Uploaded
from tagline.git.ledger import Batch
from tagline.git.objects import NewTag
from tagline.git.state import State
from tagline.git.versions import NextVersion, next_version
from tagline.pipeline import compile as compiling
from tagline.pipeline.identity import content_digest
from tagline.pipeline.project import Project
from tagline.words import Release

CLAIM_TRIES = 5


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


@contextmanager
def prepared(world: World, commit: str, *, known: str = "", push: bool = True) -> Iterator[Ready]:
    """Export a commit, make its image or environment, compile its pipeline with that in the image's place.

    The gate's data is left out of the tree: no training can have seen it. `known` is the identity that a
    release was claimed with: nothing is built again. Without `push` an image stays on this machine.
    """
    own = world.own_config(commit)
    hidden = {config.gate.data for config in (own, world.policy) if config.gate}
    with world.work_folder() as folder:
        tree = folder / "tree"
        world.repo.export(commit, tree, exclude=sorted(hidden))
        identity = known or images.identity(world, tree, own, push=push)
        compiled = folder / "pipeline.yaml"
        compiling.compile_file(Project.find(tree).pipeline, compiled, world.engine.run)
        compiling.substitute_image(compiled, identity)
        yield Ready(commit, own, tree, identity, compiled)


def make_release(world: World, release: Release) -> StepReport:
    """Everything of a new release but its training; safe to repeat from any point.

    Raises the errors of compiling, running (30–39) and pushing (17–19). Nothing that carries the version
    leaves this machine before the claim; where somebody else was first, the version is computed anew.
    """
    world.repo.require_clean(untracked=False)
    with prepared(world, world.facts.head) as ready:
        world.told(ready.smoke(world))
        for _ in range(CLAIM_TRIES):
            if claim(world, ready, release):
                name_image(world, ready, release)
                upload(world, ready, release)
                return done(
                    "release", f"{ready.own.pipeline} {release}", release=str(release), tag=release.tag
                )
            world.refresh()
            found = next_of(world)
            if found.release is None:
                return nothing("release", f"{release} went to another commit; {found.reason}")
            world.told(Said(f"{release} went to another commit; now {found.release}: {found.reason}"))
            release = found.release
    raise LostRace(f"other releases kept taking the version, {CLAIM_TRIES} times", fix="tagline ci again")


def next_of(world: World) -> NextVersion:
    """The version that HEAD would get, or why it gets none."""
    pipeline = world.policy.pipeline
    published = {one.release: one.commit for one in world.platform.pipelines.versions(pipeline)}
    known = {release: commit for release, commit in published.items() if _ours(world, commit)}
    return next_version(world.repo, world.facts, world.state(), pipeline, world.policy.paths, published=known)


def _ours(world: World, commit: str) -> bool:
    """Whether a commit is this repository's: the platform may hold another's pipeline of the same name."""
    return world.repo.ask("cat-file", "-e", f"{commit}^{{commit}}").code == 0


def finish_release(world: World, release: Release) -> StepReport:
    """Upload a release that was claimed; its commit is made ready again, and gives the same content."""
    claimed = world.state().releases[world.policy.pipeline, release]
    with prepared(world, claimed.commit, known=claimed.identity) as ready:
        name_image(world, ready, release)
        upload(world, ready, release)
    return done("release", f"{world.policy.pipeline} {release} uploaded", release=str(release))


def claim(world: World, ready: Ready, release: Release) -> bool:
    """Tag and `released` in one atomic push; False where the version, or a newer one, went to another commit."""
    won: list[bool] = []

    def make(state: State) -> Batch:
        mine = state.release(ready.own.pipeline, release)
        newer = [one for name, one in state.releases if name == ready.own.pipeline and one > release]
        won[:] = [mine.commit == ready.commit if mine else not newer]
        if mine is not None or newer:
            return Batch()
        event = Released(
            pipeline=ready.own.pipeline,
            version=str(release),
            commit=ready.commit,
            identity=ready.identity,
        )
        return Batch(
            events=[event], tags=[NewTag(release.tag, ready.commit, f"{event.pipeline} {release}\n")]
        )

    world.append(make)
    return won[0]


def name_image(world: World, ready: Ready, release: Release) -> None:
    """The release's names for its image in the registry, which carries none of them before the claim."""
    names = images.release_names(release, ready.commit)
    images.name_release(world, ready.own, ready.identity, names)


def upload(world: World, ready: Ready, release: Release) -> None:
    """Put the version on the platform and say so in the ledger; the same again is a no-op."""
    pipeline = ready.own.pipeline
    kept = world.platform.pipelines.upload(pipeline, release, ready.commit, ready.compiled, ready.tree)

    def make(state: State) -> Batch:
        if (pipeline, release) in state.uploads:
            return Batch()
        digest = content_digest(kept.compiled)
        return Batch(events=[Uploaded(pipeline=pipeline, version=str(release), digest=digest)])

    world.append(make)
