"""Where the ledger stands is the policy's to say: a ref of its own, or a branch where a host refuses others."""

from pathlib import Path

import pytest
from tagline.errors import LedgerMissing, PushRefused
from tagline.git import events as ev
from tagline.git import facts, ledger
from tagline.git.ledger import Author, Batch
from tagline.git.occasion import Event, occasion
from tagline.git.repo import LEDGER_REF, Repo
from tagline.git.state import State
from tagline.git.verify import verify
from tagline.hosts import Host
from tagline.hosts.call import Call, Trigger
from tagline.words import Release

from tests.fakes.racing import claim
from tests.fakes.repositories import Bare, Clone, git, linear

BRANCH = "refs/heads/tagline-ledger"


@pytest.fixture
def host(tmp_path: Path) -> tuple[Bare, Clone]:
    """A host that refuses every ref but branches and tags, and has no atomic push; the policy knows."""
    bare, clone = linear(tmp_path)
    bare.hook(
        'case "$1" in refs/heads/*|refs/tags/*) ;; *) echo "no such refs here" >&2; exit 1;; esac', "update"
    )
    git(bare.path, "config", "receive.advertiseAtomic", "false")
    clone.commit("chore: the ledger is a branch", {"tagline.yaml": "ledger: tagline-ledger  # a branch\n"})
    clone.push()
    return bare, clone


def test_where_a_host_refuses_other_refs_the_ledger_is_a_branch(host: tuple[Bare, Clone]) -> None:
    bare, clone = host
    claim(clone.path)
    assert sorted(bare.refs()) == ["refs/heads/main", BRANCH, "refs/tags/v0.1.0"]
    repo = Repo.open(clone.path)
    seen = facts.read(repo)
    assert list(ledger.read(repo, seen).state.releases) == [("wine", Release(0, 1, 0))]
    assert (seen.heads.keys(), seen.ledger_ref, verify(repo, seen)) == ({"main"}, BRANCH, [])


def test_without_the_key_such_a_host_refuses_the_claim_and_nothing_is_left(host: tuple[Bare, Clone]) -> None:
    bare, clone = host
    clone.commit("chore: no key", {"tagline.yaml": ""})
    clone.push()
    with pytest.raises(PushRefused, match="no such refs here"):
        claim(clone.path)
    assert sorted(bare.refs()) == ["refs/heads/main"]


def test_a_shallow_clone_has_all_of_the_ledgers_branch(host: tuple[Bare, Clone], tmp_path: Path) -> None:
    bare, clone = host
    claim(clone.path)
    options = ("--quiet", "--depth=1", "--no-single-branch")
    git(tmp_path, "clone", *options, f"file://{bare.path}", "job")
    repo = Repo.open(tmp_path / "job")
    seen = facts.read(repo)
    assert len(ledger.read(repo, seen).events) == 3
    assert (repo.shallow, seen.ledger_ref) == (True, BRANCH)


def test_the_ledgers_own_branch_asks_for_nothing(host: tuple[Bare, Clone]) -> None:
    _, clone = host
    claim(clone.path)
    repo = Repo.open(clone.path)
    seen = facts.read(repo)
    push = Call(host=Host.JENKINS, trigger=Trigger.PUSH, ref="tagline-ledger")
    found = occasion(repo, seen, State(), call=push)
    assert (found.event, found.promotion) == (Event.TAG, None)


def test_a_ledger_that_was_not_moved_with_its_key_is_missed_and_the_move_is_printed(tmp_path: Path) -> None:
    bare, clone = linear(tmp_path)
    claim(clone.path)
    clone.commit("chore: the ledger is a branch", {"tagline.yaml": "ledger: tagline-ledger\n"})
    clone.push()
    with pytest.raises(LedgerMissing, match="still refs/tagline/ledger") as caught:
        facts.read(Repo.open(clone.path))
    for command in caught.value.fix.split(" && "):
        clone.git(*command.split()[1:])
    repo = Repo.open(clone.path)
    assert len(ledger.read(repo, facts.read(repo)).events) == 1
    assert bare.refs()[BRANCH] == bare.refs()[LEDGER_REF]


def test_a_branch_that_was_cut_off_is_told_by_verify(host: tuple[Bare, Clone]) -> None:
    bare, clone = host
    repo = Repo.open(clone.path)
    for version in ("0.1.0", "0.2.0"):
        batch = Batch([ev.Uploaded(pipeline="wine", version=version, digest="x")])
        done = ("wine", Release.parse(version))
        ledger.append(
            repo,
            facts.read(repo),
            lambda state, batch=batch, done=done: Batch() if done in state.uploads else batch,
            Author("ada"),
        )
    git(bare.path, "update-ref", BRANCH, f"{BRANCH}~1")
    assert f":{BRANCH}" in verify(repo, facts.read(repo))[0]
