"""What happened, from the ledger, and whether the ledger is sound."""

from collections.abc import Iterable

import msgspec

from tagline.errors import LedgerError, TaglineError
from tagline.flow.world import World
from tagline.git import verify
from tagline.git.events import AnyEvent
from tagline.words import one_of


class Entry(msgspec.Struct, frozen=True):
    """One event of the ledger: when (informational), who, and what, as a sentence; `event` is its kind."""

    at: str
    actor: str
    event: str
    text: str


def history(world: World, *, model: str = "", env: str = "") -> list[Entry]:
    """The ledger's events, oldest first, of one model and one environment where they are named.

    A name must be declared, or stand in the ledger from a time when it was; raises `UnknownName`.
    """
    entries, events = [], world.ledger().events
    if model:
        one_of(model, {*world.policy.model_names(), *_named(events, "model")}, "model")
    if env:
        one_of(env, {*world.policy.environments, *_named(events, "env")}, "environment")
    for event in events:
        if model and getattr(event, "model", model) != model:
            continue
        if env and getattr(event, "env", env) != env:
            continue
        kind = str(type(event).__struct_config__.tag)
        entries.append(Entry(event.at, event.actor, kind, event.sentence()))
    return entries


def _named(events: Iterable[AnyEvent], what: str) -> set[str]:
    return {str(getattr(event, what)) for event in events if hasattr(event, what)}


def verify_ledger(world: World) -> str:
    """A sentence that says the ledger is sound; raises `LedgerError` that names the first bad event."""
    problems = verify.verify(world.repo, world.facts)
    if problems:
        first, *more = problems
        if isinstance(first, TaglineError):
            raise first
        rest = f" ({len(more)} more)" if more else ""
        raise LedgerError(
            f"{first}{rest}", fix="ask who pushed to refs/tagline/ledger; a clone may hold the old one"
        )
    count = len(world.ledger().events)
    return f"the ledger is sound: {count} events, none contradicts another, every release tag stands where it stood"
