"""Which releases exist and where: by their tags, by the ledger, and by what the platform was given."""

import re
from collections.abc import Mapping

import msgspec

from tagline.errors import NotYetSupported, TagMoved, VersionTwice
from tagline.git.events import Released
from tagline.git.facts import Facts, Tag
from tagline.git.repo import Repo
from tagline.git.state import State
from tagline.words import Release, ReleaseTag

_RUN = re.compile(rb"^Run: [0-9a-f]{16}$", re.MULTILINE)
NOTHING: Mapping[Release, str] = {}


class Scope(msgspec.Struct, frozen=True):
    """What of a repository is one pipeline's: its name, the paths that affect it, whether it has siblings there.

    With siblings its tags are `<pipeline>@v1.4.0`; alone it has every plain tag, whatever it was called before.
    """

    pipeline: str
    paths: tuple[str, ...] = ()
    several: bool = False

    def tag(self, release: Release) -> str:
        """The name of the tag that a new release gets."""
        return str(ReleaseTag(release, self.pipeline if self.several else ""))

    def claims(self, event: Released) -> bool:
        """Whether a claim is of this pipeline; alone it takes over what it claimed under another name."""
        return event.pipeline == self.pipeline or not (self.several or event.several)

    def holds(self, tag: ReleaseTag, state: State) -> bool:
        """Whether a release tag is of this pipeline: by its name, or, where it has none, by the ledger."""
        if tag.pipeline or not self.several:
            return tag.pipeline in ("", self.pipeline)
        claim = state.release(self.pipeline, tag.release)
        return claim is not None and not claim.several


def releases(
    facts: Facts, state: State, scope: Scope, published: Mapping[Release, str] = NOTHING
) -> dict[Release, str]:
    """The commit of every release that the pipeline ever had, a deleted tag's too: no version is used twice.

    `published` is what the platform says that it was given. Raises `TagMoved` where a tag is elsewhere than
    the ledger says, `VersionTwice` where ledger and platform disagree, `NotYetSupported` for pre-releases.
    """
    read = [(tag, named) for tag in facts.tags.values() if (named := ReleaseTag.read(tag.name))]
    mine = [(tag, _usable(named, tag.name)) for tag, named in read if scope.holds(named, state)]
    claims = [one for one in state.releases.values() if scope.claims(one)]
    claimed: dict[Release, str] = {}
    for event in claims:
        if claimed.setdefault(event.release, event.commit) != event.commit:
            raise _twice(event.release, claimed[event.release], event.commit)
    for tag, release in sorted(mine, key=lambda one: one[1]):
        _require_unmoved(tag, release, claimed.get(release, tag.commit))
    known = {**{release: tag.commit for tag, release in mine}, **claimed}
    for release, commit in published.items():
        if known.setdefault(release, commit) != commit:
            raise _twice(release, known[release], commit)
    return known


def made(repo: Repo, facts: Facts) -> dict[ReleaseTag, Tag]:
    """The release tags that tagline itself made, each in one push with its event: they name a run."""
    found = {
        named: tag
        for tag in facts.tags.values()
        if tag.annotated and (named := ReleaseTag.read(tag.name)) is not None
    }
    asked = "".join(f"{tag.object}\n" for tag in found.values()).encode()
    texts = _objects(repo.git("cat-file", "--batch", stdin=asked)) if found else []
    return {named: tag for (named, tag), text in zip(found.items(), texts, strict=True) if _RUN.search(text)}


def _objects(out: bytes) -> list[bytes]:
    """The contents in the output of `git cat-file --batch`."""
    texts = []
    while out:
        header, _, rest = out.partition(b"\n")
        size = int(header.rsplit(b" ", 1)[1])
        texts.append(rest[:size])
        out = rest[size + 1 :]
    return texts


def _usable(named: ReleaseTag, name: str) -> Release:
    if named.release.pre:
        raise NotYetSupported(
            f"the tag {name} is a pre-release, which is not supported yet",
            where=name,
            fix=f"git push --delete origin {name}",
        )
    return named.release


def _require_unmoved(tag: Tag, release: Release, claimed: str) -> None:
    if claimed != tag.commit:
        raise TagMoved(
            f"the tag {tag.name} is on {tag.commit[:10]}, but the ledger has {release} on {claimed[:10]}",
            where=tag.name,
            fix=f"git push --force origin {claimed}:refs/tags/{tag.name}",
        )


def _twice(release: Release, one: str, other: str) -> VersionTwice:
    return VersionTwice(
        f"version {release} stands on two commits: {one[:10]} and {other[:10]}",
        where=release.tag,
        fix="tagline verify",
    )
