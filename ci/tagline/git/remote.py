"""The remote: listing, fetching and pushing, each bounded in time, its failures told apart."""

import re
import time
from collections.abc import Sequence
from enum import StrEnum

import msgspec

from tagline.errors import NoAtomicPush, PushRefused, RemoteUnavailable, RepositoryError
from tagline.git.process import Answer
from tagline.git.repo import LEDGER_REF, ORIGIN, Repo

LIST_TIMEOUT = 60.0
TRANSFER_TIMEOUT = 600.0
REFSPECS = (
    f"+refs/heads/*:{ORIGIN}heads/*",
    f"+refs/tags/*:{ORIGIN}tags/*",
    # A pattern, because a plain name that the remote lacks makes git fail.
    f"+{LEDGER_REF}*:{ORIGIN}ledger*",
)


class Trouble(StrEnum):
    """Why the remote did not do as asked."""

    NETWORK = "network"
    RIGHTS = "rights"
    NO_ATOMIC = "no atomic push"
    GONE = "gone"
    CONTENTION = "contention"
    OTHER = "other"


_SIGNS = (
    (Trouble.NO_ATOMIC, r"does not support --atomic"),
    (Trouble.GONE, r"does not appear to be a git repository|[Rr]epository .*not (be )?found|does not exist"),
    (
        Trouble.RIGHTS,
        r"Permission denied|Authentication failed|could not read (Username|Password)"
        r"|returned error: 40[13]|not allowed to (push|upload)|insufficient permission|unpacker error"
        r"|Host key verification failed|read-only|[Aa]ccess denied",
    ),
    (
        Trouble.NETWORK,
        r"Could not resolve host|Connection (refused|reset|timed out)|gave no answer in|Operation timed out"
        r"|early EOF|RPC failed|unexpected disconnect|hung up|returned error: (429|5\d\d)|is unreachable"
        r"|Failed to connect|No route to host|SSL_ERROR|TLS connection|name resolution|Broken pipe",
    ),
    (Trouble.CONTENTION, r"cannot lock ref|Unable to create .*\.lock|File exists|failed to update ref"),
)


def trouble(said: str) -> Trouble:
    """The kind of a failure, from git's words (in English: LC_ALL=C)."""
    return next((kind for kind, sign in _SIGNS if re.search(sign, said)), Trouble.OTHER)


def call(repo: Repo, *args: str, timeout: float) -> Answer:
    """Run a git command that talks to the remote; failures of network and locks are tried again."""
    answer = repo.ask(*args, timeout=timeout)
    for wait in repo.retries:
        if answer.code == 0 or b"\t" in answer.out:  # an answer for each ref is an answer
            return answer
        if trouble(answer.err) not in (Trouble.NETWORK, Trouble.CONTENTION):
            return answer
        time.sleep(wait)
        answer = repo.ask(*args, timeout=timeout)
    return answer


def unreadable(repo: Repo, answer: Answer) -> RepositoryError:
    """The error of a remote that could not be read, from git's words."""
    where = repo.url()
    said = answer.err.splitlines()[-1] if answer.err else f"exit code {answer.code}"
    match trouble(answer.err):
        case Trouble.RIGHTS:
            return RemoteUnavailable(
                f"the remote refuses to let us read: {answer.err}",
                where=where,
                fix="give this machine the right to read the repository, then: git ls-remote",
            )
        case Trouble.GONE:
            return RemoteUnavailable(
                f"there is no repository at the remote's address: {answer.err}",
                where=where,
                fix=f"git remote set-url {repo.remote()} URL",
            )
        case Trouble.NETWORK:
            return RemoteUnavailable(
                f"the remote does not answer: {answer.err}", where=where, fix="git ls-remote"
            )
        case Trouble.NO_ATOMIC | Trouble.CONTENTION | Trouble.OTHER:
            return RepositoryError(f"the remote could not be read: {said}", where=where, fix="git ls-remote")


class Listing(msgspec.Struct, frozen=True):
    """The remote's refs now: `head` is its HEAD's branch ("" where unborn), `refs` hash by full name.

    `peeled` is the hash that an annotated tag comes down to, by full name.
    """

    head: str
    refs: dict[str, str]
    peeled: dict[str, str] = {}

    def commit(self, ref: str) -> str:
        """The hash of a ref, an annotated tag's peeled."""
        return self.peeled.get(ref, self.refs[ref])


def listing(repo: Repo, timeout: float = LIST_TIMEOUT) -> Listing:
    """Ask the remote for its branches, tags and ledger, `timeout` seconds a try.

    Raises `RemoteUnavailable`, `RepositoryError`.
    """
    patterns = ("HEAD", "refs/heads/*", "refs/tags/*", LEDGER_REF)
    answer = call(repo, "ls-remote", "--symref", repo.remote(), *patterns, timeout=timeout)
    if answer.code != 0:
        raise unreadable(repo, answer)
    head, refs, peeled = "", {}, {}
    for line in answer.out.decode("utf-8", "surrogateescape").splitlines():
        value, _, name = line.partition("\t")
        if value.startswith("ref: "):
            head = value.removeprefix("ref: refs/heads/") if name == "HEAD" else head
        elif name.startswith("refs/") and name.endswith("^{}"):
            peeled[name.removesuffix("^{}")] = value
        elif name.startswith("refs/"):
            refs[name] = value
    return Listing(head, refs, peeled)


