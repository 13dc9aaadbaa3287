"""The image of a source tree: found by its content digest in the registry, or built once and sent."""

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from tagline import config, foreign, temporary
from tagline.config_keys import EngineName
from tagline.errors import ConfigError, ImageRefused
from tagline.images import LABEL, Builder, Order, archive, dockerfile, recipe
from tagline.images.pip_settings import secret_files
from tagline.images.reference import Reference
from tagline.images.registry import Repository
from tagline.secrets import scan

LOCAL = "tagline.local"
_MOST = 1 << 20  # bytes of a Dockerfile
_ROOT = {"", "0", "root"}


class Source(msgspec.Struct, frozen=True):
    """What an image is made from: the tree, the paths in it that count, what tagline.yaml says, our package."""

    tree: Path
    files: list[Path]
    own: config.Config
    task: Path


class Made(msgspec.Struct, frozen=True):
    """An image: `reference` is what runs it (by digest once a registry holds it), `content` its content digest.

    `built` says whether this call built it, `pushed` whether it sent it; `why_not` why a rebuild would not
    give the same bytes, empty where it would or where nothing was built.
    """

    reference: str
    content: str
    built: bool = False
    pushed: bool = False
    why_not: str = ""

    def sentence(self) -> str:
        """For people: what became of it."""
        if not self.built:
            return f"already built: {self.reference}"
        end = f"; not reproducible: {self.why_not}" if self.why_not else "; a rebuild gives the same bytes"
        return f"{'built and pushed' if self.pushed else 'built, not pushed'}: {self.reference}{end}"


class Push(msgspec.Struct, frozen=True):
    """How an image is sent: from where layers are taken over, and what looks for secrets in the others."""

    beside: list[str]
    scanner: scan.Scanner


class Maker(msgspec.Struct, frozen=True):
    """Makes images with a builder; `builder` is called only when something must be built.

    `environ` holds logins, certificates and pip's settings; logs go to the folder `logs`, and what is kept of
    the last image of each repository beside them. `dotenv` gives what `.env` holds, read before a push only.
    `engine` is the one that runs tasks in the images.
    """

    builder: Callable[[], Builder]
    environ: Mapping[str, str]
    logs: Path
    dotenv: Callable[[], Mapping[str, str]]
    engine: EngineName = EngineName.DOCKER

    def make(self, source: Source, *, push: bool) -> Made:
        """The image of `source`: one HEAD says whether it is there; else it is built, and sent if `push`.

        Raises `BaseNotPinned`, `ImageRefused`, `BuildFailed`, `EngineMissing`, `RegistryUnavailable`,
        `RegistryRefused`, `SecretExposed` for a build argument or a new layer that holds a secret, and for a
        `.env` that git could take.
        """
        scan.refuse_build_args(source.own.image.args)
        made = recipe_of(source)
        place = place_of(source.own)
        name = f"{place.written}:{made.tag}"
        repository = None if place.host == LOCAL else Repository(place, self.environ)
        if repository and (digest := repository.digest(made.tag)):
            return Made(place.at(digest), made.content)
        if not (repository and push) and self.builder().has(name):
            return Made(name, made.content)
        with temporary.folder(temporary.Kind.IMAGE) as folder, self._layout(place) as layout:
            order = self._order(source, made, name, folder, layout)
            built = self.builder().build(order)
            with archive.opened(built.place) as opened:
                image = opened.read()
                check(image, made.content)
                kept = Made(name, made.content, True, False, built.why_not)
                if repository and push:
                    search = scan.Scanner(scan.known_values(self.environ, self.dotenv()))
                    kept = _push(opened, image, kept, repository, Push(beside(made, place), search))
                else:
                    archive.write_tar(opened, name, Path(folder) / "named.tar")
                    self.builder().load(Path(folder) / "named.tar")
                archive.prune(layout, image)
            return kept

    def _order(self, source: Source, made: recipe.Recipe, name: str, folder: Path, layout: Path) -> Order:
        context = folder / "context"
        context.mkdir()
        return Order(
            context,
            recipe.stage(made, source.tree, source.task, context),
            name,
            made.content,
            self.logs / f"{made.tag[:24]}.log",
            layout,
            folder / "image.tar",
            made.args,
            secret_files(self.environ, folder / "secrets"),
        )

    @contextmanager
    def _layout(self, place: Reference) -> Iterator[Path]:
        """The folder that keeps the layers of a repository's last image, held by one build at a time."""
        key = hashlib.sha256(place.written.encode()).hexdigest()[:16]
        layout = self.logs / "layouts" / key
        layout.mkdir(parents=True, exist_ok=True)
        with layout.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            (layout / "index.json").unlink(missing_ok=True)  # it lists the last image, whose blobs stay
            yield layout


