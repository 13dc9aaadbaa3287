"""The ledger's contract with git: of pushes at the same moment, each is whole, and none overwrites another."""

from pathlib import Path

from tagline.git import facts, ledger
from tagline.git.repo import Repo

from tests.fakes.racing import careless_git, race
from tests.fakes.repositories import linear

RACERS = 3


def _after_a_race(tmp_path: Path, path: str = "") -> tuple[list[str], list[str]]:
    """The versions that the racers say they made, and those that the ledger has."""
    bare, clone = linear(tmp_path)
    clones = [bare.clone(tmp_path / f"racer{n}").path for n in range(RACERS)]
    said = race(clones, tmp_path / "gate", path)
    repo = Repo.open(clone.path)
    state = ledger.read(repo, facts.read(repo)).state
    return sorted(version for one in said for version in one), sorted(
        str(release) for _, release in state.releases
    )


def test_two_releases_at_once_give_each_its_own_version_and_lose_nothing(tmp_path: Path) -> None:
    said, recorded = _after_a_race(tmp_path)
    assert said == recorded == ["0.1.0", "0.2.0", "0.3.0"]


def test_without_the_lease_the_race_loses_releases(tmp_path: Path) -> None:
    said, recorded = _after_a_race(tmp_path, careless_git(tmp_path / "bin", RACERS))
    assert len(said) == RACERS
    assert (said, recorded) != (["0.1.0", "0.2.0", "0.3.0"],) * 2


def test_a_lost_race_leaves_no_tag_of_the_loser_on_either_side(tmp_path: Path) -> None:
    bare, _ = linear(tmp_path)
    clones = [bare.clone(tmp_path / f"racer{n}") for n in range(2)]
    race([clone.path for clone in clones], tmp_path / "gate")
    assert [name for name in bare.refs() if name.startswith("refs/tags/")] == [
        "refs/tags/v0.1.0",
        "refs/tags/v0.2.0",
    ]
    assert [name for clone in clones for name in clone.refs() if name.startswith("refs/tags/")] == []


def test_two_identical_claims_at_once_are_told_apart_by_their_random_run_ids(tmp_path: Path) -> None:
    bare, _ = linear(tmp_path)
    clones = [bare.clone(tmp_path / f"racer{n}").path for n in range(2)]
    said = race(clones, tmp_path / "gate")
    assert sorted(said) == [["0.1.0"], ["0.2.0"]]