def refs_under(repo: Repo, prefix: str) -> dict[str, str]:
    """The remote's refs below a prefix such as refs/tagline/probe/, hash by full name."""
    answer = call(repo, "ls-remote", repo.remote(), f"{prefix}*", timeout=LIST_TIMEOUT)
    if answer.code != 0:
        raise unreadable(repo, answer)
    lines = (line.partition("\t") for line in answer.out.decode("utf-8", "replace").splitlines())
    return {name: value for value, _, name in lines if name.startswith(prefix)}


def fetch(repo: Repo, refspecs: Sequence[str] = REFSPECS, *more: str) -> None:
    """Bring branches, tags and the ledger under refs/tagline/origin/, moved ones too, gone ones removed."""
    options = ("--refmap=", "--no-tags", "--prune", "--no-write-fetch-head", "--quiet")
    answer = call(repo, "fetch", *options, *more, repo.remote(), *refspecs, timeout=TRANSFER_TIMEOUT)
    if answer.code != 0:
        raise unreadable(repo, answer)


def set_fetch_refspec(repo: Repo) -> None:
    """Make a plain `git fetch` bring the ledger and promotion tags too; again is a no-op.

    A tag that exists here with another value is not overwritten: git says so instead.
    """
    key = f"remote.{repo.remote()}.fetch"
    have = repo.ask("config", "--get-all", key).out.decode("utf-8", "replace").splitlines()
    for spec in (REFSPECS[2], "refs/tags/promote/*:refs/tags/promote/*"):
        if spec not in have:
            repo.git("config", "--add", key, spec)


class RefUpdate(msgspec.Struct, frozen=True):
    """One ref of a push: full name, the new hash, and the hash it must have now ("" = must not exist)."""

    ref: str
    new: str
    old: str = ""


class Pushed(StrEnum):
    """`DONE`: the remote took all refs. `LOST`: a ref was not what we expected; nothing was written by us."""

    DONE = "done"
    LOST = "lost"


_LOST = re.compile(
    r"stale info|already exists|fetch first|non-fast-forward|needs force|cannot lock ref|failed to update ref"
    r"|incorrect old value|reference already exists|failed to lock|but expected|atomic transaction failed"
)
_BYSTANDER = re.compile(r"atomic push fail(ed|ure)|transaction failed$")


def judge(porcelain: str, wanted: Sequence[str]) -> tuple[Pushed | None, str]:
    """What `git push --porcelain` answered: the outcome and "", or None and why a ref was refused.

    "Up to date" for a wanted ref is a lost race here: the caller knows whether what stands there is its own.
    """
    flags = {}
    for line in porcelain.splitlines():
        parts = line.split("\t")
        if len(parts) == 3 and len(parts[0]) == 1:
            flags[parts[1].partition(":")[2]] = (parts[0], parts[2])
    refused = [why for ref in wanted for flag, why in [flags.get(ref, ("!", "no answer"))] if flag == "!"]
    if any(_LOST.search(why) for why in refused):
        return Pushed.LOST, ""
    if refused:
        return None, next((why for why in refused if not _BYSTANDER.search(why)), refused[0])
    return (Pushed.LOST if any(flags[ref][0] == "=" for ref in wanted) else Pushed.DONE), ""


def push(repo: Repo, updates: Sequence[RefUpdate]) -> Pushed:
    """Push all refs as one, each only if the remote still has what we expect: a compare-and-swap.

    One ref alone is that on every host. A new hash of "" deletes the ref.

    Raises `PushRefused` (rights, hook, protected ref), `NoAtomicPush`, `RemoteUnavailable`.
    """
    leases = [f"--force-with-lease={update.ref}:{update.old}" for update in updates]
    refspecs = [f"{update.new}:{update.ref}" for update in updates]
    name = repo.remote()
    as_one = ["--atomic"] if len(updates) > 1 else []
    options = (*as_one, "--porcelain", "--no-verify", "--no-follow-tags")
    config = ("-c", f"remote.{name}.mirror=false")
    answer = call(repo, *config, "push", *options, *leases, name, *refspecs, timeout=TRANSFER_TIMEOUT)
    out = answer.out.decode("utf-8", "replace")
    if "\t" in out:
        outcome, reason = judge(out, [update.ref for update in updates])
        if outcome:
            return outcome
        raise _refused(repo, f"{reason} {answer.err}".strip(), [update.ref for update in updates])
    if answer.code == 0:
        return Pushed.LOST
    raise _push_failed(repo, answer, [update.ref for update in updates])


def _push_failed(repo: Repo, answer: Answer, refs: Sequence[str]) -> RepositoryError:
    match trouble(answer.err):
        case Trouble.NO_ATOMIC:
            return NoAtomicPush(
                "the remote cannot push several refs as one (--atomic)",
                where=repo.url(),
                fix="tagline doctor",
            )
        case Trouble.RIGHTS | Trouble.OTHER | Trouble.CONTENTION:
            return _refused(repo, answer.err, refs)
        case Trouble.GONE | Trouble.NETWORK:
            return unreadable(repo, answer)


def _refused(repo: Repo, said: str, refs: Sequence[str]) -> PushRefused:
    names = ", ".join(refs)
    return PushRefused(
        f"the remote refused the push of {names}: {said}",
        where=repo.url(),
        fix=f"give this machine's user the right to create {names} (write access; protected tags; hooks)",
    )
