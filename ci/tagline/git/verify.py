"""Is the ledger sound? Every link, every event, and every tag that it speaks of."""

from tagline.errors import LedgerMissing, TaglineError
from tagline.git import chain, ledger, tags
from tagline.git.facts import Facts
from tagline.git.fold import Contradiction
from tagline.git.releases import made, releases
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
    claimed = {release for _, release in state.releases}
    strange = sorted(set(made(repo, facts)) - claimed)
    return [
        f"the ledger knows nothing of {release.tag}, which tagline made: it was cut off or rewritten"
        for release in strange
    ]


def _moved(facts: Facts, state: State) -> list[str]:
    """Tags that are not where, or what, the ledger says."""
    found = []
    for check in (releases, tags.requests):
        try:
            check(facts, state)
        except TaglineError as error:
            found.append(f"{error.what}; {error.fix}")
    return found


def _dangling(facts: Facts, state: State) -> list[str]:
    """Release tags that the ledger knows and the remote no longer has: what was promoted keeps serving."""
    gone = sorted(release for _, release in state.releases if release.tag not in facts.tags)
    return [
        f"the tag {release.tag} is gone from the remote; "
        f"git push origin {_commit(state, release.tag)}:refs/tags/{release.tag}"
        for release in gone
    ]


def _commit(state: State, tag: str) -> str:
    return next(event.commit for (_, release), event in state.releases.items() if release.tag == tag)
