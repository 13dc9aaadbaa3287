"""A shallow clone deepened, without file contents, just until its answers are those of a whole one."""

import re
from collections.abc import Sequence
from functools import cache

import msgspec

from tagline.errors import ShallowClone
from tagline.git import remote, tags
from tagline.git.remote import Listing
from tagline.git.repo import ORIGIN, Repo
from tagline.words import Promotion, Release, release_of_tag

DEPTHS = (50, 200, 800)
_ALL = 1_000_000  # deeper than any ledger, and no order to deepen everything else
_DEFAULTS = ("main", "master")
_NOT_OURS = re.compile(r"not our ref|unadvertised object|allow-(tip|reachable)|does not support")


class _Need(msgspec.Struct, frozen=True):
    """What must be connected: the branches that release, promotion tags, the commit of each release tag."""

    lines: list[str]
    promotions: list[str]
    releases: dict[Release, str]

    @property
    def refs(self) -> list[str]:
        return [*self.lines, *self.promotions]


def deepen(repo: Repo, told: Listing) -> None:
    """Bring the lines of release, the newest promotion of each model, and as much history as they need.

    Enough is known of a commit once every place where its history is cut lies behind the newest release that
    it contains, no newer release can hide behind a cut, and it is known which lines hold it. A repository
    without a release needs all of its history.
    File contents stay where they are, where the remote can leave them out. Raises `ShallowClone` where the
    remote cannot give more, `RemoteUnavailable`, `RepositoryError`.
    """
    need = _need(told)
    for depth in DEPTHS:
        if _enough(repo, told, need):
            return
        if not _bring(repo, need, f"--depth={depth}"):
            break
    if not _enough(repo, told, need):
        _bring(repo, need, "--unshallow")
    if not _enough(repo, told, need):
        raise ShallowClone(
            "this clone is shallow, and the remote does not give the history that versions are computed from",
            where=repo.url(),
            fix="git fetch --unshallow (in CI: fetch-depth 0, GIT_DEPTH 0, no shallow clone)",
        )


def bring_whole(repo: Repo, place: str, tip: str) -> None:
    """Bring all of the ledger, which stands in the ref `place`, however shallow the clone is."""
    graph = _Graph(repo)
    if repo.existing([tip]) and not graph.behind(tip) & graph.cut:
        return
    here = place.removeprefix("refs/").removeprefix("tagline/")
    remote.fetch(repo, (f"+{place}:{ORIGIN}{here}",), f"--depth={_ALL}")


def _need(told: Listing) -> _Need:
    default = [told.head] if told.head else [*_DEFAULTS]
    lines = [name for name in told.refs if name.startswith("refs/heads/release/")]
    mains = [f"refs/heads/{name}" for name in default if f"refs/heads/{name}" in told.refs]
    named = {name.removeprefix("refs/tags/"): name for name in told.refs if name.startswith("refs/tags/")}
    releases = {found: told.commit(ref) for short, ref in named.items() if (found := release_of_tag(short))}
    return _Need([*mains, *lines], _newest_promotions(named), releases)


def _newest_promotions(named: dict[str, str]) -> list[str]:
    """The ref of the highest number of each environment and model: older ones have ended, or give way."""
    newest: dict[tuple[str, str], tuple[Promotion, str]] = {}
    for short, ref in named.items():
        asked = tags.read(short)
        if asked is None:
            continue
        known = newest.get((asked.env, asked.model))
        if known is None or asked.n > known[0].n:
            newest[asked.env, asked.model] = (asked, ref)
    return [ref for _, ref in newest.values()]


class _Graph:
    """The history that is here: where it is cut, and what is behind a commit as far as that."""

    def __init__(self, repo: Repo) -> None:
        file = repo.store / "shallow"
        self.cut = set(file.read_text().split()) if file.exists() else set()
        self.behind = cache(lambda commit: set(repo.text("rev-list", commit, "--").split()))


def _enough(repo: Repo, told: Listing, need: _Need) -> bool:
    if _absent(repo, {told.commit(ref) for ref in need.refs}):
        return False
    graph = _Graph(repo)
    here = repo.existing(need.releases.values())
    known = {one: at for one, at in need.releases.items() if at in here}
    hidden = need.releases.keys() - known.keys()
    asked = {repo.head(), *(told.commit(ref) for ref in need.promotions)}
    lines = [told.commit(ref) for ref in need.lines]
    return all(
        _placed(graph, commit, lines) and _based(graph, commit, known, max(hidden, default=None))
        for commit in asked
    )


def _placed(graph: _Graph, commit: str, lines: Sequence[str]) -> bool:
    """Whether it is known which lines hold the commit: no cut of theirs can hide it."""
    mine = graph.behind(commit)
    behind = (graph.behind(line) for line in lines)
    return all(commit in line or line & graph.cut <= mine - {commit} for line in behind)


def _based(graph: _Graph, commit: str, known: dict[Release, str], hidden: Release | None) -> bool:
    """Whether it is known which release is the newest behind the commit, and all that has changed since."""
    mine = graph.behind(commit)
    cut = mine & graph.cut
    if not cut:
        return True
    base = max((one for one, at in known.items() if at in mine), default=None)
    if base is None or (hidden and hidden > base) or not cut <= graph.behind(known[base]):
        return False
    newer = (at for one, at in known.items() if one > base and at not in mine)
    return all(cut <= graph.behind(at) - {at} for at in newer)


def _absent(repo: Repo, commits: set[str]) -> set[str]:
    return commits - repo.existing(commits)


def _bring(repo: Repo, need: _Need, how: str) -> bool:
    """Fetch the needed refs and what lies behind HEAD's cuts; False where the remote does not give commits
    by their hash, or no depth."""
    options = ("--filter=blob:none", "--refmap=", "--no-tags", "--no-write-fetch-head", "--quiet", how)
    refspecs = [f"+{ref}:{ORIGIN}{ref.removeprefix('refs/')}" for ref in need.refs]
    graph = _Graph(repo)
    cut = [] if how == "--unshallow" else sorted(graph.cut & graph.behind(repo.head()))
    answer = remote.call(
        repo, "fetch", *options, repo.remote(), *cut, *refspecs, timeout=remote.TRANSFER_TIMEOUT
    )
    if answer.code == 0:
        return True
    if _NOT_OURS.search(answer.err):
        return False
    raise remote.unreadable(repo, answer)
