"""The hosts to hold to the contract: a fake on loopback, and a real one where a variable names it.

TAGLINE_REAL_GITHUB="https://api.github.com owner/name NUMBER WORKFLOW" and TAGLINE_REAL_GITHUB_TOKEN,
TAGLINE_REAL_GITLAB="https://gitlab.com/api/v4 project NUMBER BRANCH" and TAGLINE_REAL_GITLAB_TOKEN,
TAGLINE_REAL_JENKINS="https://jenkins.example JOB USER" and TAGLINE_REAL_JENKINS_TOKEN. NUMBER is a pull request
whose comments may be written over; each wake starts a real run.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from tagline.hosts.api.github import GitHub
from tagline.hosts.api.gitlab import GitLab
from tagline.hosts.api.http import Patience
from tagline.hosts.api.jenkins import Jenkins
from tagline.hosts.api.token import Token

from tests.fakes.hosts.github import FakeGitHub
from tests.fakes.hosts.gitlab import FakeGitLab
from tests.fakes.hosts.jenkins import FakeJenkins

QUICK = Patience(piece=0.4, whole=0.8, waits=(0.01, 0.02), longest=5.0)
REAL = Patience()


@dataclass
class Subject:
    """A host's client, and the number of a pull request there."""

    client: GitHub | GitLab
    number: int


def real(host: str) -> list[str]:
    return [host] if os.environ.get(f"TAGLINE_REAL_{host.upper()}") else []


def words_of(host: str) -> tuple[list[str], Token]:
    name = f"TAGLINE_REAL_{host.upper()}"
    return os.environ[name].split(), Token(os.environ[f"{name}_TOKEN"])


@pytest.fixture
def fake_github() -> Iterator[FakeGitHub]:
    host = FakeGitHub()
    with host.running():
        yield host


@pytest.fixture
def fake_gitlab() -> Iterator[FakeGitLab]:
    host = FakeGitLab()
    with host.running():
        yield host


@pytest.fixture
def fake_jenkins() -> Iterator[FakeJenkins]:
    host = FakeJenkins()
    with host.running():
        yield host


def github_at(host: FakeGitHub, token: str = "ghs_app", workflow: str = "ci.yml") -> GitHub:
    return GitHub(host.api, host.repository, Token(token), workflow, QUICK)


def gitlab_at(host: FakeGitLab, token: str = "glpat-bot", branch: str = "main") -> GitLab:
    return GitLab(host.api, "team/fraud", Token(token), branch, QUICK)


def jenkins_at(host: FakeJenkins, user: str = "tagline", password: str = "11aa") -> Jenkins:
    return Jenkins(host.url, "fraud/main", user, Token(password), QUICK)


@pytest.fixture(
    params=["fake github app", "fake github person", "fake gitlab", *real("github"), *real("gitlab")]
)
def subject(request: pytest.FixtureRequest, fake_github: FakeGitHub, fake_gitlab: FakeGitLab) -> Subject:
    """Every host where comments are written."""
    match request.param:
        case "fake github app":
            return Subject(github_at(fake_github), 7)
        case "fake github person":
            return Subject(github_at(fake_github, "ghp_ada"), 7)
        case "fake gitlab":
            return Subject(gitlab_at(fake_gitlab), 7)
        case "github":
            (base, repository, number, workflow), token = words_of("github")
            return Subject(GitHub(base, repository, token, workflow, REAL), int(number))
        case _:
            (base, project, number, branch), token = words_of("gitlab")
            return Subject(GitLab(base, project, token, branch, REAL), int(number))


@pytest.fixture(
    params=[
        "fake github",
        "fake gitlab",
        "fake gitlab trigger",
        "fake jenkins",
        "fake jenkins without crumbs",
        *real("github"),
        *real("gitlab"),
        *real("jenkins"),
    ]
)
def waking(
    request: pytest.FixtureRequest,
    fake_github: FakeGitHub,
    fake_gitlab: FakeGitLab,
    fake_jenkins: FakeJenkins,
) -> GitHub | GitLab | Jenkins:
    """Every way to wake the default branch."""
    match request.param:
        case "fake github":
            return github_at(fake_github)
        case "fake gitlab":
            return gitlab_at(fake_gitlab)
        case "fake gitlab trigger":
            return gitlab_at(fake_gitlab, "glptt-ours")
        case "fake jenkins without crumbs":
            fake_jenkins.crumbs = False
            return jenkins_at(fake_jenkins)
        case "fake jenkins":
            return jenkins_at(fake_jenkins)
        case "github":
            (base, repository, _, workflow), token = words_of("github")
            return GitHub(base, repository, token, workflow, REAL)
        case "gitlab":
            (base, project, _, branch), token = words_of("gitlab")
            return GitLab(base, project, token, branch, REAL)
        case _:
            (base, job, user), token = words_of("jenkins")
            return Jenkins(base, job, user, token, REAL)
