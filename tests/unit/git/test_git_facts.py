"""Facts: what the remote says decides; local leftovers and loose or packed storage do not."""

from pathlib import Path

import pytest
from tagline.errors import RemoteUnavailable, RepositoryError
from tagline.git import facts
from tagline.git.remote import set_fetch_refspec
from tagline.git.repo import Repo

from tests.fakes.repositories import Bare, Clone, git, many_tags


def test_the_facts_name_head_branch_default_branch_and_policy(clone: Clone, repo: Repo) -> None:
    clone.commit("feat: policy", {"tagline.yaml": "pipeline: wine\n"})
    clone.push()
    seen = facts.read(repo)
    assert (seen.head, seen.branch, seen.default_branch) == (clone.head(), "main", "main")
    assert (seen.default_head, seen.policy) == (clone.head(), "pipeline: wine\n")


def test_the_policy_is_the_remotes_not_that_of_the_commit_checked_out(clone: Clone, repo: Repo) -> None:
    clone.commit("feat: policy", {"tagline.yaml": "pipeline: wine\n"})
    clone.push()
    clone.commit("feat: weaker", {"tagline.yaml": "pipeline: other\n"})
    assert facts.read(repo).policy == "pipeline: wine\n"


def test_no_policy_file_is_none(repo: Repo) -> None:
    assert facts.read(repo).policy is None


def test_the_remotes_head_names_the_default_branch(bare: Bare, clone: Clone, repo: Repo) -> None:
    clone.push("HEAD:refs/heads/trunk")
    git(bare.path, "symbolic-ref", "HEAD", "refs/heads/trunk")
    assert facts.read(repo).default_branch == "trunk"


def test_an_unborn_remote_head_falls_back_to_master(bare: Bare, clone: Clone, repo: Repo) -> None:
    git(bare.path, "symbolic-ref", "HEAD", "refs/heads/nothing")
    clone.push("HEAD:refs/heads/master", ":refs/heads/main")
    assert facts.read(repo).default_branch == "master"


def test_an_unborn_remote_head_without_main_or_master_is_an_error(
    bare: Bare, clone: Clone, repo: Repo
) -> None:
    facts.read(repo)
    git(bare.path, "symbolic-ref", "HEAD", "refs/heads/nothing")
    clone.push("HEAD:refs/heads/develop", ":refs/heads/main")
    with pytest.raises(RepositoryError, match="which branch is its default: develop"):
        facts.read(repo)


def test_an_empty_remote_prints_the_push_that_fills_it(bare: Bare, clone: Clone, repo: Repo) -> None:
    git(bare.path, "update-ref", "-d", "refs/heads/main")
    with pytest.raises(RepositoryError) as caught:
        facts.read(repo)
    assert caught.value.fix == "git push -u origin main"


def test_a_remote_that_is_gone_is_unavailable_and_not_asked_again(clone: Clone, repo: Repo) -> None:
    clone.git("remote", "set-url", "origin", str(clone.path / "nowhere"))
    with pytest.raises(RemoteUnavailable) as caught:
        facts.read(repo)
    assert "git remote set-url origin" in caught.value.fix


def test_a_network_failure_is_tried_again_a_bounded_number_of_times(clone: Clone) -> None:
    clone.git("remote", "set-url", "origin", "http://user:s3cret@127.0.0.1:9/x.git")
    quick = Repo(clone.path, clone.path / ".git", retries=(0.0, 0.0))
    with pytest.raises(RemoteUnavailable) as caught:
        facts.read(quick)
    assert "s3cret" not in str(caught.value)


def test_lightweight_annotated_and_nested_tags_come_down_to_their_commit(clone: Clone, repo: Repo) -> None:
    clone.tag("plain")
    once = clone.tag("once", message="a tag")
    twice = clone.tag("twice", "once", message="a tag of a tag")
    clone.tag("thrice", "twice", message="a tag of a tag of a tag")
    tags = facts.read(repo).tags
    assert {tag.commit for tag in tags.values()} == {clone.head()}
    assert (tags["plain"].annotated, tags["once"].object, tags["twice"].object) == (False, once, twice)


def test_a_nested_promotion_tag_is_always_peeled(clone: Clone, repo: Repo) -> None:
    clone.tag("v0.1.0", message="release")
    clone.tag("promote/prod/wine/1", "v0.1.0", message="please")
    assert facts.read(repo).tags["promote/prod/wine/1"].commit == clone.head()


def test_a_tag_of_something_that_is_no_commit_is_passed_over(clone: Clone, repo: Repo) -> None:
    clone.tag("key", "HEAD:src/train.py")
    clone.tag("tree", "HEAD^{tree}", message="a tree")
    assert facts.read(repo).tags == {}


