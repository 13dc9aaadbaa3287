"""Versions from commits on real repositories: the hard cases of tags and versions, one test each."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tagline.errors import (
    BadWord,
    NotDescendant,
    NotOnALine,
    NotReleased,
    NotYetSupported,
    TagMoved,
    VersionError,
    VersionTwice,
)
from tagline.git import events as ev
from tagline.git import facts
from tagline.git.commits import Size
from tagline.git.fold import fold
from tagline.git.releases import Scope
from tagline.git.repo import Repo
from tagline.git.state import State
from tagline.git.versions import FIRST, NextVersion, bump, check_on_a_line, next_version, release_of
from tagline.words import Release

from tests.fakes.repositories import Bare, Clone

NONE = State()


def claimed(**commits: str) -> State:
    """A ledger that released these versions, `v0_1_0=commit`."""
    pairs = [(name[1:].replace("_", "."), commit) for name, commit in commits.items()]
    return fold([ev.Released(pipeline="wine", version=v, commit=c, identity="x") for v, c in pairs])


def following(repo: Repo, state: State = NONE, paths: Sequence[str] = ()) -> NextVersion:
    return next_version(repo, facts.read(repo), state, Scope("wine", tuple(paths)))


def owner_of(repo: Repo, commit: str, state: State = NONE, paths: Sequence[str] = ()) -> str:
    return str(release_of(repo, facts.read(repo), state, Scope("wine", tuple(paths)), commit))


def pushed(clone: Clone, message: str, **files: str) -> str:
    """Commit and push; file names with `__` for a slash; by default src/train.py changes."""
    named = {name.replace("__", "/").replace("_dot_", "."): text for name, text in files.items()}
    made = clone.commit(message, named or {"src/train.py": message})
    clone.push()
    return made


versions = st.builds(Release, st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))


@given(versions, st.sampled_from(Size))
def test_the_next_version_is_always_above_its_base(base: Release, size: Size) -> None:
    assert bump(base, size) > base


@given(versions)
def test_a_larger_change_never_gives_a_smaller_version(base: Release) -> None:
    assert bump(base, Size.PATCH) < bump(base, Size.MINOR)
    assert not bump(base, Size.MAJOR) < bump(base, Size.MINOR)


def test_below_one_a_breaking_change_is_minor_and_above_it_major() -> None:
    assert [str(bump(Release(0, 3, 1), Size.MAJOR)), str(bump(Release(1, 3, 1), Size.MAJOR))] == [
        "0.4.0",
        "2.0.0",
    ]


def test_the_first_release_is_0_1_0(repo: Repo) -> None:
    assert following(repo).release == FIRST


@pytest.mark.parametrize(
    ("message", "version"),
    [("fix: x", "0.1.1"), ("feat: x", "0.2.0"), ("feat!: x", "0.2.0"), ("whatever", "0.1.1")],
)
def test_the_commits_since_the_last_release_give_the_next(
    clone: Clone, repo: Repo, message: str, version: str
) -> None:
    clone.tag("v0.1.0")
    pushed(clone, message)
    assert str(following(repo).release) == version


def test_the_largest_of_several_changes_decides_and_is_named(clone: Clone, repo: Repo) -> None:
    clone.tag("v0.1.0")
    pushed(clone, "feat: better trees")
    pushed(clone, "fix: typo")
    found = following(repo)
    assert (str(found.release), "feat: better trees" in found.reason) == ("0.2.0", True)


def test_version_1_comes_by_a_trailer_even_on_an_empty_commit(clone: Clone, repo: Repo) -> None:
    clone.tag("v0.1.0")
    clone.commit("chore: stable\n\nRelease-As: 1.0.0")
    clone.push()
    assert str(following(repo).release) == "1.0.0"


@pytest.mark.parametrize(
    ("text", "error"),
    [("0.1.0", VersionTwice), ("0.0.9", VersionError), ("1.0.0-rc.1", NotYetSupported), ("one", BadWord)],
)
def test_a_release_as_that_cannot_be_followed_is_an_error(
    clone: Clone, repo: Repo, text: str, error: type[Exception]
) -> None:
    clone.tag("v0.1.0")
    clone.commit(f"chore: x\n\nRelease-As: {text}")
    clone.push()
    with pytest.raises(error):
        following(repo)


def test_commits_that_affect_nothing_release_nothing_and_say_so(clone: Clone, repo: Repo) -> None:
    clone.tag("v0.1.0")
    pushed(clone, "feat: words", docs__a_dot_md="x")
    found = following(repo)
    assert (found.release, found.reason) == (None, "no commit since 0.1.0 affects wine (1 commit looked at)")


def test_declared_paths_decide_what_affects(clone: Clone, repo: Repo) -> None:
    clone.tag("v0.1.0")
    pushed(clone, "feat: x", lib__b_dot_py="x")
    assert following(repo, paths=["src/"]).release is None
    assert str(following(repo, paths=["lib/"]).release) == "0.2.0"


def test_the_renewed_pipeline_yaml_alone_releases_nothing(clone: Clone, repo: Repo) -> None:
    clone.tag("v0.1.0")
    clone.commit("feat: renew", {"docker/kubeflow_pipeline/pipeline.yaml": "x"})
    clone.push()
    assert following(repo).release is None


def test_a_merge_counts_the_commits_that_it_brought(clone: Clone, repo: Repo) -> None:
    clone.tag("v0.1.0")
    clone.git("switch", "--quiet", "-c", "topic")
    clone.commit("feat: on a branch", {"src/b.py": "x"})
    clone.git("switch", "--quiet", "main")
    clone.commit("docs: meanwhile", {"README.md": "x"})
    clone.git("merge", "--quiet", "--no-ff", "-m", "Merge branch 'topic'", "topic")
    clone.push()
    assert str(following(repo).release) == "0.2.0"


def test_a_merge_of_the_released_line_into_a_docs_branch_affects_nothing(clone: Clone, repo: Repo) -> None:
    clone.git("switch", "--quiet", "-c", "topic")
    clone.commit("docs: x", {"README.md": "x"})
    clone.git("switch", "--quiet", "main")
    pushed(clone, "feat: y")
    clone.tag("v0.2.0")
    clone.git("switch", "--quiet", "topic")
    clone.git("merge", "--quiet", "--no-ff", "-m", "Merge branch 'main' into topic", "main")
    clone.push("HEAD:refs/heads/main")
    assert following(repo).release is None


def test_two_versions_on_one_commit_are_fine(clone: Clone, repo: Repo) -> None:
    clone.tag("v0.1.0")
    clone.tag("v0.2.0")
    assert following(repo).reason == "already released as 0.2.0"


def test_two_versions_on_one_commit_a_promotion_must_name_one(clone: Clone, repo: Repo) -> None:
    clone.tag("v0.1.0")
    clone.tag("v0.2.0")
    with pytest.raises(VersionError, match=r"released as 0\.1\.0 and 0\.2\.0"):
        owner_of(repo, clone.head())


def test_one_version_on_two_commits_is_an_error_that_names_both(clone: Clone, repo: Repo) -> None:
    first = clone.head()
    second = pushed(clone, "fix: x")
    events = [
        ev.Released(pipeline=name, version="0.1.0", commit=at, identity="x")
        for name, at in (("wine", first), ("other", second))
    ]
    with pytest.raises(VersionTwice, match=f"{first[:10]} and {second[:10]}"):
        following(repo, fold(events))


def test_a_version_that_the_platform_has_from_another_commit_is_an_error(clone: Clone, repo: Repo) -> None:
    clone.tag("v0.1.0")
    published = {Release(0, 1, 0): pushed(clone, "fix: x")}
    with pytest.raises(VersionTwice):
        next_version(repo, facts.read(repo), NONE, Scope("wine"), published=published)


def test_a_release_tag_moved_or_force_pushed_is_refused(clone: Clone, repo: Repo) -> None:
    first = clone.head()
    pushed(clone, "fix: x")
    clone.tag("v0.1.0")
    with pytest.raises(TagMoved) as caught:
        following(repo, claimed(v0_1_0=first))
    assert caught.value.fix == f"git push --force origin {first}:refs/tags/v0.1.0"


def test_last_release_tag_deleted_never_restarts_and_never_reuses(clone: Clone, repo: Repo) -> None:
    state = claimed(v0_1_0=clone.head())
    pushed(clone, "fix: x")
    assert str(following(repo, state).release) == "0.1.1"


def test_last_release_tag_and_ledger_lost_the_platform_is_asked(clone: Clone, repo: Repo) -> None:
    published = {Release(0, 4, 0): clone.head()}
    pushed(clone, "feat: x")
    found = next_version(repo, facts.read(repo), NONE, Scope("wine"), published=published)
    assert str(found.release) == "0.5.0"


def test_a_released_commit_that_is_gone_is_not_reused(clone: Clone, repo: Repo) -> None:
    found = following(repo, claimed(v0_1_0="d" * 40))
    assert (str(found.release), "0.1.0 exists already" in found.reason) == ("0.2.0", True)


def test_next_version_exists_on_another_branch_is_bumped_past_and_said(clone: Clone, repo: Repo) -> None:
    clone.tag("v0.1.0")
    clone.git("switch", "--quiet", "-c", "release/0.1")
    pushed(clone, "fix: there")
    clone.tag("v0.1.1")
    clone.git("switch", "--quiet", "main")
    pushed(clone, "fix: here")
    found = following(repo)
    assert (str(found.release), "0.1.1 exists already" in found.reason) == ("0.1.2", True)


def test_head_contained_in_a_newer_release_is_nothing_to_do(clone: Clone, repo: Repo) -> None:
    clone.tag("v0.1.0")
    middle = pushed(clone, "fix: x")
    pushed(clone, "feat: y")
    clone.tag("v0.2.0")
    pushed(clone, "feat: z")
    clone.tag("v0.3.0")
    clone.git("checkout", "--quiet", middle)
    assert following(repo) == NextVersion(None, "contained in 0.2.0")


def test_a_commit_that_the_ledger_released_is_named_as_released(clone: Clone, repo: Repo) -> None:
    clone.tag("v0.1.0")
    found = following(repo, claimed(v0_1_0=clone.head()))
    assert (found.release, str(found.at_head)) == (None, "0.1.0")


def test_head_not_a_descendant_of_the_newest_release_on_its_line_names_the_line(
    clone: Clone, repo: Repo
) -> None:
    clone.git("switch", "--quiet", "-c", "topic")
    side = clone.commit("fix: side", {"src/b.py": "x"})
    clone.git("switch", "--quiet", "main")
    pushed(clone, "feat: y")
    clone.tag("v0.2.0")
    clone.git("merge", "--quiet", "--no-ff", "-m", "Merge", "topic")
    clone.push()
    clone.git("checkout", "--quiet", side)
    with pytest.raises(NotDescendant, match=r"0\.2\.0, the newest release on main"):
        following(repo)


def test_a_pull_request_behind_the_newest_release_is_still_answered(clone: Clone, repo: Repo) -> None:
    clone.tag("v0.1.0")
    clone.git("switch", "--quiet", "-c", "topic")
    clone.commit("feat: topic", {"src/b.py": "x"})
    clone.git("switch", "--quiet", "main")
    pushed(clone, "feat: y")
    clone.tag("v0.2.0")
    clone.git("switch", "--quiet", "topic")
    found = following(repo)
    assert (str(found.release), "0.2.0 exists already" in found.reason) == ("0.3.0", True)


def test_a_release_branch_is_a_line_of_its_own(clone: Clone, repo: Repo) -> None:
    clone.tag("v1.0.0")
    clone.git("switch", "--quiet", "-c", "release/1.0")
    pushed(clone, "fix: there")
    clone.git("switch", "--quiet", "main")
    pushed(clone, "feat: here")
    clone.tag("v1.1.0")
    clone.git("switch", "--quiet", "release/1.0")
    assert str(following(repo).release) == "1.0.1"


@pytest.mark.parametrize("name", ["v1.0.0-rc.1", "wine@v1.0.0-rc.1"])
def test_pre_releases_are_refused_by_name(clone: Clone, repo: Repo, name: str) -> None:
    clone.tag(name)
    with pytest.raises(NotYetSupported, match=name):
        following(repo)


SEVERAL = Scope("wine", ("wine/", "lib/"), several=True)


def among(repo: Repo, state: State = NONE) -> NextVersion:
    """The next release of `wine`, which has siblings in its repository."""
    return next_version(repo, facts.read(repo), state, SEVERAL)


def test_a_pipeline_among_several_counts_its_own_tags_alone(clone: Clone, repo: Repo) -> None:
    clone.tag("v9.0.0")
    clone.tag("beer@v3.0.0")
    pushed(clone, "feat: begin", wine__train_dot_py="0")
    assert among(repo).release == FIRST
    clone.tag("wine@v1.0.0")
    pushed(clone, "feat: x", wine__train_dot_py="x")
    assert str(among(repo).release) == "1.1.0"


def test_a_pipeline_among_several_keeps_the_releases_that_it_made_alone(clone: Clone, repo: Repo) -> None:
    clone.tag("v1.0.0")
    alone = claimed(v1_0_0=clone.head())
    pushed(clone, "fix: x", wine__train_dot_py="x")
    assert str(among(repo, alone).release) == "1.0.1"


def test_a_pipeline_that_is_alone_again_keeps_the_releases_that_it_made_among_others(
    clone: Clone, repo: Repo
) -> None:
    clone.tag("wine@v1.0.0")
    clone.tag("beer@v3.0.0")
    pushed(clone, "fix: x")
    assert str(following(repo).release) == "1.0.1"


def test_what_touches_a_sibling_alone_releases_nothing(clone: Clone, repo: Repo) -> None:
    clone.tag("wine@v1.0.0")
    pushed(clone, "feat!: beer", beer__train_dot_py="x")
    found = among(repo)
    assert (found.release, found.reason) == (None, "no commit since 1.0.0 affects wine (1 commit looked at)")


def test_release_as_among_several_names_the_pipeline(clone: Clone, repo: Repo) -> None:
    pushed(clone, "feat: x\n\nRelease-As: beer@2.0.0", wine__train_dot_py="x")
    assert among(repo).release == FIRST
    pushed(clone, "feat: y\n\nRelease-As: wine@v2.0.0", wine__train_dot_py="y")
    assert str(among(repo).release) == "2.0.0"
    pushed(clone, "feat: z\n\nRelease-As: 3.0.0", wine__train_dot_py="z")
    with pytest.raises(VersionError, match="does not say which pipeline"):
        among(repo)


def test_a_moved_tag_of_a_pipeline_among_several_is_named(clone: Clone, repo: Repo) -> None:
    event = ev.Released(pipeline="wine", version="1.0.0", commit=clone.head(), identity="x", several=True)
    pushed(clone, "fix: x", wine__train_dot_py="x")
    clone.tag("wine@v1.0.0")
    with pytest.raises(TagMoved, match=r"wine@v1\.0\.0"):
        among(repo, fold([event]))


def test_tags_that_are_no_releases_are_left_alone(clone: Clone, repo: Repo) -> None:
    for name in ("v1", "version-2.0.0", "v1.0", "1.0.0", "me@work"):
        clone.tag(name)
    assert following(repo).release == FIRST


def test_clocks_never_matter(clone: Clone, repo: Repo) -> None:
    past = {"GIT_COMMITTER_DATE": "2001-01-01T00:00:00Z", "GIT_AUTHOR_DATE": "2001-01-01T00:00:00Z"}
    clone.tag("v0.1.0", message="x")
    for number in range(3):
        clone.write({"src/c.py": str(number)})
        clone.git("add", ".")
        clone.git("commit", "--quiet", "-m", "feat: in the past", env=past)
    clone.push()
    assert str(following(repo).release) == "0.2.0"


def test_a_promotion_of_a_release_is_that_release(clone: Clone, repo: Repo) -> None:
    clone.tag("v0.1.0")
    assert owner_of(repo, clone.head()) == "0.1.0"


def test_a_docs_only_commit_after_a_release_resolves_to_the_release(clone: Clone, repo: Repo) -> None:
    clone.tag("v0.1.0")
    assert owner_of(repo, pushed(clone, "docs: x", README_dot_md="x")) == "0.1.0"


def test_promotion_of_an_unreleased_commit_is_an_error_with_the_command(clone: Clone, repo: Repo) -> None:
    clone.tag("v0.1.0")
    commit = pushed(clone, "feat: x")
    with pytest.raises(NotReleased, match=r"since 0\.1\.0 it has changed: feat: x") as caught:
        owner_of(repo, commit)
    assert "release first: git switch main && git pull && tagline release" in caught.value.fix


def test_promotion_before_any_release_is_the_same_error(clone: Clone, repo: Repo) -> None:
    with pytest.raises(NotReleased, match="no release is behind it"):
        owner_of(repo, clone.head())


def test_promotion_of_an_unreleased_commit_that_a_release_contains_names_that_release(
    clone: Clone, repo: Repo
) -> None:
    commit = pushed(clone, "feat: x")
    pushed(clone, "feat: y")
    clone.tag("v0.1.0")
    with pytest.raises(NotReleased) as caught:
        owner_of(repo, commit)
    assert caught.value.fix.startswith("promote 0.1.0, which contains it")


def test_a_commit_on_the_default_branch_or_a_release_branch_is_on_a_line(clone: Clone, repo: Repo) -> None:
    clone.git("switch", "--quiet", "-c", "release/0.1")
    old = clone.head()
    pushed(clone, "fix: x")
    seen = facts.read(repo)
    for commit in (old, clone.head()):
        check_on_a_line(repo, seen, commit, "this")


def test_promotion_of_a_commit_not_on_the_default_branch_or_a_release_line_is_an_error(
    clone: Clone, repo: Repo
) -> None:
    clone.git("switch", "--quiet", "-c", "topic")
    commit = pushed(clone, "fix: x")
    with pytest.raises(NotOnALine, match="promote/prod/wine/1 is commit"):
        check_on_a_line(repo, facts.read(repo), commit, "promote/prod/wine/1")


def test_a_file_name_that_looks_like_gits_own_output_is_read_as_a_file(clone: Clone, repo: Repo) -> None:
    clone.tag("v0.1.0")
    name = "f" * 40
    clone.commit("feat: x", {f"docs/\n{name}": "x", ":100644": "y"})
    clone.push()
    assert str(following(repo).release) == "0.2.0"


def test_a_message_with_control_characters_is_read_whole(bare: Bare, clone: Clone, repo: Repo) -> None:
    clone.tag("v0.1.0")
    pushed(clone, "fix: x\n\n\x1e\x1f\x01 feat: no\n\nBREAKING CHANGE: yes")
    assert str(following(repo).release) == "0.2.0"
