"""The jobs of the GitHub workflow that ask GitHub's API: a tag only wakes, and a report becomes one comment."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ci.github.test_hand_over import of_the_branch
from tests.ci.github.world import FORK, PULL_REQUEST, TAG, GitHub, a_github
from tests.fakes.hosts.github import FakeGitHub


@pytest.fixture
def api() -> Iterator[FakeGitHub]:
    host = FakeGitHub()
    host.repository = "team/tiny"
    with host.running():
        yield host


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHub]:
    """A project with the merge commit of a pull request checked out."""
    with a_github(tmp_path) as made:
        made.clone.git("switch", "--quiet", "--create", "feature")
        (made.clone.path / "src/note.py").write_text("")
        made.clone.commit("fix: a note")
        made.clone.git("push", "--quiet", "origin", "feature")
        made.clone.git("switch", "--quiet", "--detach", "main")
        made.clone.git("merge", "--quiet", "--no-ff", "-m", "Merge feature into main", "feature")
        yield made


def asking(api: FakeGitHub) -> list[str]:
    """act's options for the address of the API, and for the caller's workflow, which act does not name."""
    return ["--env", f"GITHUB_API_URL={api.api}", "--env", "TAGLINE_WAKE_WORKFLOW=ci.yml"]


def test_a_tags_run_wakes_one_of_the_default_branch(github: GitHub, api: FakeGitHub) -> None:
    done = github.act("push", TAG, asking(api))
    assert done.code == 0, done.out
    assert api.woken == ["ci.yml"]


def test_a_pull_requests_report_is_one_comment_however_often_it_is_checked(
    github: GitHub, api: FakeGitHub
) -> None:
    for _ in range(2):
        done = github.act("pull_request", of_the_branch(github, PULL_REQUEST), asking(api))
        assert done.code == 0, done.out
    (comment,) = api.comments[7]
    assert comment["body"].startswith("Merging")


def test_a_forks_pull_request_is_checked_and_asks_nothing_of_the_api(github: GitHub, api: FakeGitHub) -> None:
    done = github.act("pull_request", of_the_branch(github, FORK), asking(api))
    assert done.code == 0, done.out
    assert api.asked == []
