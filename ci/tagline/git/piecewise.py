"""A host that cannot push refs as one: an intent in the ledger, the tags one by one, the end of the intent."""

from collections.abc import Sequence

from tagline.errors import LedgerError, PushRefused
from tagline.git import facts as git_facts
from tagline.git import objects, remote, wire
from tagline.git.event import Done, IntendedTag, Intent
from tagline.git.events import AnyEvent
from tagline.git.facts import Facts, Tag
from tagline.git.remote import Pushed, RefUpdate
from tagline.git.repo import Repo


def intent(repo: Repo, tags: Sequence[Tag], events: Sequence[AnyEvent]) -> Intent:
    """What will be done, in full and in the name of its events: anybody can do it in our place."""
    whole = [IntendedTag(tag.name, tag.object, tag.commit, objects.text_of(repo, tag)) for tag in tags]
    lines = [wire.encode(event) for event in events]
    if not events:
        return Intent(tags=whole, events=lines)
    first = events[0]
    return Intent(run=first.run, actor=first.actor, at=first.at, tags=whole, events=lines)


def events_of(pending: Intent) -> list[AnyEvent]:
    """The events of an intent; raises `LedgerError` where they cannot be read."""
    try:
        return [wire.decode(text) for text in pending.events]
    except ValueError as error:
        raise LedgerError(f"an intent of the ledger is bad: {error}", fix="tagline verify") from error


def stands(facts: Facts, pending: Intent) -> bool:
    """Whether the remote has every tag of the intent: from then on its events hold."""
    return all(_has(facts, tag) for tag in pending.tags)


def complete(repo: Repo, facts: Facts, pending: Intent, actor: str) -> tuple[Facts, PushRefused | None]:
    """Carry out an intent, ours or that of one who was cut short; safe to repeat and to do at the same time.

    Where a tag has gone to somebody else, or may not be made, nothing of the intent is kept. Returns what the
    remote holds then, and the refusal of a tag. Raises `PushRefused` for the ledger itself,
    `RemoteUnavailable`, `LedgerError`.
    """
    refused: PushRefused | None = None
    try:
        keep = all(_made(repo, facts, tag) for tag in pending.tags)
    except PushRefused as error:
        keep, refused = False, error
    if not keep:
        _take_back(repo, git_facts.read(repo), pending)
    end = Done(run=pending.run, actor=actor, kept=keep)
    head = objects.chain(repo, facts.ledger, [*(pending.events if keep else []), wire.encode(end)])
    remote.push(repo, [RefUpdate(facts.ledger_ref, head, facts.ledger)])
    return git_facts.read(repo), refused


def kept(events: Sequence[AnyEvent], begun: Intent) -> bool:
    """Whether an intent of the ledger has ended well."""
    after = events[events.index(begun) :] if begun in events else ()
    return next((event.kept for event in after if isinstance(event, Done)), False)


def _has(facts: Facts, tag: IntendedTag) -> bool:
    have = facts.tags.get(tag.name)
    return have is not None and have.object == tag.object


def _made(repo: Repo, facts: Facts, tag: IntendedTag) -> bool:
    """Whether the tag stands now, by us or by another who completes the same intent."""
    if tag.name in facts.tags:
        return _has(facts, tag)
    if objects.remake(repo, tag.text) != tag.object:
        raise LedgerError(f"the intent's tag {tag.name} is not what its hash says", fix="tagline verify")
    try:
        if remote.push(repo, [RefUpdate(f"refs/tags/{tag.name}", tag.object)]) is Pushed.DONE:
            return True
    except PushRefused:
        if _has(git_facts.read(repo), tag):
            return True
        raise
    return _has(git_facts.read(repo), tag)


def _take_back(repo: Repo, facts: Facts, pending: Intent) -> None:
    """Remove those tags of an intent that stand while others went to somebody else."""
    for tag in pending.tags:
        if _has(facts, tag):
            remote.push(repo, [RefUpdate(f"refs/tags/{tag.name}", "", tag.object)])
