"""The variables of a job at each fake host, as its own documentation names them."""

import json
from pathlib import Path
from typing import Any

from tests.fakes.hosts.github import FakeGitHub
from tests.fakes.hosts.gitlab import FakeGitLab
from tests.fakes.hosts.jenkins import FakeJenkins

HEAD = "c" * 40


def github_job(
    host: FakeGitHub, folder: Path, event: str, payload: dict[str, Any], ref: str
) -> dict[str, str]:
    """A job of GitHub Actions; the event's payload lies in a file, as there."""
    file = folder / "event.json"
    file.write_text(
        json.dumps({"repository": {"full_name": host.repository, "default_branch": "main"}} | payload)
    )
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": event,
        "GITHUB_EVENT_PATH": str(file),
        "GITHUB_REF": ref,
        "GITHUB_API_URL": host.api,
        "GITHUB_REPOSITORY": host.repository,
        "GITHUB_WORKFLOW_REF": f"{host.repository}/.github/workflows/ci.yml@{ref}",
    }


def github_pull(host: FakeGitHub, folder: Path, *, source: str = "team/fraud") -> dict[str, str]:
    """A pull request's job, number 7, from this repository or a fork."""
    head = {"ref": "topic", "sha": HEAD, "repo": {"full_name": source}}
    pull = {"number": 7, "head": head, "base": {"ref": "main", "sha": "d" * 40}}
    return github_job(host, folder, "pull_request", {"number": 7, "pull_request": pull}, "refs/pull/7/merge")


def github_fork_ended(
    host: FakeGitHub, folder: Path, branch: str = "topic", commit: str = HEAD
) -> dict[str, str]:
    """The job of a `workflow_run`, after a run of eve's fork has ended."""
    run = {"head_sha": commit, "head_branch": branch, "head_repository": {"full_name": "eve/fraud"}}
    payload = {"workflow_run": run | {"pull_requests": []}}
    return github_job(host, folder, "workflow_run", payload, "refs/heads/main")


def github_tag(host: FakeGitHub, folder: Path, tag: str) -> dict[str, str]:
    """The job of a tag that was pushed."""
    return github_job(host, folder, "push", {}, f"refs/tags/{tag}")


def gitlab_job(host: FakeGitLab, **more: str) -> dict[str, str]:
    """A job of GitLab CI."""
    own = {"GITLAB_CI": "true", "CI_API_V4_URL": host.api, "CI_PROJECT_ID": "42"}
    return own | {"CI_PIPELINE_SOURCE": "push", "CI_DEFAULT_BRANCH": "main", "CI_COMMIT_SHA": HEAD} | more


def gitlab_pull(host: FakeGitLab, *, source: str = "team/fraud") -> dict[str, str]:
    """A merge request's job, number 7."""
    return gitlab_job(
        host,
        CI_PIPELINE_SOURCE="merge_request_event",
        CI_MERGE_REQUEST_IID="7",
        CI_MERGE_REQUEST_PROJECT_ID="42",
        CI_MERGE_REQUEST_PROJECT_PATH="team/fraud",
        CI_MERGE_REQUEST_SOURCE_PROJECT_PATH=source,
        CI_MERGE_REQUEST_SOURCE_BRANCH_NAME="topic",
        CI_MERGE_REQUEST_TARGET_BRANCH_NAME="main",
    )


def gitlab_tag(host: FakeGitLab, tag: str) -> dict[str, str]:
    """The job of a tag that was pushed."""
    return gitlab_job(host, CI_COMMIT_TAG=tag)


def jenkins_job(host: FakeJenkins, **more: str) -> dict[str, str]:
    """A build of Jenkins."""
    return {"JENKINS_URL": f"{host.url}/", "BUILD_TAG": "jenkins-fraud-main-1"} | more


def jenkins_pull(host: FakeJenkins, url: str) -> dict[str, str]:
    """A build of a change at another host, whose address it is given."""
    change = {"CHANGE_ID": "7", "CHANGE_URL": url, "CHANGE_BRANCH": "topic", "CHANGE_TARGET": "main"}
    return jenkins_job(host, BRANCH_NAME="PR-7", **change)


def jenkins_tag(host: FakeJenkins, tag: str) -> dict[str, str]:
    """A build of a tag."""
    return jenkins_job(host, BRANCH_NAME=tag, TAG_NAME=tag)
