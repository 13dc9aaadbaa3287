"""The jobs of the GitLab component that ask GitLab's API: a tag only wakes, and a report becomes one comment."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ci.gitlab.world import MERGE_REQUEST, GitLab, a_gitlab, tagged
from tests.fakes.hosts.gitlab import FakeGitLab


@pytest.fixture
def api() -> Iterator[FakeGitLab]:
    host = FakeGitLab()
    with host.running():
        yield host


@pytest.fixture
def gitlab(tmp_path: Path) -> Iterator[GitLab]:
    with a_gitlab(tmp_path) as made:
        yield made


def test_a_tags_pipeline_wakes_one_of_the_default_branch(gitlab: GitLab, api: FakeGitLab) -> None:
    variables = tagged("promote/prod/tiny/1") | {"CI_API_V4_URL": api.api, "TAGLINE_WAKE_TOKEN": "glptt-ours"}
    done = gitlab.pipeline(variables)
    assert done.code == 0, done.out
    assert api.pipelines == ["main"]


def test_a_tags_pipeline_without_a_token_leaves_it_to_the_schedule(gitlab: GitLab, api: FakeGitLab) -> None:
    done = gitlab.pipeline(tagged("promote/prod/tiny/1") | {"CI_API_V4_URL": api.api})
    assert done.code == 0, done.out
    assert "the schedule acts on it" in done.out
    assert api.pipelines == []


def test_a_merge_requests_report_is_one_comment_however_often_it_is_checked(
    gitlab: GitLab, api: FakeGitLab
) -> None:
    gitlab.clone.git("switch", "--quiet", "--create", "feature")
    (gitlab.clone.path / "src/note.py").write_text("")
    gitlab.clone.commit("fix: a note")
    gitlab.clone.git("push", "--quiet", "origin", "feature")
    variables = MERGE_REQUEST | {"CI_API_V4_URL": api.api, "TAGLINE_COMMENT_TOKEN": "glpat-bot"}
    for _ in range(2):
        done = gitlab.pipeline(variables)
        assert done.code == 0, done.out
    (comment,) = api.notes[7]
    assert comment["body"].startswith("Merging")
