"""Versions from commits: the next release of a pipeline, and the release that a commit belongs to."""

from collections.abc import Mapping, Sequence

import msgspec

from tagline.errors import NotDescendant, NotReleased, NotYetSupported, VersionError, VersionTwice
from tagline.git import history
from tagline.git.commits import Commit, Size, affects, release_as, sizes
from tagline.git.facts import Facts
from tagline.git.history import Lineage, check_on_a_line
from tagline.git.releases import NOTHING, Scope, releases
from tagline.git.repo import Repo
from tagline.git.state import State
from tagline.words import Release

FIRST = Release(0, 1, 0)
__all__ = ["FIRST", "NextVersion", "bump", "check_on_a_line", "next_version", "release_of"]


class NextVersion(msgspec.Struct, frozen=True):
    """The release that HEAD would get, or None; `reason` says why, in one sentence.

    `at_head` is the release that the ledger says HEAD already is, `base` the newest one behind HEAD,
    `because` the subject of the commit that decides the size ("" where none does).
    """

    release: Release | None
    reason: str
    at_head: Release | None = None
    base: Release | None = None
    because: str = ""


def bump(base: Release | None, size: Size) -> Release:
    """The release after `base`: the first is 0.1.0, and below 1.0.0 a breaking change is minor."""
    if base is None:
        return FIRST
    if size is Size.MAJOR and base.major > 0:
        return Release(base.major + 1, 0, 0)
    if size is Size.PATCH:
        return Release(base.major, base.minor, base.patch + 1)
    return Release(base.major, base.minor + 1, 0)


def next_version(
    repo: Repo,
    facts: Facts,
    state: State,
    scope: Scope,
    *,
    published: Mapping[Release, str] = NOTHING,
) -> NextVersion:
    """The next release of the pipeline at HEAD, or the reason why there is none to make.

    Raises `NotDescendant` where HEAD is beside the newest release of its line, `VersionTwice` and
    `NotYetSupported` for a `Release-As:` that cannot be followed, `TagMoved`. A branch that is not merged yet
    is answered too: `check_on_a_line` tells whether HEAD may be released.
    """
    known = releases(facts, state, scope, published)
    there = repo.existing(known.values())
    around = history.lineage(repo, facts.head, {*there, *(facts.heads[line] for line in facts.lines())})
    made = _made_already(known, around, facts.head, state, scope.pipeline)
    if made:
        return made
    base = max((release for release, commit in known.items() if commit in around.behind), default=None)
    _require_newest(repo, facts, known, around, base)
    commits = history.log(repo, facts.head, known[base] if base else "")
    return _judge(scope, commits, base, known)


def _made_already(
    known: Mapping[Release, str], around: Lineage, head: str, state: State, pipeline: str
) -> NextVersion | None:
    here = sorted(release for release, commit in known.items() if commit == head)
    if here:
        claimed = [release for release in here if state.release(pipeline, release)]
        return NextVersion(
            None, f"already released as {here[-1]}", claimed[-1] if claimed else None, here[-1]
        )
    holding = sorted(release for release, commit in known.items() if commit in around.ahead)
    return NextVersion(None, f"contained in {holding[0]}") if holding else None


def _require_newest(
    repo: Repo, facts: Facts, known: Mapping[Release, str], around: Lineage, base: Release | None
) -> None:
    """Only a descendant of the newest release on its line may release; a branch on no line may still ask."""
    on = [line for line in facts.lines() if facts.heads[line] in around.ahead | {facts.head}]
    if not on or facts.heads[on[0]] == facts.head:
        return
    beside = history.behind(repo, facts.heads[on[0]], but_not=facts.head)
    newer = sorted(
        release for release, commit in known.items() if commit in beside and (not base or release > base)
    )
    if newer:
        raise NotDescendant(
            f"HEAD {facts.head[:10]} does not descend from {newer[-1]}, the newest release on {on[0]}",
            where=on[0],
            fix=f"git switch {on[0]} && git pull, then release its head",
        )


