"""The ledger: a chain of empty commits, each one event, pushed together with its tags or not at all."""

import random
import secrets
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import msgspec

from tagline.errors import LedgerError, LedgerMissing, LostRace, NoAtomicPush, PushRefused
from tagline.git import facts as git_facts
from tagline.git import objects, piecewise, remote, wire
from tagline.git.chain import Link, examine, links
from tagline.git.event import Intent
from tagline.git.events import AnyEvent
from tagline.git.facts import Facts, Tag
from tagline.git.fold import Contradiction, fold
from tagline.git.objects import NewTag
from tagline.git.releases import made
from tagline.git.remote import Pushed, RefUpdate
from tagline.git.repo import LOST_LEDGER, Repo
from tagline.git.state import State
from tagline.git.tags import is_request

TRIES = 20
UNCHANGED_LIMIT = 4


class Author(msgspec.Struct, frozen=True):
    """Whose events these are: `run` is random, `actor` a name, `machine` the local platform's."""

    actor: str
    machine: str = ""
    run: str = msgspec.field(default_factory=lambda: secrets.token_hex(8))


def part_of_run(run: str) -> str:
    """The id under which one process writes for a run that several agents share: each has its own."""
    return f"{run}.{secrets.token_hex(4)}"


def is_run(event_run: str, run: str) -> bool:
    """Whether an event's run id is that of `run`, or of one of its parts."""
    return event_run == run or event_run.startswith(f"{run}.")


class Batch(msgspec.Struct, frozen=True):
    """Events and the tags that belong to them: all reach the remote, or none."""

    events: Sequence[AnyEvent] = ()
    tags: Sequence[NewTag] = ()


class Ledger(msgspec.Struct, frozen=True):
    """The events, oldest first, and their sum."""

    events: tuple[AnyEvent, ...]
    state: State


class Appended(msgspec.Struct, frozen=True):
    """What stands after an append: the facts with it, the state, and the events that were written by us."""

    facts: Facts
    state: State
    events: tuple[AnyEvent, ...]


class _Attempt(msgspec.Struct, frozen=True):
    head: str
    tags: tuple[Tag, ...]
    events: tuple[AnyEvent, ...]
    intent: Intent | None = None


def read(repo: Repo, facts: Facts, *, may_be_missing: bool = False) -> Ledger:
    """The ledger as the facts show it.

    Raises `LedgerMissing` where there is none, and promotion tags, releases of tagline or this clone's memory say
    that there was one (unless it `may_be_missing`, for those who
    adopt), `LedgerError` where the chain is broken; the first bad event is named.
    """
    if not facts.ledger and not may_be_missing:
        _require_none_lost(repo, facts)
    events = []
    for number, link in enumerate(links(repo, facts)):
        event, problem = examine(link, number)
        if event is None:
            raise _broken(facts, number, link, problem)
        events.append(event)
    try:
        return Ledger(tuple(events), decided(facts, events))
    except Contradiction as error:
        link = links(repo, facts)[error.index]
        raise _broken(facts, error.index, link, str(error)) from error


def decided(facts: Facts, events: Sequence[AnyEvent]) -> State:
    """The state, with the events of an intent whose tags all stand: nobody can stop them any more.

    Raises `Contradiction`.
    """
    state = fold(events)
    if state.pending is None or not piecewise.stands(facts, state.pending):
        return state
    promised = fold([*events, *piecewise.events_of(state.pending)])
    return msgspec.structs.replace(promised, pending=state.pending)


def append(
    repo: Repo,
    facts: Facts,
    make: Callable[[State], Batch],
    author: Author,
    *,
    may_be_missing: bool = False,
    seen: Callable[[Facts], None] | None = None,
) -> Appended:
    """Add events and tags as one, by compare-and-swap.

    `make` is given the state and answers what to add; it sees what others and earlier tries have added,
    answers an empty batch where all is done, and is asked again after each lost race; before that, `seen`
    hears the new facts, which a `make` that numbers tags needs. Raises `LostRace`, `PushRefused`,
    `NoAtomicPush`, `RemoteUnavailable`, `LedgerError`, and what `make` raises. Nothing is left behind here.
    """
    unchanged = 0
    begun: _Attempt | None = None
    for turn in range(TRIES):
        ledger = read(repo, facts, may_be_missing=may_be_missing)
        if begun and begun.intent and piecewise.kept(ledger.events, begun.intent):
            return Appended(facts, ledger.state, begun.events)
        if ledger.state.pending:
            facts, refused = piecewise.complete(repo, facts, ledger.state.pending, author.actor)
            _tell(seen, facts)
            if refused and begun and begun.intent == ledger.state.pending:
                raise refused
            continue
        begun = None
        batch = make(ledger.state)
        if not batch.events and not batch.tags:
            return Appended(facts, ledger.state, ())
        _require_free(facts, batch)
        attempt = _write(repo, facts, ledger, batch, author)
        try:
            pushed = remote.push(repo, _updates(facts, attempt))
        except NoAtomicPush:
            attempt = begun = _intend(repo, facts, attempt)
            pushed = remote.push(repo, _updates(facts, attempt))
        if pushed is Pushed.DONE:
            facts = git_facts.learn(repo, facts, attempt.head, attempt.tags)
            if attempt.intent:
                continue
            return Appended(facts, fold((*ledger.events, *attempt.events)), attempt.events)
        before, facts = facts, git_facts.read(repo)
        if not attempt.intent and _stands(repo, facts, attempt):
            return Appended(facts, read(repo, facts).state, attempt.events)
        _tell(seen, facts)
        unchanged = unchanged + 1 if (before.ledger, before.tags) == (facts.ledger, facts.tags) else 0
        if unchanged >= UNCHANGED_LIMIT:
            raise _refused_silently(repo, facts, attempt)
        time.sleep(random.uniform(0, 0.05 * (turn + 1)))
    raise LostRace(f"somebody else won the push {TRIES} times in a row", where=repo.url(), fix="run it again")


