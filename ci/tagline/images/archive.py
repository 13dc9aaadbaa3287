"""An image in a tar, as `docker save` and BuildKit write it: looked at before it is sent, sent by its blobs."""

import hashlib
import json
import tarfile
from collections.abc import Iterator
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


class Blob(msgspec.Struct, frozen=True):
    """A part of an image: its digest, its bytes' count, and its member in the tar."""

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


class Archive:
    """An open archive of exactly one image."""

    def __init__(self, file: Path, tar: tarfile.TarFile) -> None:
        self._file, self._tar = file, tar
        self._members: dict[str, str] = {}

    def read(self) -> Image:
        """The image in it; raises `BuildFailed` where there is none, or several."""
        names = set(self._tar.getnames())
        try:
            manifest = self._oci() if "index.json" in names else self._legacy()
            said = manifest.said
            layers = [self._blob(part["digest"], names) for part in said["layers"]]
            config = self._blob(said["config"]["digest"], names)
            own = json.loads(self._bytes(config.member)).get("config") or {}
        except (KeyError, ValueError, tarfile.TarError) as error:
            raise BuildFailed(
                "the engine gave an archive that cannot be read", where=str(self._file)
            ) from error
        return Image(manifest, config, layers, str(own.get("User") or ""), dict(own.get("Labels") or {}))

    def open(self, blob: Blob) -> IO[bytes]:
        """The bytes of a blob, from their beginning."""
        found = self._tar.extractfile(blob.member)
        assert found is not None
        return found

    def _bytes(self, member: str) -> bytes:
        found = self._tar.extractfile(member)
        if found is None:
            raise ValueError(member)
        return found.read()

    def _oci(self) -> Manifest:
        found = _only(json.loads(self._bytes("index.json"))["manifests"])
        body = self._bytes(_member(found["digest"]))
        media = str(found["mediaType"])
        while "manifests" in (said := json.loads(body)):
            real = [one for one in said["manifests"] if one.get("platform", {}).get("os") != "unknown"]
            found = _only(real)
            body, media = self._bytes(_member(found["digest"])), str(found["mediaType"])
        return Manifest(body, media)

    def _legacy(self) -> Manifest:
        """The manifest of an archive that has none of its own: the same bytes for the same parts."""
        found = _only(json.loads(self._bytes("manifest.json")))
        config = self._part(found["Config"], _CONFIG)
        layers = [self._part(name, "") for name in found["Layers"]]
        said = {"schemaVersion": 2, "mediaType": _DOCKER, "config": config, "layers": layers}
        return Manifest(json.dumps(said, separators=(",", ":")).encode(), _DOCKER)

    def _part(self, name: str, media: str) -> dict[str, Any]:
        digest, size = hashlib.sha256(), 0
        found = self._tar.extractfile(name)
        assert found is not None
        head = found.read(2)
        found.seek(0)
        while part := found.read(1 << 20):
            digest.update(part)
            size += len(part)
        media = media or _LAYER + (".gzip" if head == _GZIP_MAGIC else "")
        self._members[f"sha256:{digest.hexdigest()}"] = name
        return {"mediaType": media, "size": size, "digest": f"sha256:{digest.hexdigest()}"}

    def _blob(self, digest: str, names: set[str]) -> Blob:
        member = self._members.get(digest, _member(digest))
        if member not in names:
            raise KeyError(member)
        return Blob(digest, self._tar.getmember(member).size, member)


def _only(found: list[Any]) -> Any:
    if len(found) != 1:
        raise ValueError(f"{len(found)} images")
    return found[0]


def _member(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"


@contextmanager
def opened(file: Path) -> Iterator[Archive]:
    """Open an archive for reading; raises `BuildFailed` where the file is no tar."""
    if not file.is_file() or not tarfile.is_tarfile(file):
        raise BuildFailed("the engine gave no archive", where=str(file))
    with tarfile.open(file) as tar:
        yield Archive(file, tar)
