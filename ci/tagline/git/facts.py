"""What git knows, read in one pass: the remote's branches, tags and ledger, and the policy."""

import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tagline.errors import RemoteUnavailable, RepositoryError
from tagline.git import remote
from tagline.git.repo import LEDGER_REF, LOST_LEDGER, ORIGIN, Repo

POLICY_FILE = "tagline.yaml"
_HEAD = f"{ORIGIN}HEAD"
_FORMAT = "%(objectname) %(objecttype) %(*objectname) %(*objecttype) %(refname)"


class Tag(msgspec.Struct, frozen=True):
    """A tag of the remote: `object` is what the ref holds, `commit` what it comes down to when peeled."""

    name: str
    object: str
    commit: str
    annotated: bool


class Facts(msgspec.Struct, frozen=True):
    """One reading of git. Branches, tags and ledger are the remote's; local tags never count.

    `head` is the commit checked out, `branch` its branch (None: detached), `ledger` the hash of the newest
    event ("" where there is none), `policy` the text of tagline.yaml at the default branch's head (None: no
    such file), `as_of` the Unix time of the last look at the remote (None: never).
    """

    head: str
    branch: str | None
    default_branch: str
    heads: dict[str, str]
    tags: dict[str, Tag]
    ledger: str
    policy: str | None
    as_of: float | None

    @property
    def default_head(self) -> str:
        return self.heads[self.default_branch]

    def lines(self) -> list[str]:
        """The branches that releases may stand on: the default one first, then release/*."""
        others = sorted(name for name in self.heads if name.startswith("release/"))
        return [self.default_branch, *(name for name in others if name != self.default_branch)]

    def tags_at(self, commit: str) -> list[Tag]:
        """The tags that come down to this commit, by name."""
        return sorted((tag for tag in self.tags.values() if tag.commit == commit), key=lambda tag: tag.name)


def read(repo: Repo, *, fetch: bool = True, within: float = remote.LIST_TIMEOUT) -> Facts:
    """Read the facts, from the remote itself or, with `fetch=False`, as it was last seen.

    `within` is how many seconds a try the remote has to say which refs it holds.

    What the remote holds is kept in a private namespace, moved refs overwritten and gone ones removed; the
    user's own refs are not touched. Raises `ShallowClone`, `NoRemote`, `RemoteUnavailable`,
    `RepositoryError`.
    """
    repo.require_whole()
    head, branch = repo.head(), repo.branch()
    with _alone(repo):
        snapshot = _refresh(repo, within) if fetch else _snapshot(repo)
    if not snapshot.heads:
        raise _nothing_there(repo, fetch)
    default = _default_branch(repo, snapshot)
    text = repo.show(snapshot.heads[default], POLICY_FILE)
    return Facts(
        head=head,
        branch=branch,
        default_branch=default,
        heads=snapshot.heads,
        tags=snapshot.tags,
        ledger=snapshot.ledger,
        policy=None if text is None else text.decode("utf-8", "replace"),
        as_of=_last_look(repo),
    )


def learn(repo: Repo, facts: Facts, ledger: str, tags: Sequence[Tag]) -> Facts:
    """The facts after a push of ours that the remote took, kept in the private namespace as well."""
    lines = [f"update {ORIGIN}tags/{tag.name} {tag.object}" for tag in tags]
    if ledger:
        lines.append(f"update {ORIGIN}ledger {ledger}")
    with _alone(repo):
        repo.git("update-ref", "--stdin", stdin="".join(f"{line}\n" for line in lines).encode())
    known = facts.tags | {tag.name: tag for tag in tags}
    return msgspec.structs.replace(facts, ledger=ledger or facts.ledger, tags=known)


class _Snapshot(msgspec.Struct, frozen=True):
    heads: dict[str, str]
    tags: dict[str, Tag]
    ledger: str
    values: dict[str, str]
    default: str


def _refresh(repo: Repo, within: float) -> _Snapshot:
    told = remote.listing(repo, timeout=within)
    snapshot = _snapshot(repo)
    if snapshot.values != told.refs:
        before = snapshot.ledger
        remote.fetch(repo)
        snapshot = _snapshot(repo)
        _keep_lost(repo, before, snapshot.ledger)
    if told.head in snapshot.heads and snapshot.default != told.head:
        repo.git("symbolic-ref", _HEAD, f"{ORIGIN}heads/{told.head}")
    elif snapshot.default and told.head not in snapshot.heads:
        repo.git("symbolic-ref", "--delete", _HEAD)
    _mark(repo).parent.mkdir(exist_ok=True)
    _mark(repo).touch()
    return msgspec.structs.replace(snapshot, default=told.head if told.head in snapshot.heads else "")