def _tell(seen: Callable[[Facts], None] | None, facts: Facts) -> None:
    if seen:
        seen(facts)


def _intend(repo: Repo, facts: Facts, attempt: _Attempt) -> _Attempt:
    """The attempt as an intent, for a host that cannot take it as one; the ledger alone is pushed at first."""
    intent = piecewise.intent(repo, attempt.tags, attempt.events)
    return _Attempt(objects.chain(repo, facts.ledger, [wire.encode(intent)]), (), attempt.events, intent)


def _require_free(facts: Facts, batch: Batch) -> None:
    taken = [new.name for new in batch.tags if new.name in facts.tags]
    if taken:
        raise LostRace(
            f"the tag {taken[0]} exists on the remote already; nothing of ours was left behind",
            where=taken[0],
            fix="run it again: it looks anew",
        )


def _write(repo: Repo, facts: Facts, ledger: Ledger, batch: Batch, author: Author) -> _Attempt:
    """Make the objects of a batch; nothing points to them until the remote does."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    stamp = {"run": author.run, "actor": author.actor, "machine": author.machine, "at": now}
    events = tuple(msgspec.structs.replace(event, **stamp) for event in batch.events)
    messages = [wire.encode(event) for event in events]
    try:
        fold((*ledger.events, *events))
    except Contradiction as error:
        raise LedgerError(f"this must not be written: {error}", fix="tagline history") from error
    head = objects.chain(repo, facts.ledger, messages) if messages else ""
    return _Attempt(head, tuple(objects.tag(repo, new, author.run) for new in batch.tags), events)


def _updates(facts: Facts, attempt: _Attempt) -> list[RefUpdate]:
    ledger = [RefUpdate(facts.ledger_ref, attempt.head, facts.ledger)] if attempt.head else []
    return ledger + [RefUpdate(f"refs/tags/{tag.name}", tag.object) for tag in attempt.tags]


def _stands(repo: Repo, facts: Facts, attempt: _Attempt) -> bool:
    """Whether a push that seemed lost is ours: objects with our random run id are nobody else's."""
    tagged = all(facts.tags.get(tag.name) == tag for tag in attempt.tags)
    chained = not attempt.head or any(link.commit == attempt.head for link in links(repo, facts))
    return tagged and chained


def _require_none_lost(repo: Repo, facts: Facts) -> None:
    asked = sorted(name for name in facts.tags if is_request(name))
    released = sorted(tag.name for tag in made(repo, facts).values())
    seen = repo.ask("rev-parse", "--verify", "--quiet", LOST_LEDGER).out.decode().strip()
    if not (asked or released or seen):
        return
    what = f"there are promotion tags ({', '.join(asked[:3])}), but no ledger"
    if not asked:
        what = f"the ledger is gone: tagline made releases here ({', '.join(released[:3]) or 'seen before'})"
    back = (
        f"bring back what this clone has seen: git push {repo.remote()} {seen}:{facts.ledger_ref}; or "
        if seen
        else ""
    )
    raise LedgerMissing(
        what, where=facts.ledger_ref, fix=f'{back}tagline adopt --reason "why these are settled"'
    )


def _broken(facts: Facts, number: int, link: Link, problem: str) -> LedgerError:
    return LedgerError(
        f"event {number + 1} of the ledger is bad: {problem}",
        where=f"{facts.ledger_ref}, commit {link.commit}",
        fix="tagline verify",
    )


def _refused_silently(repo: Repo, facts: Facts, attempt: _Attempt) -> PushRefused:
    names = ", ".join([facts.ledger_ref, *(tag.name for tag in attempt.tags)])
    return PushRefused(
        f"the remote takes none of {names}, and nobody else has changed them",
        where=repo.url(),
        fix="look for leftover *.lock files in the remote, or a tag whose name is a folder of these",
    )
