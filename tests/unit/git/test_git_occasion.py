"""Why CI was called: said by the caller, or told from what is checked out."""

import pytest
from tagline.errors import AmbiguousHead, BadWord, NotOnALine, RepositoryError, UnknownName
from tagline.git import events as ev
from tagline.git import facts
from tagline.git.fold import fold
from tagline.git.occasion import Event, Occasion, occasion
from tagline.git.repo import Repo
from tagline.git.state import State
from tagline.words import Promotion

from tests.fakes.repositories import Clone

FIRST = Promotion("prod", "wine", 1)


def what(
    repo: Repo, event: str | None = None, ref: str | None = None, state: State | None = None
) -> Occasion:
    return occasion(repo, facts.read(repo), state or State(), event=event, ref=ref)


def detached(clone: Clone) -> str:
    clone.git("checkout", "--quiet", "--detach")
    return clone.head()


def test_the_default_branch_checked_out_is_a_merge(clone: Clone, repo: Repo) -> None:
    assert what(repo) == Occasion(Event.MERGE, "main", clone.head())


def test_another_branch_checked_out_is_a_pull_request(clone: Clone, repo: Repo) -> None:
    clone.git("switch", "--quiet", "-c", "topic")
    assert what(repo) == Occasion(Event.PR, "topic", clone.head())


def test_the_default_branch_with_a_commit_that_nobody_pushed_is_an_error(clone: Clone, repo: Repo) -> None:
    clone.commit("feat: here only", {"a": "b"})
    with pytest.raises(NotOnALine) as caught:
        what(repo)
    assert "git push origin HEAD:main" in caught.value.fix


def test_a_default_branch_behind_the_remote_is_still_a_merge(clone: Clone, repo: Repo) -> None:
    clone.commit("feat: x", {"a": "b"})
    clone.push()
    clone.git("reset", "--quiet", "--hard", "HEAD~1")
    assert what(repo).event is Event.MERGE


def test_a_detached_head_with_exactly_one_open_promotion_is_its_tag(clone: Clone, repo: Repo) -> None:
    clone.tag(str(FIRST), message="please")
    assert what(repo).event is Event.MERGE
    commit = detached(clone)
    assert what(repo) == Occasion(Event.TAG, str(FIRST), commit, FIRST)


def test_a_detached_head_with_two_open_promotions_is_ambiguous(clone: Clone, repo: Repo) -> None:
    clone.tag("promote/prod/wine/1", message="please")
    clone.tag("promote/staging/wine/1", message="please")
    detached(clone)
    with pytest.raises(AmbiguousHead, match="2 open promotions") as caught:
        what(repo)
    assert "--event tag --ref promote/staging/wine/1" in caught.value.fix


def test_a_promotion_that_has_ended_does_not_decide_for_a_detached_head(clone: Clone, repo: Repo) -> None:
    clone.tag(str(FIRST), message="please")
    commit = detached(clone)
    state = fold([ev.Failed(env="prod", model="wine", n=1, why="x")])
    assert what(repo, state=state) == Occasion(Event.MERGE, "main", commit)


def test_a_detached_head_in_one_remote_branch_is_that_branch(clone: Clone, repo: Repo) -> None:
    clone.git("switch", "--quiet", "-c", "topic")
    clone.commit("feat: x", {"a": "b"})
    clone.push()
    commit = detached(clone)
    assert what(repo) == Occasion(Event.PR, "topic", commit)


def test_a_detached_head_in_several_remote_branches_is_ambiguous(clone: Clone, repo: Repo) -> None:
    clone.push("HEAD:refs/heads/topic")
    detached(clone)
    with pytest.raises(AmbiguousHead, match="2 branches of the remote: main, topic"):
        what(repo)


def test_a_detached_head_in_no_remote_branch_is_ambiguous(clone: Clone, repo: Repo) -> None:
    detached(clone)
    clone.commit("feat: x", {"a": "b"})
    with pytest.raises(AmbiguousHead, match="no branch"):
        what(repo)


def test_a_local_tag_that_was_never_pushed_does_not_decide(clone: Clone, repo: Repo) -> None:
    clone.tag(str(FIRST), message="please", push=False)
    detached(clone)
    assert what(repo).event is Event.MERGE


