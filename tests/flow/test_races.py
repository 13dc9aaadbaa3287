"""Two commands at once from two clones: one effect each, one version each, nothing left over."""

from tests.flow.stage import Desk, Result, finish


def both(desk: Desk, *calls: tuple[str, list[str]]) -> list[Result]:
    """Start commands in clones beside each other, and wait for all."""
    started = [desk.start(*words, cwd=desk.folder / clone) for clone, words in calls]
    return [finish(child) for child in started]


def test_two_releases_of_one_commit_make_one_release(desk: Desk) -> None:
    desk.bare.clone(desk.folder / "other")
    found = both(desk, ("work", ["release"]), ("other", ["release"]))
    assert {one.code for one in found} <= {0, 18, 45}, found
    assert 0 in {one.code for one in found}
    assert [name for name in desk.refs() if name.startswith("refs/tags/")] == ["refs/tags/v0.1.0"]
    assert desk.kinds().count("released") == desk.kinds().count("uploaded") == 1
    assert desk.tagline("ci").code == 0
    assert desk.kinds().count("trained") == 1
    assert desk.tagline("verify").code == 0
    assert list((desk.home / "work").iterdir()) == []


def test_two_releases_of_two_commits_get_one_version_each_or_an_order(released: Desk) -> None:
    other = released.bare.clone(released.folder / "other")
    released.change("src/serve.py", "int(", "float(")
    first = released.merge("feat: floats")
    other.git("pull", "--quiet")
    other.write({"src/notes.txt": "more\n"})
    second = other.commit("fix: notes")
    other.push()
    found = both(released, ("work", ["release"]), ("other", ["release"]))
    tags = {name: value for name, value in released.refs().items() if name.startswith("refs/tags/v")}
    stands = {
        event["version"]: event["commit"] for event in released.events() if event["event"] == "released"
    }
    assert len(stands) == len(tags), found
    assert second in stands.values(), found
    assert set(stands.values()) <= {released.clone.git("rev-parse", f"{first}^"), first, second}
    assert {one.code for one in found} <= {0, 18}, found
    trained = [event["model_version"] for event in released.events() if event["event"] == "trained"]
    assert sorted(trained) == sorted(f"{version}-r1" for version in stands)
    assert released.tagline("verify").code == 0


def test_two_promotions_at_once_get_a_number_each_or_one_finds_the_other(released: Desk) -> None:
    released.bare.clone(released.folder / "other")
    ask = ["promote", "tiny", "--to", "prod"]
    found = both(released, ("work", ask), ("other", ask))
    assert {one.code for one in found} <= {0, 18}, found
    tags = [name for name in released.refs() if name.startswith("refs/tags/promote/")]
    assert tags == ["refs/tags/promote/prod/tiny/1"]
    said = "".join(one.out + one.err for one in found)
    assert "asked for tiny 0.1.0-r1 in prod by the tag promote/prod/tiny/1" in said


def test_two_releases_that_fall_apart_in_time_are_the_same_as_one(desk: Desk) -> None:
    assert desk.tagline("release").code == 0
    before = desk.refs()
    again = desk.tagline("release")
    assert again.code == 0
    assert "nothing to do: already released as 0.1.0" in again.out
    assert desk.refs() == before
