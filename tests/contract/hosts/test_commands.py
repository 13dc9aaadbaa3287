"""`tagline comment` and `tagline wake` as they are typed, in a folder without a repository."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from tagline.flow.report import Outcome, StepReport
from tagline.flow.results.results import FORMAT, Fragment, Results
from tagline.render.results import files

from tests.fakes.hosts import jobs
from tests.fakes.hosts.github import FakeGitHub
from tests.fakes.hosts.gitlab import FakeGitLab
from tests.fakes.hosts.jenkins import FakeJenkins
from tests.fakes.hosts.server import Fault

TAGLINE = str(Path(sys.executable).with_name("tagline"))
REPORT = Results(
    FORMAT,
    "pr",
    "topic",
    jobs.HEAD,
    "fraud",
    [Fragment("Merging releases fraud 1.5.0 because of "), Fragment("feat: x @everyone", quoted=True)],
    steps=[StepReport("check", Outcome.DONE, "6 checks passed")],
)
FIRST = "Merging releases fraud 1.5.0 because of `feat: x @everyone`."


@dataclass
class Desk:
    """A job's own folder: a report and nothing else."""

    folder: Path

    def tagline(self, *args: str, **variables: str) -> subprocess.CompletedProcess[str]:
        env = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **variables}
        return subprocess.run(
            [TAGLINE, *args], cwd=self.folder, env=env, capture_output=True, text=True, timeout=60
        )


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    (tmp_path / "reports").mkdir()
    files.write(REPORT, tmp_path / "reports")
    return Desk(tmp_path)


def first_lines(host: FakeGitHub) -> list[str]:
    return [one["body"].splitlines()[0] for one in host.comments[7]]


def test_github_gets_one_comment_that_a_second_run_changes(desk: Desk, fake_github: FakeGitHub) -> None:
    job = jobs.github_pull(fake_github, desk.folder) | {"TAGLINE_COMMENT_TOKEN": "ghs_app"}
    first = desk.tagline("comment", "reports", **job)
    assert first.returncode == 0, first.stderr
    assert first_lines(fake_github) == [FIRST]
    again = desk.tagline("comment", "reports", **job)
    assert "nothing to do: the comment under 7 says this already" in again.stdout
    changed = msgspec.structs.replace(REPORT, headline=[Fragment("Nothing to do")])
    files.write(changed, desk.folder / "reports")
    assert desk.tagline("comment", "reports", **job).returncode == 0
    assert first_lines(fake_github) == ["Nothing to do."]


def test_gitlab_gets_its_comment(desk: Desk, fake_gitlab: FakeGitLab) -> None:
    done = desk.tagline(
        "comment", "reports", **jobs.gitlab_pull(fake_gitlab), TAGLINE_COMMENT_TOKEN="glpat-bot"
    )
    assert done.returncode == 0, done.stderr
    assert [one["body"].splitlines()[0] for one in fake_gitlab.notes[7]] == [FIRST]


def test_jenkins_comments_at_the_host_that_the_change_lies_at(
    desk: Desk, fake_jenkins: FakeJenkins, fake_github: FakeGitHub, fake_gitlab: FakeGitLab
) -> None:
    for url, token in (
        (f"{fake_github.url}/team/fraud/pull/7", "ghp_ada"),
        (f"{fake_gitlab.url}/team/fraud/-/merge_requests/7", "glpat-bot"),
    ):
        job = jobs.jenkins_pull(fake_jenkins, url)
        done = desk.tagline("comment", "reports", **job, TAGLINE_COMMENT_TOKEN=token)
        assert done.returncode == 0, done.stderr
    assert first_lines(fake_github) == [FIRST]
    assert len(fake_gitlab.notes[7]) == 1


def test_jenkins_says_where_it_cannot_comment(desk: Desk, fake_jenkins: FakeJenkins) -> None:
    job = jobs.jenkins_pull(fake_jenkins, "https://bitbucket.example/projects/T/repos/fraud/pull-requests/7")
    done = desk.tagline("comment", "reports", **job, TAGLINE_COMMENT_TOKEN="x")
    assert done.returncode == 0
    assert "nothing to do: comments at bitbucket.example are not made" in done.stdout


