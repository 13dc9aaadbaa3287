"""References of images: host, repository, tag and digest, as Docker reads them."""

import re

import msgspec

from tagline.errors import ConfigError

DOCKER_HUB = "registry-1.docker.io"
_HUB_NAMES = {"docker.io", "index.docker.io"}
_REFERENCE = re.compile(
    r"(?P<name>[a-zA-Z0-9][a-zA-Z0-9._/:-]*?)(?::(?P<tag>[A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)
_PATH = re.compile(r"[a-z0-9]+(?:(?:\.|_{1,2}|-+|/)[a-z0-9]+)*")


class Reference(msgspec.Struct, frozen=True):
    """An image's place: `host` answers the registry's API, `path` is the repository there."""

    host: str
    path: str
    tag: str = ""
    digest: str = ""
    written: str = ""

    @classmethod
    def parse(cls, text: str) -> "Reference":
        """Read a reference; raises `ConfigError` for what is none."""
        match = _REFERENCE.fullmatch(text)
        first, slash, rest = (match["name"] if match else "").partition("/")
        is_host = bool(slash) and ("." in first or ":" in first or first == "localhost")
        host, path = (first, rest) if is_host else (DOCKER_HUB, f"{first}{slash}{rest}")
        if host in _HUB_NAMES or not is_host:
            host, path = DOCKER_HUB, path if "/" in path else f"library/{path}"
        if match is None or not _PATH.fullmatch(path):
            raise ConfigError(f"{text!r} is not an image reference", fix="write host/path:tag in lower case")
        return cls(host, path, match["tag"] or "", match["digest"] or "", match["name"])

    @property
    def wanted(self) -> str:
        """What the registry is asked for: the digest, else the tag, else `latest`."""
        return self.digest or self.tag or "latest"

    def at(self, digest: str) -> str:
        """This repository's image with that digest, as it is written in a pipeline."""
        return f"{self.written}@{digest}"

    def pinned(self, digest: str) -> str:
        """The same reference, tag and all, held to a digest."""
        return f"{self.written}{':' + self.tag if self.tag else ''}@{digest}"
