"""The ledger's contract with a host that cannot push refs as one: begun, made, done; each effect once."""

from pathlib import Path

import pytest
from tagline.errors import PushRefused
from tagline.git import events as ev
from tagline.git import facts, ledger, objects, piecewise, remote, wire
from tagline.git.ledger import Author, Batch
from tagline.git.objects import NewTag
from tagline.git.remote import RefUpdate
from tagline.git.repo import LEDGER_REF, Repo
from tagline.git.state import State
from tagline.git.verify import verify
from tagline.words import Release

from tests.fakes.racing import claim, claim_in_a_process, deadly_push, race
from tests.fakes.repositories import Bare, Clone, git, linear

TAG = "refs/tags/v0.1.0"
PUSHES = 4  # one that the host cannot do, the intent, the tag, the end
WHOLE = ["began to push v0.1.0", "released wine 0.1.0", "what was begun is done"]


@pytest.fixture
def host(tmp_path: Path) -> tuple[Bare, Clone]:
    """A remote that does not offer atomic pushes, and a clone of it."""
    bare, clone = linear(tmp_path)
    git(bare.path, "config", "receive.advertiseAtomic", "false")
    return bare, clone


def sentences(repo: Repo) -> list[str]:
    told = [event.sentence() for event in ledger.read(repo, facts.read(repo)).events]
    return [one.partition(" from commit")[0] for one in told]


def is_one_release(bare: Bare, path: Path) -> bool:
    repo = Repo.open(path)
    seen = facts.read(repo)
    state = ledger.read(repo, seen).state
    whole = sorted(bare.refs()) == ["refs/heads/main", LEDGER_REF, TAG]
    return whole and list(state.releases) == [("wine", Release(0, 1, 0))] and verify(repo, seen) == []


def begin(path: Path) -> Clone:
    """A claim that was cut short after its intent."""
    repo = Repo.open(path)
    seen = facts.read(repo)
    tag = objects.tag(repo, NewTag("v0.1.0", seen.head, "wine 0.1.0"), "0" * 16)
    event = ev.Released(run="0" * 16, pipeline="wine", version="0.1.0", commit=seen.head, identity="env:x")
    begun = piecewise.intent(repo, [tag], [event])
    remote.push(repo, [RefUpdate(LEDGER_REF, objects.chain(repo, seen.ledger, [wire.encode(begun)]))])
    return Clone(path)


def test_a_claim_on_a_host_without_atomic_push_is_whole(host: tuple[Bare, Clone]) -> None:
    bare, clone = host
    claim(clone.path)
    assert is_one_release(bare, clone.path)
    assert sentences(Repo.open(clone.path)) == WHOLE


def test_an_event_alone_needs_no_intent(host: tuple[Bare, Clone]) -> None:
    _, clone = host
    repo = Repo.open(clone.path)
    event = ev.Uploaded(pipeline="wine", version="0.1.0", digest="x")
    ledger.append(
        repo, facts.read(repo), lambda state: Batch() if state.uploads else Batch([event]), Author("ada")
    )
    assert sentences(repo) == ["uploaded wine 0.1.0"]


@pytest.mark.parametrize("at", range(1, PUSHES + 1))
@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("who", ["the same", "another"])
def test_killed_at_any_push_whoever_runs_next_completes_it_once(
    who: str, before: bool, at: int, host: tuple[Bare, Clone], tmp_path: Path
) -> None:
    bare, clone = host
    assert claim_in_a_process(clone.path, deadly_push(tmp_path / "bin", at, before=before)) == -9
    next_one = clone if who == "the same" else bare.clone(tmp_path / "other")
    claim(next_one.path)
    assert is_one_release(bare, next_one.path)
    claim(clone.path)
    assert is_one_release(bare, clone.path)


def test_there_are_no_more_pushes_than_those_that_are_killed_at(
    host: tuple[Bare, Clone], tmp_path: Path
) -> None:
    _, clone = host
    assert claim_in_a_process(clone.path, deadly_push(tmp_path / "bin", PUSHES + 1)) == 0


def test_once_the_tag_stands_the_release_holds_before_anybody_has_written_it_down(
    host: tuple[Bare, Clone], tmp_path: Path
) -> None:
    bare, clone = host
    assert claim_in_a_process(clone.path, deadly_push(tmp_path / "bin", 3)) == -9
    repo = Repo.open(bare.clone(tmp_path / "reader").path)
    seen = facts.read(repo)
    assert list(ledger.read(repo, seen).state.releases) == [("wine", Release(0, 1, 0))]
    assert verify(repo, seen) == []


def test_releases_at_once_give_each_its_own_version(host: tuple[Bare, Clone], tmp_path: Path) -> None:
    bare, _ = host
    clones = [bare.clone(tmp_path / f"racer{n}").path for n in range(3)]
    said = race(clones, tmp_path / "gate")
    assert sorted(version for one in said for version in one) == ["0.1.0", "0.2.0", "0.3.0"]
    repo = Repo.open(clones[0])
    assert verify(repo, facts.read(repo)) == []


def test_an_intent_whose_tag_went_to_somebody_else_comes_to_nothing(
    host: tuple[Bare, Clone], tmp_path: Path
) -> None:
    _, clone = host
    begin(clone.path).tag("v0.1.0")
    repo = Repo.open(clone.path)

    def make(state: State) -> Batch:
        return (
            Batch() if state.uploads else Batch([ev.Uploaded(pipeline="wine", version="0.2.0", digest="x")])
        )

    state = ledger.append(repo, facts.read(repo), make, Author("ada")).state
    assert state.releases == {}
    assert sentences(repo) == [
        "began to push v0.1.0",
        "what was begun came to nothing",
        "uploaded wine 0.2.0",
    ]


def test_a_refused_tag_is_an_error_and_the_ledger_goes_on(host: tuple[Bare, Clone]) -> None:
    bare, clone = host
    bare.hook('case "$1" in refs/tags/*) echo "protected tag" >&2; exit 1;; esac', "update")
    with pytest.raises(PushRefused, match="protected tag"):
        claim(clone.path)
    assert sentences(Repo.open(clone.path)) == [WHOLE[0], "what was begun came to nothing"]
    (bare.path / "hooks/update").unlink()
    claim(clone.path)
    assert is_one_release(bare, clone.path)


def test_nobody_writes_past_an_intent(host: tuple[Bare, Clone]) -> None:
    _, clone = host
    begin(clone.path)
    repo = Repo.open(clone.path)
    seen = facts.read(repo)
    event = ev.Uploaded(run="f" * 16, pipeline="wine", version="0.1.0", digest="x")
    remote.push(
        repo, [RefUpdate(LEDGER_REF, objects.chain(repo, seen.ledger, [wire.encode(event)]), seen.ledger)]
    )
    assert "which comes first" in verify(repo, facts.read(repo))[0]


def test_without_making_the_tags_a_completed_claim_would_dangle(
    host: tuple[Bare, Clone], monkeypatch: pytest.MonkeyPatch
) -> None:
    bare, clone = host
    begin(clone.path)
    monkeypatch.setattr(piecewise, "_made", lambda repo, facts, tag: True)
    claim(clone.path)
    assert not is_one_release(bare, clone.path)
