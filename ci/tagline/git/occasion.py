"""Why CI was called, and on what: said by the caller, by the CI host, or told from what git has checked out."""

import msgspec

from tagline.errors import AmbiguousHead, BadWord, NotOnALine, RepositoryError
from tagline.git import objects, tags
from tagline.git.facts import Facts
from tagline.git.repo import Repo
from tagline.git.state import State
from tagline.hosts.call import Call, Event, Trigger, event_of
from tagline.words import Promotion, one_of

__all__ = ["Event", "Occasion", "as_merged", "occasion"]


class Occasion(msgspec.Struct, frozen=True):
    """What happened to which branch or tag, and the commit it is about.

    `promotion` is the tag's where it is one, `call` what the CI host said where it decided.
    """

    event: Event
    ref: str
    commit: str
    promotion: Promotion | None = None
    call: Call | None = None


def occasion(
    repo: Repo,
    facts: Facts,
    state: State,
    *,
    event: str | None = None,
    ref: str | None = None,
    call: Call | None = None,
) -> Occasion:
    """The occasion as the caller says, or else the CI host, or else as git shows it.

    Raises `UnknownName`, `BadWord` for what is not on the remote or no event, `NotOnALine` for a merge whose
    commit the branch does not hold, `AmbiguousHead` where a detached HEAD could mean several things, or the
    host speaks of another commit than HEAD.
    """
    if event is None and ref is not None:
        raise BadWord("--ref says which, and nothing says what happened", fix="--event pr|merge|tag|schedule")
    if event is None:
        return _from_head(repo, facts, state) if call is None else _of_call(repo, facts, state, call)
    match Event(one_of(event, [one.value for one in Event], "event")):
        case Event.TAG:
            return _of_tag(facts, ref or "")
        case Event.MERGE:
            return _of_merge(repo, facts, ref or facts.default_branch)
        case Event.PR:
            _check_branch(facts, ref)
            return _of_pr(facts, ref)
        case Event.SCHEDULE:
            one_of(_branch(ref or facts.default_branch), facts.lines(), "branch that releases")
            return _schedule(facts)


def _of_call(repo: Repo, facts: Facts, state: State, call: Call) -> Occasion:
    """What the host says decides; where it names no ref, git does, and a dispatch is a schedule still."""
    if not call.ref and call.trigger in {Trigger.PUSH, Trigger.DISPATCH}:
        found = _from_head(repo, facts, state)
        on_default = found.event is Event.MERGE and found.ref == facts.default_branch
        found = _schedule(facts) if on_default and call.trigger is Trigger.DISPATCH else found
    else:
        found = _as_told(repo, facts, call)
    return msgspec.structs.replace(found, call=call)


def _as_told(repo: Repo, facts: Facts, call: Call) -> Occasion:
    if f"refs/heads/{call.ref}" == facts.ledger_ref:
        return Occasion(Event.TAG, call.ref, facts.ledger)  # our own push of an event
    match event_of(call, facts.lines()):
        case Event.TAG:
            return _of_tag(facts, call.ref)
        case Event.MERGE:
            _require_checked_out(facts, call)
            return _of_merge(repo, facts, call.ref)
        case Event.PR:
            _require_checked_out(facts, call)
            return Occasion(Event.PR, call.ref, facts.head)
        case Event.SCHEDULE:
            return _schedule(facts)


def _require_checked_out(facts: Facts, call: Call) -> None:
    """A workspace that something else was left in is no guess at what is meant."""
    meant = {call.commit, call.pull.head if call.pull else ""} - {""}
    if meant and facts.head not in meant:
        raise AmbiguousHead(
            f"the {call.host} run is about {call.commit[:10]} of {call.ref}, and HEAD is {facts.head[:10]}",
            where=call.run.url or call.ref,
            fix=f"git checkout {call.commit}; or say what is meant: tagline ci --event EVENT --ref REF",
        )


def _schedule(facts: Facts) -> Occasion:
    return Occasion(Event.SCHEDULE, facts.default_branch, facts.default_head)


def as_merged(repo: Repo, facts: Facts, now: Occasion) -> str:
    """The commit to look at for what a pull request's merge would do: HEAD where its host has merged it, or it
    holds its target's newest commit anyway; else the merge itself, made here without a ref.

    The merge has HEAD's files: only the commits behind it matter for a version, not the result's content.
    """
    pull = now.call.pull if now.call else None
    target = facts.heads.get(pull.target if pull else facts.default_branch, "")
    if not target or repo.contains(facts.head, target) or repo.contains(target, facts.head):
        return facts.head
    return objects.merge(repo, target, facts.head)


