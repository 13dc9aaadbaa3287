"""What doctor says of images: the engine that builds and runs them, BuildKit's command, the registry."""

from collections.abc import Callable, Iterator, Mapping

from tagline.config import Config, EngineName, Image
from tagline.errors import RegistryRefused, TaglineError
from tagline.flow.releasing.images import ENGINE_VARIABLE, engine_name

Line = tuple[str, str, str]
_BUILDX_NEEDED_FROM = 23  # an older docker command has a BuildKit client of its own


def examine_images(own: Config, environ: Mapping[str, str]) -> Iterator[Line]:
    """Level, sentence and remedy of each finding; none where tagline.yaml has no image.

    The registry is asked for a tag, and an upload is begun and given up: nothing is kept. Raises `ConfigError` for
    an engine that is none.
    """
    said = {environ.get(ENGINE_VARIABLE), own.engine}
    if own.image == Image() and not said & {EngineName.DOCKER, EngineName.DAGGER}:
        return
    name = engine_name(own, environ)
    if name is EngineName.DAGGER:
        for look in (_dagger, _registry):
            yield from _safely(look, own, environ)
        return
    if name is EngineName.DOCKER:
        for look in (_engine, _buildx, _registry):
            yield from _safely(look, own, environ)
    elif EngineName.AUTO in said:
        yield "note", "no Docker engine answers: engine auto takes host processes, and no image", "start it"
    else:
        yield "note", f"tagline.yaml has an image, and engine {name} makes none", "engine: docker"


def _safely(
    look: Callable[[Config, Mapping[str, str]], Iterator[Line]], own: Config, environ: Mapping[str, str]
) -> Iterator[Line]:
    try:
        yield from look(own, environ)
    except TaglineError as error:
        yield "missing", f"{error.what} ({error.where})" if error.where else error.what, error.fix


def _engine(own: Config, environ: Mapping[str, str]) -> Iterator[Line]:
    from tagline.engines.docker import client

    with client.connected(environ) as engine:
        version = engine.version()["Version"]
    yield "ok", f"the Docker engine {version} at {client.host_of(environ)} answers", ""


def _dagger(own: Config, environ: Mapping[str, str]) -> Iterator[Line]:
    from tagline.engines.dagger import runner

    runner.require(environ)
    yield "ok", f"the Dagger engine at {environ[runner.RUNNER_VARIABLE]} answers", ""


def _buildx(own: Config, environ: Mapping[str, str]) -> Iterator[Line]:
    from tagline.engines.docker import client
    from tagline.engines.docker.builder import OLD, DockerBuilder

    builder = DockerBuilder(environ)
    version = builder.buildx_version()
    if not version and builder.command_version() >= _BUILDX_NEEDED_FROM:
        fix = "apt-get install docker-buildx; of Docker's own packages: docker-buildx-plugin"
        yield "missing", "docker buildx is not here: no image can be built", fix
        return
    if not client.answers(environ):
        return  # said already; without it nobody knows what it can do
    if builder.exports_archives():
        yield "ok", f"docker buildx {version} builds the same bytes again", ""
    else:
        yield "note", "images are built, and not reproducible: the same content may give other bytes", OLD


def _registry(own: Config, environ: Mapping[str, str]) -> Iterator[Line]:
    from tagline.images.making import place_of
    from tagline.images.registry import Repository

    if not own.image.repository:
        yield (
            "note",
            "tagline.yaml names no image.repository: nothing is pushed",
            "image: {repository: HOST/PATH}",
        )
        return
    place = place_of(own)
    repository = Repository(place, environ)
    repository.digest("latest")
    try:
        repository.try_push()
    except RegistryRefused as error:
        fix = f"{error.fix or 'ask for the right to push'}; or leave releases to CI"
        yield "note", f"this machine may pull from {place.written} and not push: {error.what}", fix
        return
    yield "ok", f"the registry {place.host} answers, and lets this machine push to {place.path}", ""
