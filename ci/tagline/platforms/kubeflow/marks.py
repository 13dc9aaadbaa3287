"""Whose a thing on the server is: the repository's mark, in tags and descriptions that tagline writes and reads."""

import hashlib
import re
from urllib.parse import urlsplit

import msgspec

TAGLINE = "tagline"
DIGITS = 32  # of a digest, where the server takes at most 63 characters
_SSH = re.compile(r"(?:[^@/]+@)?([^:/]+):(?!//)(.*)")
_SAID = re.compile(
    r"tagline (?P<pipeline>\S+) (?P<release>\S+) commit (?P<commit>[0-9a-f]{40,64}) "
    r"content (?P<content>[0-9a-f]{64}) image (?P<image>\S+) owner (?P<owner>[0-9a-f]{32})"
)


def owner_of(url: str) -> str:
    """The mark of a repository: 32 hex of the SHA-256 over its host and path, whatever way leads there.

    `https://ci:token@git.example.org/ml/wine.git` and `git@git.example.org:ml/wine` are the same one.
    """
    ssh = _SSH.fullmatch(url)
    parts = urlsplit(url) if "://" in url else None
    if parts and parts.scheme != "file":
        host, path = parts.hostname or "", parts.path
    elif ssh and parts is None:
        host, path = ssh[1].lower(), ssh[2]
    else:
        host, path = "", parts.path if parts else url
    place = f"{host}/{path.strip('/').removesuffix('.git')}"
    return hashlib.sha256(place.encode()).hexdigest()[:DIGITS]


class Provenance(msgspec.Struct, frozen=True):
    """Where a version comes from: repository, pipeline, release, commit, digest of its content, image or environment.

    `content` is 64 hex (`pipeline.identity.content_digest`), `image` a reference by digest.
    """

    owner: str
    pipeline: str
    release: str
    commit: str
    content: str
    image: str

    def tags(self) -> dict[str, str]:
        """What can be looked for: at most 63 characters each, so digests by their first 32 hex."""
        found = {
            "tagline-owner": self.owner,
            "tagline-release": self.release.replace(".", "-"),
            "tagline-commit": self.commit[:63],
            "tagline-content": self.content[:DIGITS],
        }
        image = self.image.rpartition(":")[2][:DIGITS]
        return found | ({"tagline-image": image} if image else {})

    def description(self) -> str:
        """All of it in one line; the server lets nobody change it afterwards."""
        return (
            f"{TAGLINE} {self.pipeline} {self.release} commit {self.commit} content {self.content} "
            f"image {self.image or '-'} owner {self.owner}"
        )

    @classmethod
    def read(cls, description: str) -> "Provenance | None":
        """What a description says; None for one that tagline has not written."""
        found = _SAID.fullmatch(description.strip())
        if found is None:
            return None
        said = found.groupdict()
        return cls(**(said | {"image": "" if said["image"] == "-" else said["image"]}))


def pipeline_description(owner: str) -> str:
    """What the description of a pipeline says: that it is a repository's, and that people should not upload to it."""
    return f"{TAGLINE} owner {owner}: versions are uploaded by tagline, from git"


def is_ours(description: str, owner: str) -> bool:
    """Whether a pipeline is the repository's own."""
    return description.startswith(f"{TAGLINE} owner {owner}")
