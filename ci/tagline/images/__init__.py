"""Base images: what goes into one, named by one digest; built once, kept in a registry, found by one question.

Nothing here knows which engine builds: a `Builder` turns a staged folder into an image in files, and those are
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
    by id that build steps may mount and no layer keeps. The builder's words go to `log`. `layout` is a folder
    that keeps the layers of the repository's last image, where a builder can write its next one over it;
    `tar` is a file's place for one that cannot.
    """

    context: Path
    dockerfile: Path
    name: str
    label: str
    log: Path
    layout: Path
    tar: Path
    args: Mapping[str, str] = {}
    secrets: Mapping[str, Path] = {}


class Built(msgspec.Struct, frozen=True):
    """What was built: `place` is the order's layout or tar. `why_not` is empty where a rebuild gives the same bytes."""

    place: Path
    why_not: str = ""


class Builder(Protocol):
    """An engine that builds images; it never pushes."""

    @property
    def name(self) -> str: ...

    def build(self, order: Order) -> Built:
        """Build to the order's layout, as OCI lays images out, or to its tar, as `docker save` does.

        Raises `BuildFailed` (the log's end), `EngineMissing`.
        """
        ...

    def has(self, reference: str) -> bool:
        """Whether the engine itself holds an image of that name."""
        ...

    def load(self, tar: Path) -> None:
        """Put an image, in a tar as `docker save` writes it, where the engine runs containers from."""
        ...
