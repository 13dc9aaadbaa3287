"""Which releases exist and where: by their tags, by the ledger, and by what the platform was given."""

import re
from collections.abc import Mapping

from tagline.errors import BadWord, NotYetSupported, TagMoved, VersionTwice
from tagline.git.facts import Facts, Tag
from tagline.git.repo import Repo
from tagline.git.state import State
from tagline.words import Release, release_of_tag

_RUN = re.compile(rb"^Run: [0-9a-f]{16}$", re.MULTILINE)
_OF_PIPELINE = re.compile(r"([^@]+)@v([0-9].*)")
NOTHING: Mapping[Release, str] = {}


def releases(facts: Facts, state: State, published: Mapping[Release, str] = NOTHING) -> dict[Release, str]:
    """The commit of every release that ever was, a deleted tag's too: no version is used twice.

    `published` is what the platform says that it was given. Raises `TagMoved` where a tag is elsewhere than
    the ledger says, `VersionTwice` where ledger and platform disagree, `NotYetSupported` for pre-releases and
    for tags of several pipelines.
    """
    tagged = {release: tag.commit for tag in facts.tags.values() if (release := _release(tag.name))}
    claimed: dict[Release, str] = {}
    for (_, release), event in state.releases.items():
        if claimed.setdefault(release, event.commit) != event.commit:
            raise _twice(release, claimed[release], event.commit)
    for release in sorted(claimed.keys() & tagged.keys()):
        _require_unmoved(release, claimed[release], tagged[release])
    known = {**tagged, **claimed}
    for release, commit in published.items():
        if known.setdefault(release, commit) != commit:
            raise _twice(release, known[release], commit)
    return known


def made(repo: Repo, facts: Facts) -> dict[Release, Tag]:
    """The release tags that tagline itself made, each in one push with its event: they name a run."""
    found = {
        release: tag
        for tag in facts.tags.values()
        if tag.annotated and (release := release_of_tag(tag.name)) is not None
    }
    asked = "".join(f"{tag.object}\n" for tag in found.values()).encode()
    texts = _objects(repo.git("cat-file", "--batch", stdin=asked)) if found else []
    return {
        release: tag for (release, tag), text in zip(found.items(), texts, strict=True) if _RUN.search(text)
    }


def _objects(out: bytes) -> list[bytes]:
    """The contents in the output of `git cat-file --batch`."""
    texts = []
    while out:
        header, _, rest = out.partition(b"\n")
        size = int(header.rsplit(b" ", 1)[1])
        texts.append(rest[:size])
        out = rest[size + 1 :]
    return texts


def _release(name: str) -> Release | None:
    several = _OF_PIPELINE.fullmatch(name)
    if several and _is_release(several[2]):
        raise NotYetSupported(
            f"the tag {name} names a pipeline: several pipelines in one repository are not supported yet",
            where=name,
            fix=f"use tags such as v{several[2]}",
        )
    release = release_of_tag(name)
    if release and release.pre:
        raise NotYetSupported(
            f"the tag {name} is a pre-release, which is not supported yet",
            where=name,
            fix=f"git push --delete origin {name}",
        )
    return release


def _is_release(text: str) -> bool:
    try:
        Release.parse(text)
    except BadWord:
        return False
    return True


def _require_unmoved(release: Release, claimed: str, tagged: str) -> None:
    if claimed != tagged:
        raise TagMoved(
            f"the tag {release.tag} is on {tagged[:10]}, but the ledger has {release} on {claimed[:10]}",
            where=release.tag,
            fix=f"git push --force origin {claimed}:refs/tags/{release.tag}",
        )


def _twice(release: Release, one: str, other: str) -> VersionTwice:
    return VersionTwice(
        f"version {release} stands on two commits: {one[:10]} and {other[:10]}",
        where=release.tag,
        fix="tagline verify",
    )
