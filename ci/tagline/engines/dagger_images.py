"""Builds images with a Dagger engine that runs already, from the recipe that engine docker builds too."""

import hashlib
import json
import shutil
import tarfile
from collections.abc import Mapping
from pathlib import Path

from tagline.engines.dagger import runner, session
from tagline.errors import BuildFailed, EngineError, EngineMissing
from tagline.images import LABEL, Built, Order
from tagline.images.recipe import EPOCH, IGNORE, host_platform

NOT_THE_SAME = "a Dagger engine keeps the times of files in layers"
_LIST = "manifest.json"


def kept_images(home: Path) -> Path:
    """The folder of a home in which images that no registry has are kept as tars."""
    return home / "images/dagger"


class DaggerBuilder:
    """Implements `images.Builder` with the engine that `environ` names; it has no store of images by name.

    What is not pushed is kept as a tar in the folder `kept`: the last image of each repository, which `docker load`
    reads.
    """

    name = "dagger"

    def __init__(self, environ: Mapping[str, str], kept: Path) -> None:
        self._environ, self._kept = environ, kept

    def build(self, order: Order) -> Built:
        """Build to the order's tar, which never gives the same bytes twice.

        Raises `BuildFailed` with the engine's words, `EngineMissing` within seconds, `MissingTool` without dagger-io.
        """
        ready = runner.require(self._environ)
        with order.log.open("w") as log:
            try:
                session.perform(build_of(order), ready, log_to=log)
            except EngineMissing:
                raise
            except EngineError as error:
                raise BuildFailed(error.what, where=str(order.log)) from error
        return Built(order.tar, NOT_THE_SAME)

    def has(self, reference: str) -> bool:
        """Whether the tar that was kept last for this repository is the image of that name."""
        return kept_reference(kept_tar(self._kept, reference)) == reference

    def load(self, tar: Path) -> None:
        """Keep a tar's image in place of the last one of its repository; again is a no-op."""
        place = kept_tar(self._kept, _name(tar))
        place.parent.mkdir(parents=True, exist_ok=True)
        draft = place.with_suffix(".draft")
        shutil.copyfile(tar, draft)
        draft.replace(place)


def kept_tar(kept: Path, reference: str) -> Path:
    """Where the last image of a reference's repository is kept."""
    repository = reference.rpartition(":")[0]
    return kept / f"{hashlib.sha256(repository.encode()).hexdigest()[:16]}.tar"


def kept_reference(place: Path) -> str:
    """The name of the image that is kept there; empty where none is. Raises `BuildFailed` where it has no name."""
    return _name(place) if place.is_file() else ""


def build_of(order: Order) -> session.Build:
    """An order as the client process is told it: the same recipe, label, arguments and secrets as for Docker."""
    ignore = order.context / IGNORE
    return session.Build(
        str(order.context),
        order.dockerfile.read_text(),
        host_platform(),
        str(order.tar),
        {LABEL: order.label},
        ignore.read_text() if ignore.is_file() else "",
        {**order.args, "SOURCE_DATE_EPOCH": str(EPOCH)},
        {name: str(file.absolute()) for name, file in order.secrets.items()},
    )


def _name(tar: Path) -> str:
    """The one name of an image that `archive.write_tar` wrote; raises `BuildFailed` where it has none."""
    try:
        with tarfile.open(tar) as opened:
            file = opened.extractfile(_LIST)
            listed = json.load(file) if file else []
        return str(listed[0]["RepoTags"][0])
    except (tarfile.TarError, ValueError, LookupError, TypeError) as error:
        raise BuildFailed("a kept image cannot be read", where=str(tar), fix="remove the file") from error
