"""Is the ledger sound? Every link, every event, and every tag that it speaks of."""

from collections.abc import Callable
from functools import partial

from tagline.errors import LedgerMissing, TaglineError
from tagline.git import chain, ledger, tags
from tagline.git.facts import Facts
from tagline.git.fold import Contradiction
from tagline.git.releases import Scope, made, releases
from tagline.git.repo import LOST_LEDGER, Repo
from tagline.git.state import State


def verify(repo: Repo, facts: Facts) -> list[str]:
    """What is wrong, one sentence each, the first bad event named; empty where all is sound."""
    if not facts.ledger:
        return _missing(repo, facts)
    events = []
    links = chain.links(repo, facts)
    for number, link in enumerate(links):
        event, problem = chain.examine(link, number)
        if event is None:
            return [_named(facts, number, link, problem)]
        events.append(event)
    try:
        state = ledger.decided(facts, events)
    except Contradiction as error:
        return [_named(facts, error.index, links[error.index], str(error))]
    return _lost(repo, facts) + _moved(facts, state) + _unknown(repo, facts, state) + _dangling(facts, state)


def _named(facts: Facts, number: int, link: chain.Link, problem: str) -> str:
    return f"event {number + 1} of {facts.ledger_ref} (commit {link.commit}) is bad: {problem}"


def _missing(repo: Repo, facts: Facts) -> list[str]:
    try:
        ledger.read(repo, facts)
    except LedgerMissing as error:
        return [f"{error.what}; {error.fix}"]
    return []


def _lost(repo: Repo, facts: Facts) -> list[str]:
    """The end of a ledger that this clone has seen and that the remote no longer has."""
    answer = repo.ask("rev-parse", "--verify", "--quiet", LOST_LEDGER)
    seen = answer.out.decode().strip()
    if answer.code != 0 or repo.contains(facts.ledger, seen):
        return []
    return [
        f"the ledger was rewritten: commit {seen}, seen here before, is gone; bring it back with "
        f"git push --force origin {seen}:{facts.ledger_ref}, or accept the loss with git update-ref -d {LOST_LEDGER}"
    ]


def _unknown(repo: Repo, facts: Facts, state: State) -> list[str]:
    """Release tags that tagline pushed together with an event which the ledger no longer has."""
    claimed = {event.tag for event in state.releases.values()}
    strange = sorted({tag.name for tag in made(repo, facts).values()} - claimed)
    return [
        f"the ledger knows nothing of {tag}, which tagline made: it was cut off or rewritten"
        for tag in strange
    ]


def _moved(facts: Facts, state: State) -> list[str]:
    """Tags that are not where, or what, the ledger says."""
    found = []
    scopes = [Scope(name, several=event.several) for (name, _), event in state.releases.items()]
    checks: list[Callable[[], object]] = [partial(tags.requests, facts, state)]
    checks[:0] = [partial(releases, facts, state, scope) for scope in dict.fromkeys(scopes)]
    for check in checks:
        try:
            check()
        except TaglineError as error:
            found.append(f"{error.what}; {error.fix}")
    return list(dict.fromkeys(found))


def _dangling(facts: Facts, state: State) -> list[str]:
    """Release tags that the ledger knows and the remote no longer has: what was promoted keeps serving."""
    gone = [event for event in state.releases.values() if event.tag not in facts.tags]
    return [
        f"the tag {event.tag} is gone from the remote; git push origin {event.commit}:refs/tags/{event.tag}"
        for event in sorted(gone, key=lambda event: (event.pipeline, event.release))
    ]
