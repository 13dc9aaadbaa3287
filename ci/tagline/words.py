"""The words of tagline: names, releases, model versions and promotion tags, parsed and printed here alone."""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import NoReturn

import msgspec
from semver import Version

from tagline.errors import BadWord, UnknownName

NAME_LIMIT = 30
_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_PRE = re.compile(r"(alpha|beta|rc|next)\.(0|[1-9][0-9]*)")
_COUNTER = re.compile(r"[1-9][0-9]*")
PROMOTION_PREFIX = "promote/"


def _bad(what: str, text: str, wanted: str) -> NoReturn:
    raise BadWord(f"{text!r} is not {what}", fix=f"write {wanted}")


def check_name(text: str, what: str = "name") -> str:
    """Return `text` if it is a name of a model, pipeline or environment; raise `BadWord` otherwise."""
    if len(text) > NAME_LIMIT or not _NAME.fullmatch(text):
        article = "an" if what[0] in "aeiou" else "a"
        _bad(f"{article} {what}", text, f"[a-z]([-a-z0-9]*[a-z0-9])?, at most {NAME_LIMIT} characters")
    return text


def one_of(text: str, known: Iterable[str], what: str) -> str:
    """Return `text` if it is known; raise `UnknownName` that names the nearest otherwise."""
    names = sorted(known)
    if text in names:
        return text
    near = get_close_matches(text, names, n=1, cutoff=0)
    hint = f"did you mean {near[0]!r}? " if near else ""
    listed = ", ".join(names) or "none"
    raise UnknownName(f"unknown {what} {text!r}", fix=f"{hint}known: {listed}")


class Release(msgspec.Struct, frozen=True):
    """A release, SemVer 2 without build metadata; printed `1.4.0`, its tag is `v1.4.0`."""

    major: int
    minor: int
    patch: int
    pre: str = ""

    @classmethod
    def parse(cls, text: str) -> "Release":
        """Read `1.4.0` or `1.4.0-rc.1`; raise `BadWord` for anything else."""
        try:
            version = Version.parse(text)
        except ValueError:
            _bad("a release", text, "MAJOR.MINOR.PATCH, such as 1.4.0")
        if version.build or (version.prerelease and not _PRE.fullmatch(version.prerelease)):
            _bad("a release", text, "MAJOR.MINOR.PATCH, or with -alpha.N, -beta.N, -rc.N, -next.N")
        return cls(version.major, version.minor, version.patch, version.prerelease or "")

    @property
    def tag(self) -> str:
        return f"v{self}"

    def _semver(self) -> Version:
        return Version(self.major, self.minor, self.patch, self.pre or None)

    def __str__(self) -> str:
        return str(self._semver())

    def __lt__(self, other: "Release") -> bool:
        return bool(self._semver() < other._semver())

    def __le__(self, other: "Release") -> bool:
        return self == other or self < other

    def __gt__(self, other: "Release") -> bool:
        return other < self

    def __ge__(self, other: "Release") -> bool:
        return other <= self


def release_of_tag(tag: str) -> Release | None:
    """The release that a tag `v1.4.0` names, or None where the tag is no release tag."""
    if not re.match(r"v[0-9]", tag):
        return None
    try:
        return Release.parse(tag[1:])
    except BadWord:
        return None


class ReleaseTag(msgspec.Struct, frozen=True):
    """The tag of a release: `v1.4.0`, or `fraud@v1.4.0` in a repository that holds several pipelines."""

    release: Release
    pipeline: str = ""

    @classmethod
    def read(cls, tag: str) -> "ReleaseTag | None":
        """The release, and the pipeline if it is named, or None where the tag is no release tag."""
        name, at, version = tag.rpartition("@")
        release = release_of_tag(version)
        named = len(name) <= NAME_LIMIT and _NAME.fullmatch(name)
        if release is None or (at and not named):
            return None
        return cls(release, name)

    def __str__(self) -> str:
        return f"{self.pipeline}@{self.release.tag}" if self.pipeline else self.release.tag


class ModelVersion(msgspec.Struct, frozen=True):
    """The n-th registered training of a release, `1.4.0-r3`: ordered by (release, number), not SemVer."""

    release: Release
    number: int

    @classmethod
    def parse(cls, text: str) -> "ModelVersion":
        """Read `1.4.0-r3`; raise `BadWord` for anything else."""
        release, dash, number = text.rpartition("-r")
        if not dash or not _COUNTER.fullmatch(number):
            _bad("a model version", text, "RELEASE-rN, such as 1.4.0-r3")
        return cls(Release.parse(release), int(number))

    @property
    def slug(self) -> str:
        """The version as Kubernetes and file names take it: `v1-4-0-r3`."""
        return f"v{self}".replace(".", "-")

    def __str__(self) -> str:
        return f"{self.release}-r{self.number}"

    def __lt__(self, other: "ModelVersion") -> bool:
        return (self.release, self.number) < (other.release, other.number)

    def __le__(self, other: "ModelVersion") -> bool:
        return self == other or self < other

    def __gt__(self, other: "ModelVersion") -> bool:
        return other < self

    def __ge__(self, other: "ModelVersion") -> bool:
        return other <= self


class Promotion(msgspec.Struct, frozen=True, order=True):
    """A request, `promote/<env>/<model>/<n>`; `n` counts from 1 for each (environment, model)."""

    env: str
    model: str
    n: int

    @classmethod
    def parse(cls, tag: str) -> "Promotion":
        """Read the tag's name; raise `BadWord` where it is not a promotion's."""
        parts = tag.split("/")
        if len(parts) != 4 or parts[0] != "promote" or not _COUNTER.fullmatch(parts[3]):
            _bad("a promotion tag", tag, "promote/<env>/<model>/<n>, such as promote/prod/fraud/7")
        return cls(check_name(parts[1], "environment"), check_name(parts[2], "model"), int(parts[3]))

    def __str__(self) -> str:
        return f"{PROMOTION_PREFIX}{self.env}/{self.model}/{self.n}"
