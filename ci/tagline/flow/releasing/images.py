"""Images in the flow: which engine runs the tasks, the image of a commit, its names in the registry."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from tagline import config
from tagline.config import Config, EngineName
from tagline.errors import ConfigError, EventNotUsable
from tagline.flow.report import Report, Said, StepReport, Told, done, nothing, perform

if TYPE_CHECKING:
    from tagline.flow.world import World
    from tagline.images import Builder
    from tagline.images.making import Made, Maker, Source
    from tagline.secrets.sources import Names

ENGINE_VARIABLE = "TAGLINE_ENGINE"


def engine_name(own: Config, environ: Mapping[str, str]) -> EngineName:
    """The engine of this call: TAGLINE_ENGINE, else `engine:`; `auto` is the best that answers."""
    named = environ.get(ENGINE_VARIABLE) or own.engine
    try:
        wanted = EngineName(named)
    except ValueError:
        known = ", ".join(EngineName)
        raise ConfigError(f"{ENGINE_VARIABLE} is {named!r}, not one of {known}") from None
    if wanted is not EngineName.AUTO:
        return wanted
    from tagline.engines.dagger import runner
    from tagline.engines.docker import client

    if client.answers(environ):
        return EngineName.DOCKER
    return EngineName.DAGGER if runner.ready(environ) else EngineName.PROCESS


def chosen(own: Config, names: "Names", home: Path, told: Told) -> "Maker | None":
    """What makes images on the engine of this call; None on engine `process`. What `auto` took is said."""
    environ = names.environ
    name = engine_name(own, environ)
    if EngineName.AUTO in {environ.get(ENGINE_VARIABLE), own.engine}:
        told(Said(f"engine {name}: the best that answers"))
    return None if name is EngineName.PROCESS else maker(names, home, name)


def maker(names: "Names", home: Path, engine: EngineName) -> "Maker":
    """What makes images here, with Docker or with Dagger; no engine is spoken to before something must be built.

    No layer that is sent holds a secret of `names`: of its variables, of its `.env`.
    """
    from tagline.images.making import Maker

    environ = names.environ

    def builder() -> "Builder":
        if engine is EngineName.DAGGER:
            from tagline.engines.dagger_images import DaggerBuilder, kept_images

            return DaggerBuilder(environ, kept_images(home))
        from tagline.engines.docker.builder import DockerBuilder

        return DockerBuilder(environ)

    return Maker(builder, environ, home / "images", lambda: names.dotenv, engine)


def source_of(tree: Path, own: Config) -> "Source":
    """A source tree as images see it: what git tracks or would track, without the gate's data."""
    from tagline.engines.venvs import task_package
    from tagline.images.making import Source
    from tagline.pipeline.project import listed

    files = sorted(path for path in listed(tree) if str(path) not in own.held_out())
    return Source(tree, files, own, task_package())


def build_work_tree(
    folder: Path, *, push: bool, told: Told, engine: EngineName = EngineName.DOCKER
) -> Report:
    """`tagline build`: the image of the work tree, built by Docker or by Dagger; needs no remote.

    Raises `EventNotUsable` for a push in a job of a pull request, and the errors of making images.
    """
    import os

    from tagline.flow import platforms
    from tagline.flow.checking.work_tree import root_of
    from tagline.flow.world import default_name
    from tagline.platforms.local.home import tagline_home
    from tagline.secrets.sources import Names

    if push:
        refuse_of_pull_request(os.environ)
    root = root_of(folder)
    own = platforms.of_work_tree(root, os.environ, default_name(root.name))
    if push and not own.image.repository:
        raise ConfigError(
            "nothing says where to push", where=config.FILE, fix="image: {repository: HOST/PATH}"
        )
    makes = maker(Names(os.environ, root, own), tagline_home(os.environ), engine)
    return perform(
        Report("build", "work tree"),
        told,
        [("image", lambda: step(makes.make(source_of(root, own), push=push)))],
    )


def refuse_of_pull_request(environ: Mapping[str, str]) -> None:
    """Raise `EventNotUsable` where the CI host says that this job is a pull request's: it builds and never pushes.

    An event that tagline has no meaning for, such as GitHub's pull_request_target, is refused as well.
    """
    from tagline.hosts.call import Trigger
    from tagline.hosts.reading import read_call

    call = read_call(environ)
    if call is not None and call.trigger is Trigger.PULL_REQUEST:
        raise EventNotUsable(
            f"this {call.host} job is a pull request's: it builds its image and never pushes",
            where=call.run.url or call.ref,
            fix="tagline build, without --push; the merge's tagline ci pushes",
        )


def step(made: "Made") -> StepReport:
    """What became of an image, as a step."""
    facts = {
        "reference": made.reference,
        "content": made.content,
        "reproducible": made.built and not made.why_not,
    }
    return (done if made.built else nothing)("image", made.sentence(), **facts)


def identity(world: "World", tree: Path, own: Config, *, push: bool = True) -> str:
    """What stands for a commit's tree in its compiled pipeline: its image, or on engine `process` its environment.

    The tree is without the gate's data. The image reaches the registry if `push`, and is built at most once.
    """
    if world.images is None and world.platform.pipelines.detached:
        raise ConfigError(
            f"platform {world.platform.name} runs every task in an image, and this call makes none (engine process)",
            where=config.FILE,
            fix="engine: docker, and image: {repository: HOST/PATH}",
        )
    if world.images is None:
        world.told(Said("making the environment (once for each lock)"))
        return world.engine.build(tree, serving=own.serving is not None).identity
    made = world.images.make(source_of(tree, own), push=push)
    world.told(step(made))
    return made.reference


def name_release(world: "World", own: Config, reference: str, names: list[str]) -> None:
    """Add a release's names to its image in the registry, after the claim; again is a no-op."""
    from tagline.images.making import place_of
    from tagline.images.registry import Repository

    digest = reference.partition("@")[2]
    if world.images is None or not digest:
        return
    place = place_of(own)
    repository = Repository(place, world.images.environ)
    added = [name for name in names if repository.tag(digest, name)]
    if added:
        world.told(Said(f"tagged {place.written}: {', '.join(added)}"))


def release_names(tag: str, commit: str) -> list[str]:
    """The registry tags of a release: its tag's text without what registries refuse, and its commit."""
    import re

    return [re.sub(r"[^A-Za-z0-9_.-]", "-", tag), f"commit-{commit}"]


def pin_work_tree(root: Path, own: Config, environ: Mapping[str, str]) -> list[str]:
    """`check --fix` on engines docker and dagger: write today's digests into the Dockerfile; a line for each change."""
    from tagline.images.making import pinned, read_text
    from tagline.pipeline.project import listed

    file = root / own.image.dockerfile
    if own.image.base or not file.is_file() or engine_name(own, environ) is EngineName.PROCESS:
        return []
    text, said = pinned(read_text(root, own.image.dockerfile, list(listed(root))), own.image.args, environ)
    if said:
        file.write_text(text)
    return said