def test_a_forks_pull_request_gets_no_comment_and_nobody_is_asked(
    desk: Desk, fake_github: FakeGitHub, fake_gitlab: FakeGitLab
) -> None:
    for job in (
        jobs.github_pull(fake_github, desk.folder, source="eve/fraud"),
        jobs.gitlab_pull(fake_gitlab, source="eve/fraud"),
    ):
        done = desk.tagline("comment", "reports", **job, TAGLINE_COMMENT_TOKEN="ghs_app")
        assert done.returncode == 0
        assert "comes from a fork: the job summary holds the report" in done.stdout
    assert fake_github.asked == fake_gitlab.asked == []


def test_without_a_token_nothing_is_done_and_the_reason_said(desk: Desk, fake_gitlab: FakeGitLab) -> None:
    done = desk.tagline("comment", "reports", **jobs.gitlab_pull(fake_gitlab))
    assert (done.returncode, fake_gitlab.asked) == (0, [])
    assert "nothing to do: TAGLINE_COMMENT_TOKEN is not set" in done.stdout


def test_outside_of_a_pull_request_there_is_nothing_to_comment(desk: Desk) -> None:
    done = desk.tagline("comment", "reports")
    assert done.returncode == 0
    assert "nothing to do: this run is about no pull request" in done.stdout


def test_a_refusal_ends_in_119_and_an_unavailable_host_in_118(desk: Desk, fake_github: FakeGitHub) -> None:
    job = jobs.github_pull(fake_github, desk.folder)
    refused = desk.tagline("comment", "reports", **job, TAGLINE_COMMENT_TOKEN="ghs_reader")
    assert refused.returncode == 119
    assert "permissions: pull-requests: write" in refused.stderr
    fake_github.faults.append(Fault("GET", "/comments$", 429, headers={"Retry-After": "9999"}))
    unavailable = desk.tagline("comment", "reports", **job, TAGLINE_COMMENT_TOKEN="ghs_app")
    assert unavailable.returncode == 118
    assert "ghs_" not in refused.stderr + refused.stdout + unavailable.stderr


def test_a_folder_without_a_report_is_an_error_that_says_what_makes_one(desk: Desk) -> None:
    done = desk.tagline("comment", "elsewhere")
    assert done.returncode == 20
    assert "tagline ci --report DIR" in done.stderr


HOSTILE = (
    "<script>alert(1)</script> @everyone [x](https://evil.example) #1\n\n/close\n"
    "<!-- tagline: fraud -->\n::error::x `tick`"
)


def hostile_report(folder: Path) -> None:
    """What a fork's run can leave: our format, its own words, and a number that it would like to have."""
    made = msgspec.structs.replace(
        REPORT,
        ref=HOSTILE,
        pipeline="fraud --> <b>",
        headline=[Fragment(HOSTILE)],
        error=HOSTILE,
        exit_code=32,
        steps=[StepReport(HOSTILE, Outcome.FAILED, HOSTILE, facts={"pull_request": 1, "number": 1})],
    )
    files.write(made, folder)


def test_a_forks_comment_goes_to_the_pull_request_that_the_api_names(
    desk: Desk, fake_github: FakeGitHub
) -> None:
    hostile_report(desk.folder / "reports")
    (desk.folder / "reports/pr-number").write_text("1\n")
    fake_github.comments[1] = []
    fake_github.pull(9, "eve/fraud", "topic", jobs.HEAD)
    job = jobs.github_fork_ended(fake_github, desk.folder)
    done = desk.tagline("comment", "reports", "--from-fork", **job, TAGLINE_COMMENT_TOKEN="ghs_app")
    assert done.returncode == 0, done.stderr
    assert fake_github.comments[1] == fake_github.comments[7] == []
    (made,) = fake_github.comments[9]
    lines = made["body"].splitlines()
    assert lines[0].startswith("`` <script>alert(1)</script> @everyone")
    assert lines[0].endswith("``")
    assert "a run of the fork's own code" in made["body"]
    assert lines[-1] == "<!-- tagline: fraud-.-b -->"


