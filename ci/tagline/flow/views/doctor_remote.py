"""What doctor says of the remote: what it answers, what it takes, and how the ledger stands there."""

from collections.abc import Iterator
from pathlib import Path

from tagline.flow.views.status import COMPLETES, unfinished
from tagline.git import facts as git_facts
from tagline.git import ledger, remote
from tagline.git.facts import Facts
from tagline.git.probe import Learnt, probe
from tagline.git.remote import Trouble, trouble
from tagline.git.repo import LEDGER_REF, Repo

Line = tuple[str, str, str]


def examine_remote(folder: Path) -> Iterator[Line]:
    """Level, sentence and remedy of each finding; raises the errors of the repository (10–19) and ledger."""
    repo = Repo.open(folder)
    facts = git_facts.read(repo)
    yield "ok", f"the remote {repo.url()} answers; its default branch is {facts.default_branch}", ""
    remote.set_fetch_refspec(repo)
    yield "ok", "git fetch brings the ledger and the promotion tags", ""
    learnt = probe(repo)
    yield from _rights(repo, facts, learnt)
    yield (
        "note",
        "not checked: the right to push tags (a tag would wake CI)",
        "git push origin a promotion tag",
    )
    yield from _unfinished(repo, facts)
    yield (
        "note",
        "no signers are set: the ledger is worth no more than the right to push",
        f"let only CI push {facts.ledger_ref} and promote/**, where the host can",
    )


def _rights(repo: Repo, facts: Facts, learnt: Learnt) -> Iterator[Line]:
    by_branch = facts.ledger_ref != LEDGER_REF
    if not learnt.refused:
        yield "ok", "this machine may push refs of tagline's own: a probe was pushed and deleted", ""
    elif trouble(learnt.refused) is Trouble.RIGHTS:
        yield "note", f"this machine may read and not push: {learnt.refused}", "releases are left to CI"
    elif by_branch:
        yield "note", f"not checked: the right to push {facts.ledger_ref}; the host takes no other refs", ""
    else:
        yield "missing", learnt.refused, "ledger: tagline-ledger in tagline.yaml makes the ledger a branch"
    if not learnt.atomic:
        yield (
            "note",
            "the host cannot push refs as one: a claim is an intent, its tag and an end, in turn",
            "",
        )
    if learnt.left:
        refs = " ".join(learnt.left)
        yield (
            "missing",
            "the host does not let the probe be deleted",
            f"git push --delete {repo.remote()} {refs}",
        )


def _unfinished(repo: Repo, facts: Facts) -> Iterator[Line]:
    said = unfinished(ledger.read(repo, facts, may_be_missing=True).state)
    if said:
        yield "note", said, f"{COMPLETES} completes it"