def _push(
    opened: archive.Archive, image: archive.Image, made: Made, repository: Repository, push: Push
) -> Made:
    for blob in image.blobs:
        if repository.takes(blob.digest, push.beside):
            continue  # it was published before
        with opened.open(blob) as file:
            push.scanner.refuse(scan.layer(cast(BinaryIO, file)), f"layer {blob.digest[:19]} of the image")
        repository.put_blob(blob.digest, blob.size, partial(opened.open, blob))
    repository.put_manifest(f"content-{made.content}", image.manifest)
    reference = repository.place.at(image.manifest.digest)
    return msgspec.structs.replace(made, reference=reference, pushed=True)


def beside(made: recipe.Recipe, place: Reference) -> list[str]:
    """The repositories of the same registry that hold the bases, and so most of the image's layers."""
    bases = [Reference.parse(base.reference) for base in dockerfile.bases(made.text, made.args)]
    return [base.path for base in bases if base.host == place.host and base.path != place.path]


def check(image: archive.Image, content: str) -> None:
    """Refuse an image that runs as root, or that is not labelled as what it was made from."""
    if image.user.split(":")[0] in _ROOT:
        raise ImageRefused(
            "the image runs as root", where="the Dockerfile", fix="end it with a line such as USER 1000"
        )
    if image.labels.get(LABEL) != content:
        raise ImageRefused(f"the image lacks the label {LABEL}={content}: another builder changed it")


def place_of(own: config.Config) -> Reference:
    """Where a pipeline's images are kept: `image.repository`, or a name that only this engine knows."""
    if not own.image.repository:
        return Reference(LOCAL, own.pipeline, written=f"{LOCAL}/{own.pipeline}")
    place = Reference.parse(own.image.repository)
    if place.tag or place.digest:
        raise ConfigError(
            f"image.repository {own.image.repository!r} has a tag",
            where=config.FILE,
            fix="name the repository alone: tagline chooses the tags",
        )
    return place


def dockerfile_of(source: Source) -> str:
    """The Dockerfile's text: the project's own, or the one that a base and a requirements file need."""
    image = source.own.image
    if not image.base:
        return read_text(source.tree, image.dockerfile, source.files)
    _inside(source.tree, image.requirements, source.files)
    return recipe.generated(image)


def read_text(tree: Path, name: str, files: Sequence[Path]) -> str:
    """A Dockerfile's text; raises `ConfigError` where it is none of the tree's `files` (relative paths)."""
    try:
        content = foreign.read(_inside(tree, name, files), _MOST, Path(os.path.realpath(tree)))
        return content.decode()
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError(
            f"{name} is not UTF-8: byte {error.object[error.start]:#04x}",
            where=f"{name}, line {line}",
            fix="save it as UTF-8",
        ) from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"{name} cannot be read: {error}", where=name) from error


def _inside(tree: Path, name: str, files: Sequence[Path]) -> Path:
    """Where a file of the project really lies; a link leads to one of `files`, so never to git's or `.env`'s text."""
    top, real = Path(os.path.realpath(tree)), Path(os.path.realpath(tree / name))
    if not os.path.lexists(tree / name):
        raise ConfigError(f"{name} is not there", where=config.FILE, fix="write it, or name image.base")
    if not real.is_relative_to(top) or real.relative_to(top) not in files or not real.is_file():
        raise ConfigError(
            f"{name} is not a file of the project",
            where=config.FILE,
            fix="keep the file itself in the repository, and let git track it",
        )
    return real


def recipe_of(source: Source) -> recipe.Recipe:
    """The recipe of a source; raises `BaseNotPinned`, `ImageRefused`."""
    text = dockerfile_of(source)
    return recipe.recipe(source.tree, source.files, text, source.own.image.args, source.task)


def pinned(text: str, args: Mapping[str, str], environ: Mapping[str, str]) -> tuple[str, list[str]]:
    """A Dockerfile with every base held to today's digest, asked at its registry; and a line for each change."""
    said: list[str] = []
    while loose := [base for base in dockerfile.bases(text, args) if not base.pinned]:
        place = Reference.parse(loose[0].reference)
        digest = Repository(place, environ).digest(place.wanted)
        if not digest:
            raise ConfigError(f"the registry has no image {loose[0].reference}", where=place.host)
        changed = dockerfile.pin(text, loose[0], place.pinned(digest), args)
        if changed == text:
            raise ConfigError(
                f"{loose[0].reference} stands nowhere in the Dockerfile",
                where=f"line {loose[0].line}",
                fix="write the base with its digest by hand",
            )
        text = changed
        said.append(f"{loose[0].reference} is {digest} today")
    return text, said