def _keep_lost(repo: Repo, before: str, now: str) -> None:
    """Remember the end of a ledger that no longer holds what this clone has seen, for `verify` to tell."""
    if before not in ("", now) and (not now or not repo.contains(now, before)):
        repo.git("update-ref", LOST_LEDGER, before)


def _snapshot(repo: Repo) -> _Snapshot:
    out = repo.git("for-each-ref", f"--format={_FORMAT}", ORIGIN).decode("utf-8", "surrogateescape")
    heads, values, ledger = {}, {}, ""
    found: list[tuple[str, str, str, str]] = []
    for line in out.splitlines():
        value, kind, peeled, peeled_kind, name = line.split(" ", 4)
        short = name.removeprefix(ORIGIN)
        if short.startswith("heads/"):
            heads[short.removeprefix("heads/")] = value
            values[f"refs/{short}"] = value
        elif short.startswith("tags/"):
            values[f"refs/{short}"] = value
            found.append((short.removeprefix("tags/"), value, peeled or value, peeled_kind or kind))
        elif short == "ledger":
            ledger = values[LEDGER_REF] = value
    default = repo.ask("symbolic-ref", "--quiet", _HEAD).out.decode("utf-8", "replace").strip()
    return _Snapshot(heads, _tags(repo, found), ledger, values, default.removeprefix(f"{ORIGIN}heads/"))


def _tags(repo: Repo, found: list[tuple[str, str, str, str]]) -> dict[str, Tag]:
    """Tags that end in a commit; git peels one layer in its listing, tags of tags are peeled here."""
    nested = [once for _, _, once, kind in found if kind == "tag"]
    peeled = {}
    if nested:
        asked = "".join(f"{value}^{{}}\n" for value in nested).encode()
        answers = repo.text("cat-file", "--batch-check=%(objectname) %(objecttype)", stdin=asked).splitlines()
        peeled = {once: answer.split(" ") for once, answer in zip(nested, answers, strict=True)}
    tags = {}
    for name, value, once, kind in found:
        commit, last = peeled.get(once, (once, kind))
        if last == "commit":
            tags[name] = Tag(name, value, commit, annotated=value != commit)
    return tags


def _default_branch(repo: Repo, snapshot: _Snapshot) -> str:
    for name in (snapshot.default, "main", "master"):
        if name in snapshot.heads:
            return name
    raise RepositoryError(
        f"the remote does not say which branch is its default: {', '.join(sorted(snapshot.heads))}",
        where=repo.url(),
        fix="set the default branch at the host; in a bare repository: git symbolic-ref HEAD refs/heads/NAME",
    )


def _nothing_there(repo: Repo, fetched: bool) -> RepositoryError:
    if not fetched and _last_look(repo) is None:
        return RemoteUnavailable(
            "the remote was never looked at from here", where=repo.url(), fix="tagline status"
        )
    fix = f"git push -u {repo.remote()} {repo.branch() or 'HEAD:main'}"
    return RepositoryError("the remote has no branch yet", where=repo.url(), fix=fix)


def _mark(repo: Repo) -> Path:
    return repo.store / "tagline" / "fetched"


def _last_look(repo: Repo) -> float | None:
    mark = _mark(repo)
    return mark.stat().st_mtime if mark.exists() else None


@contextmanager
def _alone(repo: Repo) -> Iterator[None]:
    """One tagline at a time in the private namespace of a clone; a process that died holds nothing."""
    folder = repo.store / "tagline"
    folder.mkdir(exist_ok=True)
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        _take(handle, repo, time.monotonic() + remote.TRANSFER_TIMEOUT)
        yield
    finally:
        os.close(handle)


def _take(handle: int, repo: Repo, until: float) -> None:
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                raise RepositoryError(
                    "another tagline has been reading the remote in this clone for too long",
                    where=str(repo.store / "tagline" / "lock"),
                    fix="wait for it, or end it",
                ) from None
            time.sleep(0.02)
        else:
            return
