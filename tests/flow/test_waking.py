"""A tag on a CI host: its job looks at the tag and wakes a run of the default branch; it never promotes."""

from collections.abc import Iterator

import pytest

from tests.fakes.hosts import jobs
from tests.fakes.hosts.gitlab import FakeGitLab
from tests.flow.stage import Desk

TAG = "promote/prod/tiny/1"
WAKER = {"TAGLINE_WAKE_TOKEN": "glptt-ours"}


@pytest.fixture
def host() -> Iterator[FakeGitLab]:
    made = FakeGitLab()
    with made.running():
        yield made


def test_the_tags_job_checks_the_tag_wakes_the_default_branch_and_promotes_nothing(
    released: Desk, host: FakeGitLab
) -> None:
    assert released.tagline("promote", "tiny", "--to", "prod").code == 0
    before = released.kinds()
    job = jobs.gitlab_tag(host, TAG)
    planned = released.tagline("ci", "--dry-run", "--json", **job).json()["steps"]
    assert [step["type"] for step in planned] == ["CheckTag", "Wake"]
    assert "only a run of the default branch" in planned[1]["reason"]
    done = released.tagline("ci", **job, **WAKER)
    assert done.code == 0, done
    assert host.pipelines == ["main"]
    assert "asks for 0.1.0-r1" in done.out
    assert released.kinds() == before
    assert "promoted" not in before


def test_the_run_that_was_woken_promotes(released: Desk, host: FakeGitLab) -> None:
    assert released.tagline("promote", "tiny", "--to", "prod").code == 0
    job = jobs.gitlab_job(host, CI_PIPELINE_SOURCE="trigger", CI_COMMIT_BRANCH="main")
    planned = released.tagline("ci", "--dry-run", "--json", **job).json()["steps"]
    assert [step["type"] for step in planned] == ["Promote"]


def test_a_tag_that_nobody_could_act_on_wakes_nobody(released: Desk, host: FakeGitLab) -> None:
    released.clone.git("switch", "--quiet", "--create", "topic")
    released.clone.commit("feat: unmerged")
    released.clone.push()
    released.clone.tag(TAG, message="Promote")
    done = released.tagline("ci", **jobs.gitlab_tag(host, TAG), **WAKER)
    assert done.code == 46, done
    assert (host.asked, released.kinds()[-1]) == ([], "trained")


@pytest.mark.parametrize(
    "more", [["--env", "prod"], ["--event", "schedule"], ["--event", "schedule", "--env", "prod"]]
)
@pytest.mark.parametrize("job", ["pull", "topic", "tag"])
def test_no_run_but_the_default_branchs_promotes_whatever_it_asks_for(
    released: Desk, host: FakeGitLab, job: str, more: list[str]
) -> None:
    assert released.tagline("promote", "tiny", "--to", "prod").code == 0
    before = released.kinds()
    given = {
        "pull": jobs.gitlab_pull(host),
        "topic": jobs.gitlab_job(host, CI_PIPELINE_SOURCE="schedule", CI_COMMIT_BRANCH="topic"),
        "tag": jobs.gitlab_tag(host, TAG),
    }[job]
    found = released.tagline("ci", *more, **given)
    if job == "tag" and more == ["--env", "prod"]:
        assert found.code == 0, found  # it wakes, or says who acts
    else:
        assert found.code == 115, found
        assert "promotions are acted on by a run of main" in found.err
    assert released.kinds() == before


def test_an_unknown_environment_wakes_nobody(released: Desk, host: FakeGitLab) -> None:
    released.clone.tag("promote/prd/tiny/1", message="Promote")
    done = released.tagline("ci", **jobs.gitlab_tag(host, "promote/prd/tiny/1"), **WAKER)
    assert done.code == 21, done
    assert "prod" in done.err
    assert host.asked == []


def test_without_a_wake_credential_the_job_is_green_and_says_who_acts(
    released: Desk, host: FakeGitLab
) -> None:
    assert released.tagline("promote", "tiny", "--to", "prod").code == 0
    done = released.tagline("ci", **jobs.gitlab_tag(host, TAG), TAGLINE_SCHEDULE="15m")
    assert done.code == 0, done
    assert "no wake credential is set (TAGLINE_WAKE_TOKEN): the schedule acts on it within 15m" in done.out
