"""The commit graph around one commit: what is behind it, what is ahead, and what changed in between."""

import os
from collections.abc import Iterable, Set

import msgspec

from tagline.errors import NotOnALine
from tagline.git.commits import Commit
from tagline.git.facts import Facts
from tagline.git.repo import Repo

_LAYOUT = "--format=%H%x00%P%x00%B%x00"


class Lineage(msgspec.Struct, frozen=True):
    """`behind`: a commit and all its ancestors; `ahead`: its descendants among the histories asked about."""

    behind: Set[str]
    ahead: Set[str]


def behind(repo: Repo, commit: str, *, but_not: str = "") -> set[str]:
    """A commit and its ancestors, without those of `but_not`."""
    return set(repo.text("rev-list", commit, *([f"^{but_not}"] if but_not else []), "--").split())


def lineage(repo: Repo, commit: str, tips: Iterable[str]) -> Lineage:
    """The commit's ancestors, and its descendants on the way to the tips, in two passes of git."""
    asked = "".join(f"{tip}\n" for tip in sorted(set(tips))) + f"^{commit}\n"
    out = repo.text("rev-list", "--topo-order", "--reverse", "--parents", "--stdin", stdin=asked.encode())
    ahead = {commit}
    for line in out.splitlines():
        child, *parents = line.split(" ")
        if not ahead.isdisjoint(parents):
            ahead.add(child)
    return Lineage(behind(repo, commit), ahead - {commit})


def log(repo: Repo, head: str, since: str = "") -> list[Commit]:
    """The commits of `head` that are not in `since`, newest first, with their messages and changed files."""
    span = (head, *([f"^{since}"] if since else []))
    messages = repo.git("log", "--topo-order", _LAYOUT, *span, "--").decode("utf-8", "replace")
    fields = messages.split("\0")[:-1]
    changed = _changed(repo, span)
    return [
        Commit(hash.strip("\n"), tuple(parents.split()), message, changed.get(hash.strip("\n"), ()))
        for hash, parents, message in zip(*[iter(fields)] * 3, strict=True)
    ]


def _changed(repo: Repo, span: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """The files that each commit changes; a merge only where it differs from all its parents."""
    options = ("--raw", "-z", "-c", "--root", "--no-renames", "--no-abbrev", "--no-ext-diff", "--format=%H")
    words = iter(repo.git("log", "--topo-order", *options, *span, "--").split(b"\0"))
    found: dict[str, list[str]] = {}
    commit = ""
    for raw in words:
        word = raw.lstrip(b"\n")
        if word.startswith(b":"):
            found[commit].append(os.fsdecode(next(words)))
        elif word:
            commit = word.decode()
            found[commit] = []
    return {name: tuple(files) for name, files in found.items()}


def on_line(repo: Repo, facts: Facts, commit: str) -> str:
    """The branch that releases stand on (default or release/*) and that contains the commit, or ""."""
    if commit == facts.default_head:
        return facts.default_branch
    for line in facts.lines():
        if repo.contains(facts.heads[line], commit):
            return line
    return ""


def check_on_a_line(repo: Repo, facts: Facts, commit: str, what: str) -> None:
    """Raise `NotOnALine` where a commit is on neither the remote's default branch nor a release/* branch."""
    if not on_line(repo, facts, commit):
        raise NotOnALine(
            f"{what} is commit {commit[:10]}: not on {facts.default_branch} or release/* of the remote",
            where=repo.url(),
            fix=f"merge it and push: git push {repo.remote()} HEAD:{facts.default_branch}",
        )
