"""What git knows, read in one pass: the remote's branches, tags and ledger, and the policy."""

import fcntl
import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tagline.errors import LedgerMissing, RemoteUnavailable, RepositoryError
from tagline.git import remote
from tagline.git.repo import LEDGER_REF, LOST_LEDGER, ORIGIN, Repo
from tagline.git.snapshot import HEAD, Snapshot, Tag, listed, seen

POLICY_FILE = "tagline.yaml"
_LEDGER_KEY = re.compile(r"^ledger:[ \t]*['\"]?([^\s'\"#]+)", re.MULTILINE)
__all__ = ["Facts", "Tag", "learn", "read"]


class Facts(msgspec.Struct, frozen=True):
    """One reading of git. Branches, tags and ledger are the remote's; local tags never count.

    `head` is the commit checked out, `branch` its branch (None: detached), `ledger` the hash of the newest
    event ("" where there is none) and `ledger_ref` its place, `policy` the text of tagline.yaml at the default
    branch's head (None: no such file), `as_of` the Unix time of the last look at the remote (None: never).
    """

    head: str
    branch: str | None
    default_branch: str
    heads: dict[str, str]
    tags: dict[str, Tag]
    ledger: str
    policy: str | None
    as_of: float | None
    ledger_ref: str = LEDGER_REF

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
    if not fetch:
        repo.require_whole()
    head, branch = repo.head(), repo.branch()
    with _alone(repo):
        before = seen(repo)
        snapshot = _refresh(repo, before, within) if fetch else before
        if not snapshot.heads:
            raise _nothing_there(repo, fetch)
        default = _default_branch(repo, snapshot)
        text = repo.show(snapshot.heads[default], POLICY_FILE)
        policy = None if text is None else text.decode("utf-8", "replace")
        place = ledger_place(policy)
        if fetch:
            _hold_ledger(repo, place, before.ledger_at(place), snapshot)
    return Facts(
        head=head,
        branch=branch,
        default_branch=default,
        heads={name: value for name, value in snapshot.heads.items() if f"refs/heads/{name}" != place},
        tags=snapshot.tags,
        ledger=snapshot.ledger_at(place),
        policy=policy,
        as_of=_last_look(repo),
        ledger_ref=place,
    )


def ledger_place(policy: str | None) -> str:
    """The full name of the ref that the policy's key `ledger:` gives the ledger; the rest is not looked at."""
    match = _LEDGER_KEY.search(policy or "")
    if match is None or match[1] == LEDGER_REF:
        return LEDGER_REF
    return f"refs/heads/{match[1]}"


def learn(repo: Repo, facts: Facts, ledger: str, tags: Sequence[Tag]) -> Facts:
    """The facts after a push of ours that the remote took, kept in the private namespace as well."""
    lines = [f"update {ORIGIN}tags/{tag.name} {tag.object}" for tag in tags]
    if ledger:
        lines.append(f"update {ORIGIN}{_under(facts.ledger_ref)} {ledger}")
    with _alone(repo):
        repo.git("update-ref", "--stdin", stdin="".join(f"{line}\n" for line in lines).encode())
    known = facts.tags | {tag.name: tag for tag in tags}
    return msgspec.structs.replace(facts, ledger=ledger or facts.ledger, tags=known)


def _refresh(repo: Repo, before: Snapshot, within: float) -> Snapshot:
    told, snapshot = remote.listing(repo, timeout=within), before
    if (repo.store / "shallow").exists():
        from tagline.git import depth  # builds on tags, and so on these facts

        depth.deepen(repo, told)
        snapshot = listed(told)
    elif snapshot.values != told.refs:
        remote.fetch(repo)
        snapshot = seen(repo)
    if told.head in snapshot.heads and before.default != told.head:
        repo.git("symbolic-ref", HEAD, f"{ORIGIN}heads/{told.head}")
    elif before.default and told.head not in snapshot.heads:
        repo.git("symbolic-ref", "--delete", HEAD)
    _mark(repo).parent.mkdir(exist_ok=True)
    _mark(repo).touch()
    return msgspec.structs.replace(snapshot, default=told.head if told.head in snapshot.heads else "")


def _hold_ledger(repo: Repo, place: str, before: str, snapshot: Snapshot) -> None:
    """Have all of the ledger here, and remember its end where the remote lost what this clone has seen.

    Raises `LedgerMissing` where the policy gives it a place that is empty while it stands at its old one.
    """
    now = snapshot.ledger_at(place)
    if not now and snapshot.ledger:
        raise LedgerMissing(
            f"tagline.yaml says that the ledger is {place}, and it is still {LEDGER_REF}",
            where=repo.url(),
            fix=f"git fetch {repo.remote()} {LEDGER_REF} && git push {repo.remote()} FETCH_HEAD:{place}",
        )
    if now and (repo.store / "shallow").exists():
        from tagline.git import depth

        depth.bring_whole(repo, place, now)
    if before not in ("", now) and (not now or not repo.contains(now, before)):
        repo.git("update-ref", LOST_LEDGER, before)


def _under(ref: str) -> str:
    return ref.removeprefix("refs/").removeprefix("tagline/")


def _default_branch(repo: Repo, snapshot: Snapshot) -> str:
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