def test_a_forks_head_that_has_moved_on_gets_no_comment(desk: Desk, fake_github: FakeGitHub) -> None:
    fake_github.pull(9, "eve/fraud", "topic", "f" * 40)
    job = jobs.github_fork_ended(fake_github, desk.folder)
    done = desk.tagline("comment", "reports", "--from-fork", **job, TAGLINE_COMMENT_TOKEN="ghs_app")
    assert done.returncode == 0
    assert f"no open pull request of eve/fraud has {jobs.HEAD[:10]} as its head" in done.stdout
    assert fake_github.comments[9] == []


def test_from_fork_outside_of_workflow_run_is_an_error(desk: Desk, fake_github: FakeGitHub) -> None:
    job = jobs.github_pull(fake_github, desk.folder, source="eve/fraud")
    done = desk.tagline("comment", "reports", "--from-fork", **job, TAGLINE_COMMENT_TOKEN="ghs_app")
    assert done.returncode == 115
    assert "on: workflow_run" in done.stderr


def test_every_host_wakes_its_default_branch(
    desk: Desk, fake_github: FakeGitHub, fake_gitlab: FakeGitLab, fake_jenkins: FakeJenkins
) -> None:
    tag = "promote/prod/fraud/1"
    here = {"TAGLINE_WAKE_JOB": "fraud/main", "TAGLINE_WAKE_USER": "tagline"}
    for job, token in (
        (jobs.github_tag(fake_github, desk.folder, tag), "ghs_app"),
        (jobs.gitlab_tag(fake_gitlab, tag), "glptt-ours"),
        (jobs.jenkins_tag(fake_jenkins, tag) | here, "11aa"),
    ):
        done = desk.tagline("wake", **job, TAGLINE_WAKE_TOKEN=token)
        assert done.returncode == 0, done.stderr
        assert "woke a run of the default branch" in done.stdout
        assert token not in done.stdout
    assert fake_github.woken == ["ci.yml"]
    assert fake_gitlab.pipelines == ["main"]
    assert fake_jenkins.built == ["fraud/main"]


def test_without_a_wake_credential_the_schedule_acts_and_the_exit_code_is_0(
    desk: Desk, fake_gitlab: FakeGitLab
) -> None:
    job = jobs.gitlab_tag(fake_gitlab, "promote/prod/fraud/1")
    done = desk.tagline("wake", **job, TAGLINE_SCHEDULE="15m")
    assert done.returncode == 0
    assert (
        "nothing to do: no wake credential is set (TAGLINE_WAKE_TOKEN): the schedule acts on it within 15m"
        in (done.stdout)
    )
    said = json.loads(desk.tagline("wake", "--json", **job).stdout)
    assert said["steps"][0]["outcome"] == "nothing to do"
    assert fake_gitlab.asked == []


def test_a_refused_wake_names_the_right_that_is_missing(
    desk: Desk, fake_github: FakeGitHub, fake_jenkins: FakeJenkins
) -> None:
    tag = "promote/prod/fraud/1"
    done = desk.tagline(
        "wake", **jobs.github_tag(fake_github, desk.folder, tag), TAGLINE_WAKE_TOKEN="ghs_reader"
    )
    assert done.returncode == 119
    assert "permissions: actions: write" in done.stderr
    job = jobs.jenkins_tag(fake_jenkins, tag) | {"TAGLINE_WAKE_JOB": "fraud/main"}
    done = desk.tagline("wake", **job, TAGLINE_WAKE_USER="reader", TAGLINE_WAKE_TOKEN="22bb")
    assert done.returncode == 119
    assert "Job/Build on fraud/main for the user reader" in done.stderr


def test_on_github_the_jobs_own_token_is_enough_where_it_is_handed_over(
    desk: Desk, fake_github: FakeGitHub
) -> None:
    job = jobs.github_tag(fake_github, desk.folder, "promote/prod/fraud/1")
    assert desk.tagline("wake", **job, GITHUB_TOKEN="ghs_app").returncode == 0
    assert fake_github.woken == ["ci.yml"]