def _judge(
    scope: Scope,
    commits: Sequence[Commit],
    base: Release | None,
    known: Mapping[Release, str],
) -> NextVersion:
    asked = _asked(scope, commits, base, known)
    if asked:
        return asked
    found = sizes(commits, scope.paths)
    since = f" since {base}" if base else ""
    if not found:
        looked = f"{len(commits)} commit{'s' if len(commits) != 1 else ''} looked at"
        return NextVersion(None, f"no commit{since} affects {scope.pipeline} ({looked})", base=base)
    size = max(found.values())
    why = next(commit for commit in commits if found.get(commit.hash) is size)
    wanted = release = bump(base, size)
    while release in known:
        release = bump(release, size if base else Size.MINOR)
    reason = f"{_WORDS[size]}{since}: {why.subject} ({why.hash[:10]})" if base else "the first release"
    if release != wanted:
        reason += f"; {wanted} exists already, at {known[wanted][:10]}"
    return NextVersion(release, reason, base=base, because=why.subject)


_WORDS = {Size.PATCH: "a patch", Size.MINOR: "a feature", Size.MAJOR: "a breaking change"}


def _asked(
    scope: Scope, commits: Sequence[Commit], base: Release | None, known: Mapping[Release, str]
) -> NextVersion | None:
    """The release that the newest `Release-As:` trailer of this pipeline asks for, if there is one."""
    found = ((commit, _release_as(scope, commit)) for commit in commits)
    commit, text = next((one for one in found if one[1]), (None, ""))
    if commit is None:
        return None
    where = f"commit {commit.hash[:10]}"
    release = Release.parse(text)
    if release.pre:
        raise NotYetSupported(f"Release-As: {release}: pre-releases are not supported yet", where=where)
    fix = "git commit --allow-empty with a Release-As: that is free"
    if release in known:
        raise VersionTwice(
            f"Release-As: {release} exists already, at {known[release][:10]}", where=where, fix=fix
        )
    if base and release < base:
        raise VersionError(f"Release-As: {release} is older than {base}", where=where, fix=fix)
    because = f"Release-As: {release}"
    return NextVersion(release, f"{because} ({commit.hash[:10]})", base=base, because=because)


def _release_as(scope: Scope, commit: Commit) -> str:
    """The version in a commit's trailer `Release-As: 1.0.0`, with siblings `Release-As: fraud@1.0.0`; "" for none.

    Raises `VersionError` where a repository of several pipelines does not say which one is meant.
    """
    text = release_as(commit.message)
    if not scope.several or not text:
        return text
    pipeline, at, version = text.rpartition("@")
    if not at:
        raise VersionError(
            f"Release-As: {text} does not say which pipeline",
            where=f"commit {commit.hash[:10]}",
            fix=f"git commit --allow-empty with the trailer Release-As: {scope.pipeline}@{text}",
        )
    return version.removeprefix("v") if pipeline == scope.pipeline else ""


def release_of(
    repo: Repo,
    facts: Facts,
    state: State,
    scope: Scope,
    commit: str,
    *,
    published: Mapping[Release, str] = NOTHING,
) -> Release:
    """The release that a promotion of this commit means: the nearest behind it, if nothing since affects it.

    Raises `NotReleased` with the command that mends it, `VersionError` where one commit is two releases.
    """
    known = releases(facts, state, scope, published)
    around = history.lineage(repo, commit, repo.existing(known.values()))
    base = max((release for release, at in known.items() if at in around.behind), default=None)
    if base is None:
        raise _not_released(facts, known, around, commit, "no release is behind it")
    twins = sorted(release for release, at in known.items() if at == known[base])
    if len(twins) > 1:
        names = " and ".join(str(one) for one in twins)
        raise VersionError(
            f"commit {known[base][:10]} is released as {names}: a promotion must name one",
            where=commit,
            fix="tagline promote MODEL --to ENV --version VERSION, or the trailer Model-Version: in the tag",
        )
    since = [one for one in history.log(repo, commit, known[base]) if affects(one, scope.paths)]
    if since:
        change = f"{since[0].subject} ({since[0].hash[:10]})"
        raise _not_released(facts, known, around, commit, f"since {base} it has changed: {change}")
    return base


def _not_released(
    facts: Facts, known: Mapping[Release, str], around: Lineage, commit: str, why: str
) -> NotReleased:
    holding = sorted(release for release, at in known.items() if at in around.ahead)
    if holding:
        fix = f"promote {holding[0]}, which contains it: tagline promote MODEL --to ENV --version VERSION"
    else:
        fix = f"release first: git switch {facts.default_branch} && git pull && tagline release"
    return NotReleased(f"commit {commit[:10]} is not released: {why}", where=commit, fix=fix)