def test_stale_tags_in_a_persistent_workspace_never_decide(clone: Clone, repo: Repo) -> None:
    clone.tag("promote/prod/wine/1", message="never pushed", push=False)
    assert facts.read(repo).tags == {}


def test_a_tag_that_moved_on_the_remote_is_seen_moved_and_the_local_one_stays(
    bare: Bare, clone: Clone, repo: Repo
) -> None:
    clone.tag("v0.1.0")
    facts.read(repo)
    old = clone.refs()["refs/tags/v0.1.0"]
    new = clone.commit("fix: x", {"x": ""})
    clone.push()
    git(bare.path, "tag", "--force", "v0.1.0", new)
    assert facts.read(repo).tags["v0.1.0"].commit == new
    assert clone.refs()["refs/tags/v0.1.0"] == old


def test_refs_deleted_on_the_remote_are_gone_from_the_facts(clone: Clone, repo: Repo) -> None:
    clone.tag("v0.1.0")
    clone.push("HEAD:refs/heads/topic", "HEAD:refs/tagline/ledger")
    seen = facts.read(repo)
    assert (bool(seen.ledger), "topic" in seen.heads) == (True, True)
    clone.push(":refs/tags/v0.1.0", ":refs/heads/topic", ":refs/tagline/ledger")
    seen = facts.read(repo)
    assert (seen.tags, sorted(seen.heads), seen.ledger) == ({}, ["main"], "")


def test_reading_facts_changes_no_ref_of_the_user(clone: Clone, repo: Repo) -> None:
    clone.push("HEAD:refs/heads/topic")
    before = clone.refs()
    facts.read(repo)
    assert clone.refs() == before


def test_packed_and_loose_refs_give_the_same_answer(bare: Bare, clone: Clone, repo: Repo) -> None:
    clone.tag("v0.1.0", message="x")
    clone.tag("nested", "v0.1.0", message="y")
    loose = facts.read(repo)
    git(bare.path, "pack-refs", "--all")
    clone.git("pack-refs", "--all")
    assert facts.read(repo).tags == loose.tags


def test_without_fetching_the_facts_are_those_of_the_last_look(clone: Clone, repo: Repo) -> None:
    looked = facts.read(repo)
    clone.tag("v0.1.0")
    seen = facts.read(repo, fetch=False)
    assert (seen.tags, seen.as_of) == ({}, looked.as_of)


def test_without_fetching_and_without_a_last_look_there_are_no_facts(repo: Repo) -> None:
    with pytest.raises(RemoteUnavailable, match="never looked at"):
        facts.read(repo, fetch=False)


def test_nothing_is_fetched_when_nothing_has_changed(bare: Bare, clone: Clone, repo: Repo) -> None:
    facts.read(repo)
    objects = bare.path / "objects"
    objects.rename(bare.path / "away")
    (bare.path / "objects").mkdir()
    assert facts.read(repo).heads == {"main": clone.head()}


def test_hostile_settings_of_the_user_change_nothing(clone: Clone, repo: Repo) -> None:
    clone.tag("v0.1.0", message="x")
    expected = facts.read(repo)
    for key, value in (
        ("remote.origin.mirror", "true"),
        ("remote.origin.prune", "true"),
        ("fetch.prune", "true"),
        ("fetch.pruneTags", "true"),
        ("remote.origin.tagOpt", "--tags"),
        ("core.pager", "false"),
        ("color.ui", "always"),
        ("log.showSignature", "true"),
        ("tag.gpgSign", "true"),
        ("push.followTags", "true"),
    ):
        clone.git("config", key, value)
    before = clone.refs()
    seen = facts.read(repo)
    assert (seen.tags, seen.heads, clone.refs()) == (expected.tags, expected.heads, before)


def test_a_plain_git_fetch_brings_the_ledger_and_promotions_after_the_refspec_is_set(
    bare: Bare, clone: Clone, repo: Repo, tmp_path: Path
) -> None:
    set_fetch_refspec(repo)
    set_fetch_refspec(repo)
    clone.git("fetch", "--quiet", "--prune")
    other = bare.clone(tmp_path / "other")
    other.tag("promote/prod/wine/1", message="please")
    other.push("HEAD:refs/tagline/ledger")
    facts.read(repo)
    clone.git("fetch", "--quiet", "--prune")
    assert "refs/tags/promote/prod/wine/1" in clone.refs()
    assert clone.git("rev-parse", "refs/tagline/origin/ledger", "refs/tagline/origin/heads/main")
    assert len(clone.git("config", "--get-all", "remote.origin.fetch").splitlines()) == 3


def test_four_thousand_tags_are_read_in_one_pass(clone: Clone, repo: Repo) -> None:
    many_tags(clone, 4000)
    assert len(facts.read(repo).tags) == 4000
