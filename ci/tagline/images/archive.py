"""A built image, as a folder in OCI layout or a tar as `docker save` writes it: looked at before it is sent."""

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import msgspec

from tagline.errors import BuildFailed
from tagline.images.registry import Manifest

_DOCKER = "application/vnd.docker.distribution.manifest.v2+json"
_CONFIG = "application/vnd.docker.container.image.v1+json"
_LAYER = "application/vnd.docker.image.rootfs.diff.tar"
_GZIP_MAGIC = b"\x1f\x8b"
_LAYOUT = b'{"imageLayoutVersion": "1.0.0"}'


class Blob(msgspec.Struct, frozen=True):
    """A part of an image: its digest, its bytes' count, and the file that holds it."""

    digest: str
    size: int
    member: str


class Image(msgspec.Struct, frozen=True):
    """What an archive holds: one image."""

    manifest: Manifest
    config: Blob
    layers: list[Blob]
    user: str
    labels: dict[str, str]

    @property
    def blobs(self) -> list[Blob]:
        return [*self.layers, self.config]


class Files(msgspec.Struct, frozen=True):
    """The files of an archive by name: their sizes, and how one is opened."""

    sizes: dict[str, int]
    opens: Callable[[str], IO[bytes]]

    def read(self, name: str) -> bytes:
        with self.opens(name) as file:
            return file.read()


class Archive:
    """An open archive of exactly one image."""

    def __init__(self, where: Path, files: Files) -> None:
        self._where, self._files = where, files
        self._members: dict[str, str] = {}

    def read(self) -> Image:
        """The image in it; raises `BuildFailed` where there is none, or several."""
        try:
            manifest = self._oci() if "index.json" in self._files.sizes else self._legacy()
            said = manifest.said
            layers = [self._blob(part["digest"]) for part in said["layers"]]
            config = self._blob(said["config"]["digest"])
            own = json.loads(self._files.read(config.member)).get("config") or {}
        except (KeyError, ValueError, OSError, tarfile.TarError) as error:
            raise BuildFailed(
                "the engine gave an archive that cannot be read", where=str(self._where)
            ) from error
        return Image(manifest, config, layers, str(own.get("User") or ""), dict(own.get("Labels") or {}))

    def open(self, blob: Blob) -> IO[bytes]:
        """The bytes of a blob, from their beginning."""
        return self._files.opens(blob.member)

    def _oci(self) -> Manifest:
        found = _only(json.loads(self._files.read("index.json"))["manifests"])
        body, media = self._files.read(_member(found["digest"])), str(found["mediaType"])
        while "manifests" in (said := json.loads(body)):
            real = [one for one in said["manifests"] if one.get("platform", {}).get("os") != "unknown"]
            found = _only(real)
            body, media = self._files.read(_member(found["digest"])), str(found["mediaType"])
        return Manifest(body, media)

    def _legacy(self) -> Manifest:
        """The manifest of an archive that has none of its own: the same bytes for the same parts."""
        found = _only(json.loads(self._files.read("manifest.json")))
        config = self._part(found["Config"], _CONFIG)
        layers = [self._part(name, "") for name in found["Layers"]]
        said = {"schemaVersion": 2, "mediaType": _DOCKER, "config": config, "layers": layers}
        return Manifest(json.dumps(said, separators=(",", ":")).encode(), _DOCKER)

    def _part(self, name: str, media: str) -> dict[str, Any]:
        with self._files.opens(name) as file:
            packed = file.read(2) == _GZIP_MAGIC
        with self._files.opens(name) as file:
            digest = f"sha256:{_sha256(file)}"
        self._members[digest] = name
        media = media or _LAYER + (".gzip" if packed else "")
        return {"mediaType": media, "size": self._files.sizes[name], "digest": digest}

    def _blob(self, digest: str) -> Blob:
        member = self._members.get(digest, _member(digest))
        return Blob(digest, self._files.sizes[member], member)


def _sha256(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while part := file.read(1 << 20):
        digest.update(part)
    return digest.hexdigest()


def _only(found: list[Any]) -> Any:
    if len(found) != 1:
        raise ValueError(f"{len(found)} images")
    return found[0]


def _member(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


@contextmanager
def opened(place: Path) -> Iterator[Archive]:
    """Open what a builder made; raises `BuildFailed` where it is neither a layout nor a tar."""
    if (place / "index.json").is_file():
        sizes = {str(path.relative_to(place)): path.stat().st_size for path in place.rglob("*")}
        yield Archive(place, Files(sizes, lambda name: (place / name).open("rb")))
        return
    if not place.is_file() or not tarfile.is_tarfile(place):
        raise BuildFailed("the engine gave no image", where=str(place))
    with tarfile.open(place) as tar:

        def opens(name: str) -> IO[bytes]:
            found = tar.extractfile(name)
            if found is None:
                raise ValueError(f"{name} is no file")
            return found

        yield Archive(place, Files({one.name: one.size for one in tar.getmembers()}, opens))


def write_tar(archive: Archive, name: str, to: Path) -> None:
    """The archive's image under a name, as a tar that every Docker loads: OCI layout and Docker's own list."""
    image = archive.read()
    described = {
        "mediaType": image.manifest.media_type,
        "digest": image.manifest.digest,
        "size": len(image.manifest.body),
        "annotations": {"io.containerd.image.name": name},
    }
    listed = {
        "Config": _member(image.config.digest),
        "RepoTags": [name],
        "Layers": [_member(layer.digest) for layer in image.layers],
    }
    texts = {
        "oci-layout": _LAYOUT,
        "index.json": json.dumps({"schemaVersion": 2, "manifests": [described]}).encode(),
        "manifest.json": json.dumps([listed]).encode(),
        _member(image.manifest.digest): image.manifest.body,
    }
    with tarfile.open(to, "w") as tar:
        for member, text in texts.items():
            _add(tar, member, len(text), io.BytesIO(text))
        for blob in {blob.digest: blob for blob in image.blobs}.values():
            with archive.open(blob) as file:
                _add(tar, _member(blob.digest), blob.size, file)


def _add(tar: tarfile.TarFile, name: str, size: int, file: IO[bytes]) -> None:
    info = tarfile.TarInfo(name)
    info.size = size
    tar.addfile(info, file)


def prune(layout: Path, image: Image) -> None:
    """Leave only one image's blobs in a layout: what the next build does not have to write again."""
    kept = {_member(digest) for digest in [image.manifest.digest, *(blob.digest for blob in image.blobs)]}
    for file in layout.glob("blobs/sha256/*"):
        if str(file.relative_to(layout)) not in kept:
            file.unlink()