@pytest.mark.parametrize("ref", ["promote/prod/wine/1", "refs/tags/promote/prod/wine/1"])
def test_a_tag_event_is_about_the_commit_of_the_tag(clone: Clone, repo: Repo, ref: str) -> None:
    clone.tag(str(FIRST), message="please")
    old = clone.head()
    clone.commit("feat: x", {"a": "b"})
    assert what(repo, "tag", ref) == Occasion(Event.TAG, str(FIRST), old, FIRST)


def test_a_release_tag_is_a_tag_without_a_promotion(clone: Clone, repo: Repo) -> None:
    clone.tag("v0.1.0")
    assert what(repo, "tag", "v0.1.0").promotion is None


def test_a_tag_event_for_a_tag_that_the_remote_lacks_prints_the_push(clone: Clone, repo: Repo) -> None:
    clone.tag(str(FIRST), message="please", push=False)
    with pytest.raises(RepositoryError) as caught:
        what(repo, "tag", str(FIRST))
    assert f"git push origin refs/tags/{FIRST}" in caught.value.fix


@pytest.mark.parametrize(("event", "ref"), [("tag", None), (None, "main")])
def test_half_an_event_is_refused(repo: Repo, event: str | None, ref: str | None) -> None:
    with pytest.raises(BadWord):
        what(repo, event, ref)


def test_an_unknown_event_names_the_nearest(repo: Repo) -> None:
    with pytest.raises(UnknownName, match="unknown event 'merged'") as caught:
        what(repo, "merged")
    assert "did you mean 'merge'?" in caught.value.fix


def test_a_merge_into_a_branch_that_releases_nothing_is_refused(clone: Clone, repo: Repo) -> None:
    clone.push("HEAD:refs/heads/topic")
    with pytest.raises(UnknownName):
        what(repo, "merge", "topic")


def test_a_merge_into_a_release_branch_is_a_merge(clone: Clone, repo: Repo) -> None:
    clone.push("HEAD:refs/heads/release/0.1")
    assert what(repo, "merge", "refs/heads/release/0.1").ref == "release/0.1"


def test_a_schedule_is_about_the_default_branchs_head_whatever_is_checked_out(
    clone: Clone, repo: Repo
) -> None:
    head = clone.head()
    clone.git("switch", "--quiet", "-c", "topic")
    clone.commit("feat: x", {"a": "b"})
    assert what(repo, "schedule") == Occasion(Event.SCHEDULE, "main", head)


def test_a_pull_request_event_names_its_branch_on_a_detached_head(clone: Clone, repo: Repo) -> None:
    commit = detached(clone)
    assert what(repo, "pr", "refs/heads/topic") == Occasion(Event.PR, "topic", commit)


def test_a_pull_request_event_for_a_branch_that_is_not_checked_out_names_both(
    clone: Clone, repo: Repo
) -> None:
    main = clone.head()
    clone.git("switch", "--quiet", "--create", "topic")
    there = clone.commit("feat: other")
    clone.push()
    clone.git("switch", "--quiet", "main")
    with pytest.raises(AmbiguousHead, match=rf"{main[:10]}.*topic is {there[:10]}"):
        what(repo, "pr", "topic")


@pytest.mark.parametrize("event", ["pr", "schedule"])
def test_a_branch_that_is_not_there_is_an_error_that_names_the_nearest(repo: Repo, event: str) -> None:
    with pytest.raises(UnknownName, match="unknown branch") as caught:
        what(repo, event, "mian")
    assert "did you mean 'main'?" in caught.value.fix


def test_a_branch_here_that_nobody_pushed_is_a_pull_request(clone: Clone, repo: Repo) -> None:
    clone.git("switch", "--quiet", "-c", "topic")
    assert what(repo, "pr", "topic").ref == "topic"


def test_a_detached_head_may_be_of_a_branch_that_only_the_host_knows(clone: Clone, repo: Repo) -> None:
    detached(clone)
    assert what(repo, "pr", "refs/pull/7/merge").event is Event.PR


def test_a_schedule_may_name_the_branch_that_it_is_about_anyway(repo: Repo) -> None:
    assert what(repo, "schedule", "refs/heads/main").ref == "main"
