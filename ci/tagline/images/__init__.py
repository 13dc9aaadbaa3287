"""Base images: what goes into one, named by one digest; built once, kept in a registry, found by one question.

Nothing here knows which engine builds: a `Builder` turns a staged folder into an archive, and the archive is
looked at and sent from here.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import msgspec

LABEL = "io.tagline.content"


class Order(msgspec.Struct, frozen=True):
    """What a builder is given: a folder that holds all that may go in, `Dockerfile` in it included.

    `name` is the tag that the image in the archive carries, `label` its one label's value. `secrets` are files
    by id that build steps may mount and no layer keeps. The builder's words go to `log`.
    """

    context: Path
    dockerfile: Path
    name: str
    label: str
    log: Path
    args: Mapping[str, str] = {}
    secrets: Mapping[str, Path] = {}


class Built(msgspec.Struct, frozen=True):
    """How an archive was built: `why_not` is empty where a rebuild would give the same bytes."""

    why_not: str = ""


class Builder(Protocol):
    """An engine that builds images; it never pushes."""

    @property
    def name(self) -> str: ...

    def build(self, order: Order, archive: Path) -> Built:
        """Build to `archive`, a tar as `docker save` or an OCI layout gives.

        Raises `BuildFailed` (the log's end), `EngineMissing`.
        """
        ...

    def has(self, reference: str) -> bool:
        """Whether the engine itself holds an image of that name."""
        ...

    def load(self, archive: Path) -> None:
        """Put the archive's image where the engine runs containers from; again is a no-op."""
        ...
