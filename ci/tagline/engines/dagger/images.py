"""The chain that builds an image: a staged folder, its recipe, its secrets, and the tar that it becomes."""

from pathlib import Path
from typing import TYPE_CHECKING

from tagline.engines.dagger.session import Build

if TYPE_CHECKING:
    from dagger import Container, Directory, File

RECIPE = ".tagline-dockerfile"
_OWN_IGNORE = f"{RECIPE}.dockerignore"


def context(build: Build) -> "Directory":
    """The folder with the recipe beside its files, which the recipe's own ignore file keeps out of every `COPY`."""
    from dagger import dag

    ignored = "\n".join([build.ignored.rstrip("\n"), RECIPE, _OWN_IGNORE, ""])
    folder = dag.host().directory(build.context)
    return folder.with_new_file(RECIPE, build.dockerfile).with_new_file(_OWN_IGNORE, ignored)


def image(build: Build) -> "Container":
    """The container that the recipe makes, with its labels; build steps find the secrets by their ids."""
    from dagger import BuildArg, Platform, dag

    secrets = [dag.set_secret(name, Path(file).read_text()) for name, file in sorted(build.secrets.items())]
    made = context(build).docker_build(
        dockerfile=RECIPE,
        platform=Platform(build.platform),
        build_args=[BuildArg(name, value) for name, value in sorted(build.args.items())],
        secrets=secrets,
    )
    for name, value in sorted(build.labels.items()):
        made = made.with_label(name, value)
    return made


def tarball(build: Build) -> "File":
    """The image as a tar in OCI layout; layers are packed as every registry takes them."""
    from dagger import ImageLayerCompression, ImageMediaTypes

    return image(build).as_tarball(
        forced_compression=ImageLayerCompression.GZIP, media_types=ImageMediaTypes.OCI
    )