def _branch(ref: str) -> str:
    return ref.removeprefix("refs/heads/")


def _check_branch(facts: Facts, ref: str | None) -> None:
    """Raise `UnknownName` for a branch that is nowhere; a detached HEAD may be a fork's, which only its host knows."""
    if ref and facts.branch is not None and _branch(ref) != facts.branch:
        one_of(_branch(ref), facts.heads, "branch of the remote")


def _of_pr(facts: Facts, ref: str | None) -> Occasion:
    branch = _branch(ref or facts.branch or "HEAD")
    there = facts.heads.get(branch, facts.head)
    if ref and there != facts.head:
        raise AmbiguousHead(
            f"HEAD is {facts.head[:10]}, and the remote's {branch} is {there[:10]}: which is meant?",
            where=branch,
            fix=f"git checkout {there[:10]}, or leave out --ref to check HEAD",
        )
    return Occasion(Event.PR, branch, facts.head)


def _of_tag(facts: Facts, ref: str) -> Occasion:
    name = ref.removeprefix("refs/tags/")
    if not name:
        raise BadWord("a tag event needs the tag", fix="--event tag --ref promote/ENV/MODEL/N")
    if name not in facts.tags:
        raise RepositoryError(
            f"the remote has no tag {name}",
            where=name,
            fix=f"git push origin refs/tags/{name}; git tag --list",
        )
    promotion = tags.parse(name) if tags.is_request(name) else None
    return Occasion(Event.TAG, name, facts.tags[name].commit, promotion)


def _of_merge(repo: Repo, facts: Facts, ref: str) -> Occasion:
    branch = one_of(_branch(ref), facts.lines(), "branch that releases")
    if not repo.contains(facts.heads[branch], facts.head):
        raise NotOnALine(
            f"HEAD {facts.head[:10]} is not on the remote's {branch}: nobody has merged it",
            where=branch,
            fix=f"git push {repo.remote()} HEAD:{branch}, or git pull --rebase first",
        )
    return Occasion(Event.MERGE, branch, facts.head)


def _from_head(repo: Repo, facts: Facts, state: State) -> Occasion:
    if facts.branch == facts.default_branch:
        return _of_merge(repo, facts, facts.branch)
    if facts.branch is not None:
        return Occasion(Event.PR, facts.branch, facts.head)
    requests = [one for one in tags.readable(facts, state) if one.tag.commit == facts.head]
    waiting = [one for one in requests if not state.ended(one.promotion)]
    if len(waiting) == 1:
        return _of_tag(facts, waiting[0].tag.name)
    if waiting:
        names = [one.tag.name for one in waiting]
        raise _ambiguous(
            facts, f"{len(names)} open promotions: {', '.join(names)}", f"--event tag --ref {names[-1]}"
        )
    return _of_detached(repo, facts)


def _of_detached(repo: Repo, facts: Facts) -> Occasion:
    here = repo.existing(facts.heads.values())
    unseen = sorted(name for name, value in facts.heads.items() if value not in here)
    if unseen:  # a shallow clone: any of them may hold HEAD
        raise _ambiguous(facts, f"who knows which of {', '.join(unseen)}", "--event EVENT --ref REF")
    within = repo.text("for-each-ref", f"--contains={facts.head}", "--format=%(refname)", _HEADS).splitlines()
    branches = [name.removeprefix(_HEADS) for name in within]
    if len(branches) != 1:
        found = f"{len(branches)} branches of the remote: {', '.join(branches)}" if branches else "no branch"
        raise _ambiguous(facts, found, f"--event merge --ref {facts.default_branch}")
    if branches[0] == facts.default_branch:
        return Occasion(Event.MERGE, branches[0], facts.head)
    return Occasion(Event.PR, branches[0], facts.head)


_HEADS = "refs/tagline/origin/heads/"


def _ambiguous(facts: Facts, found: str, options: str) -> AmbiguousHead:
    return AmbiguousHead(
        f"HEAD is detached at {facts.head[:10]}, which is in {found}",
        where="HEAD",
        fix=f"tagline ci {options}, or check out a branch",
    )
