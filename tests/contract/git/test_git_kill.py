"""The ledger's contract with `kill -9`: whatever call of git it strikes at, the same again gives one release."""

from pathlib import Path

from tagline.git import facts, ledger
from tagline.git.repo import Repo
from tagline.git.verify import verify

from tests.fakes.racing import claim, claim_in_a_process, deadly_git
from tests.fakes.repositories import linear

MOST_CALLS = 60


def test_killed_at_any_call_of_git_a_claim_made_again_is_one_claim(tmp_path: Path) -> None:
    for at in range(1, MOST_CALLS):
        world = tmp_path / str(at)
        world.mkdir()
        bare, clone = linear(world)
        before = clone.refs()
        killed = claim_in_a_process(clone.path, deadly_git(world / "bin", at))
        if killed == 0:
            break
        claim(clone.path)
        repo = Repo.open(clone.path)
        seen = facts.read(repo)
        assert [event.sentence()[:19] for event in ledger.read(repo, seen).events] == [
            "released wine 0.1.0"
        ], at
        assert (sorted(seen.tags), verify(repo, seen), clone.refs()) == (["v0.1.0"], [], before), at
        assert sorted(bare.refs()) == ["refs/heads/main", "refs/tagline/ledger", "refs/tags/v0.1.0"]
    assert at > 10, "the kills found too few calls to be a test"
    assert killed == 0, "more calls of git than this test kills at"
