"""Owner keys: which run on a platform belongs to which release, and which number the next one gets."""

from collections.abc import Iterable, Sequence

from tagline import config, platform_file
from tagline.config import Config
from tagline.errors import NameTaken, NotReleased
from tagline.flow.world import World
from tagline.git.state import State
from tagline.platforms import Run, RunState, UploadedVersion
from tagline.words import Release

FULL = "full"
SMOKE = "smoke"


def owner_prefix(pipeline: str, release: Release) -> str:
    """What the owner keys of a release's trainings begin with."""
    return f"{pipeline}/{release}/{FULL}/"


def numbered(prefix: str, runs: Sequence[Run]) -> list[Run]:
    """The runs under a prefix that a call started as such; those of schedules are named by their ticks instead."""
    return [run for run in runs if run.owner.removeprefix(prefix).isdigit()]


def next_owner(prefix: str, before: list[Run], recorded: Iterable[str] = ()) -> str:
    """The owner key of the next run: an interrupted or running one is taken up again, a finished one is not.

    `before` are the runs of this platform under the prefix, oldest first, `recorded` owner keys that the
    ledger knows, from whatever machine: no key is used for two trainings.
    """
    taken = {owner for owner in recorded if owner.startswith(prefix)}
    mine = numbered(prefix, before)
    last = mine[-1] if mine else None
    if last and last.state in {RunState.INTERRUPTED, RunState.RUNNING} and last.owner not in taken:
        return last.owner
    tails = [owner.removeprefix(prefix) for owner in (*taken, *(run.owner for run in mine))]
    numbers = [int(tail) for tail in tails if tail.isdigit()]
    return f"{prefix}{max(numbers, default=0) + 1}"


def recorded_owners(state: State) -> set[str]:
    """The owner keys of every training that the ledger knows."""
    return {one.owner for versions in state.models.values() for one in versions}


def config_of(world: World, version: UploadedVersion) -> Config:
    """tagline.yaml as the released tree has it, with the platform file's defaults."""
    if version.source is None:
        return world.own_config(version.commit).of(version.pipeline)
    file = version.source / config.FILE
    text = file.read_text() if file.exists() else ""
    where = f"{config.FILE} of {version.release}"
    return platform_file.read(text, where, version.pipeline, world.defaults()).of(version.pipeline)


def uploaded(world: World, pipeline: str, release: Release) -> UploadedVersion:
    """A release as this platform has it; raises `NotReleased` where it has none, `NameTaken` for a stranger's."""
    version = world.platform.pipelines.version(pipeline, release)
    if version is None:
        claimed = world.state().release(pipeline, release)
        tag = claimed.tag if claimed else release.tag
        raise NotReleased(
            f"release {release} is not on this platform ({world.platform.machine})",
            fix=f"git fetch {world.repo.remote()} tag {tag} && git checkout {tag} && tagline release",
        )
    released = world.state().release(pipeline, release)
    if released is not None and released.commit != version.commit:
        raise name_taken(world, pipeline)
    return version


def check_name(world: World) -> None:
    """Raise `NameTaken` where the platform has versions of this pipeline, and none from this repository.

    A version is ours where a tag stands on its commit, or the commit is here.
    """
    pipeline = world.policy.pipeline
    if (
        world.platform.pipelines.detached
    ):  # the repository's mark stands on the server, and an upload looks at it
        return
    versions = world.platform.pipelines.versions(pipeline)
    tagged = {tag.commit for tag in world.facts.tags.values()}
    strange = [one for one in versions if one.commit not in tagged]
    if versions and len(strange) == len(versions) and not any(world.repo.has(one.commit) for one in versions):
        raise name_taken(world, pipeline)


def name_taken(world: World, pipeline: str) -> NameTaken:
    """The error of a pipeline whose name another repository uses on this platform."""
    return NameTaken(
        f"the pipeline {pipeline!r} on this platform ({world.platform.machine}) is another repository's",
        where=str(world.home),
        fix="give one of them another name (pipeline: in tagline.yaml), or a platform of its own (TAGLINE_HOME); "
        "one that is gone for good is forgotten by: tagline local down && rm -r the folder above",
    )
