"""Which API a job can ask, and with which token: read from the host's variables, or why there is nothing to ask."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import assert_never
from urllib.parse import urlsplit

import msgspec

from tagline.errors import EventNotUsable
from tagline.hosts import Host, detect
from tagline.hosts.api import Commenting, Guarding, Waking
from tagline.hosts.api.github import GitHub
from tagline.hosts.api.gitlab import GitLab
from tagline.hosts.api.jenkins import Jenkins
from tagline.hosts.api.token import Token
from tagline.hosts.reading import read_call

COMMENT_TOKEN = "TAGLINE_COMMENT_TOKEN"
WAKE_TOKEN = "TAGLINE_WAKE_TOKEN"
DOCTOR_TOKEN = "TAGLINE_DOCTOR_TOKEN"
WAKE_USER = "TAGLINE_WAKE_USER"
WAKE_JOB = "TAGLINE_WAKE_JOB"
WAKE_WORKFLOW = "TAGLINE_WAKE_WORKFLOW"
GITHUB_TOKEN = "GITHUB_TOKEN"
GITHUB_API = "https://api.github.com"
_GITHUB_PULL = re.compile(r"/([^/]+/[^/]+)/pull/([0-9]+)/?")
_GITLAB_MERGE = re.compile(r"/(.+?)(?:/-)?/merge_requests/([0-9]+)/?")
_WORKFLOW = re.compile(r"[^/]+/[^/]+/\.github/workflows/([^@]+)@.*")


class Absent(msgspec.Struct, frozen=True):
    """There is nothing to ask, and why."""

    why: str


class Thread(msgspec.Struct, frozen=True):
    """Where comments of one pull request go."""

    host: Commenting
    number: int


class ForkRun(msgspec.Struct, frozen=True):
    """The run of a fork that has ended: whose head it was, by GitHub's own event and not by what it left."""

    repository: str
    branch: str
    commit: str


def thread(environ: Mapping[str, str]) -> Thread | Absent:
    """The pull request that this run is about; raises `EventNotUsable` as reading the call does."""
    call = read_call(environ)
    if call is None or call.pull is None:
        return Absent("this run is about no pull request")
    if call.pull.fork:
        return Absent("the pull request comes from a fork: the job summary holds the report")
    token = _token(environ, COMMENT_TOKEN)
    if token is None:
        return Absent(f"{COMMENT_TOKEN} is not set: nobody may comment")
    match call.host:
        case Host.GITHUB:
            return Thread(_github(environ, token), call.pull.number)
        case Host.GITLAB:
            project = environ.get("CI_MERGE_REQUEST_PROJECT_ID") or environ.get("CI_PROJECT_ID", "")
            return Thread(GitLab(environ.get("CI_API_V4_URL", ""), project, token), call.pull.number)
        case Host.JENKINS:
            return _behind_jenkins(environ.get("CHANGE_URL", ""), token)
        case Host.GIT:
            return Absent("no CI host calls")
        case _:
            assert_never(call.host)


def _behind_jenkins(url: str, token: Token) -> Thread | Absent:
    """The host of the code, which the change's own address names; a Jenkins has no pull requests itself."""
    parts = urlsplit(url)
    server = f"{parts.scheme}://{parts.netloc}"
    github, gitlab = _GITHUB_PULL.fullmatch(parts.path), _GITLAB_MERGE.fullmatch(parts.path)
    if github:
        base = GITHUB_API if parts.netloc == "github.com" else f"{server}/api/v3"
        return Thread(GitHub(base, github[1], token), int(github[2]))
    if gitlab:
        return Thread(GitLab(f"{server}/api/v4", gitlab[1], token), int(gitlab[2]))
    return Absent(f"comments at {parts.netloc or 'this host'} are not made: comment.md is in the report")


def waking(environ: Mapping[str, str]) -> Waking | Absent:
    """What wakes a run of the default branch."""
    host = detect(environ)
    token = _token(environ, WAKE_TOKEN)
    if host is Host.GIT:
        return Absent("no CI host calls: there is nothing to wake")
    if token is None:
        return Absent(f"no wake credential is set ({WAKE_TOKEN})")
    match host:
        case Host.GITHUB:
            return _github(environ, token)
        case Host.GITLAB:
            base, project = environ.get("CI_API_V4_URL", ""), environ.get("CI_PROJECT_ID", "")
            return GitLab(base, project, token, environ.get("CI_DEFAULT_BRANCH", ""))
        case Host.JENKINS:
            job, user = environ.get(WAKE_JOB, ""), environ.get(WAKE_USER, "")
            if not job or not user or not environ.get("JENKINS_URL"):
                return Absent(f"{WAKE_JOB}, {WAKE_USER} and JENKINS_URL are needed beside {WAKE_TOKEN}")
            return Jenkins(environ["JENKINS_URL"], job, user, token)
        case _:
            assert_never(host)


def guarding(environ: Mapping[str, str]) -> Guarding | Absent:
    """What can be asked about the rules over tags."""
    host = detect(environ)
    token = _token(environ, DOCTOR_TOKEN)
    match host:
        case Host.GITHUB | Host.GITLAB if token is None:
            return Absent(f"{DOCTOR_TOKEN} is not set")
        case Host.GITHUB if token:
            return _github(environ, token)
        case Host.GITLAB if token:
            return GitLab(environ.get("CI_API_V4_URL", ""), environ.get("CI_PROJECT_ID", ""), token)
        case Host.JENKINS:
            return Absent("Jenkins keeps no tags: the host of the code does")
        case _:
            return Absent("no CI host calls here")


def fork_thread(environ: Mapping[str, str]) -> Thread | Absent:
    """The open pull request whose head a fork's ended run had, found by GitHub's API.

    Raises `EventNotUsable` where this is no `workflow_run`, `HostRefused`, `HostUnavailable`.
    """
    run = fork_run(environ)
    token = _token(environ, COMMENT_TOKEN)
    if token is None:
        return Absent(f"{COMMENT_TOKEN} is not set: nobody may comment")
    github = _github(environ, token)
    number = github.pull_request(run.repository, run.branch, run.commit)
    if number is None:
        return Absent(f"no open pull request of {run.repository} has {run.commit[:10]} as its head")
    return Thread(github, number)


class _Head(msgspec.Struct, frozen=True):
    full_name: str


class _Run(msgspec.Struct, frozen=True):
    head_sha: str
    head_branch: str
    head_repository: _Head


class _Payload(msgspec.Struct, frozen=True):
    workflow_run: _Run


def fork_run(environ: Mapping[str, str]) -> ForkRun:
    """The ended run that this `workflow_run` is about; raises `EventNotUsable`."""
    path, event = environ.get("GITHUB_EVENT_PATH", ""), environ.get("GITHUB_EVENT_NAME", "")
    fix = "on: workflow_run, in a workflow of the default branch"
    if event != "workflow_run":
        raise EventNotUsable(f"--from-fork goes with workflow_run, this is {event or 'no event'}", fix=fix)
    try:
        run = msgspec.json.decode(Path(path).read_bytes(), type=_Payload).workflow_run
    except (OSError, msgspec.DecodeError) as error:
        raise EventNotUsable(f"GitHub's event cannot be read: {error}", where=path, fix=fix) from error
    return ForkRun(run.head_repository.full_name, run.head_branch, run.head_sha)


def _token(environ: Mapping[str, str], name: str) -> Token | None:
    """The token that a job was given for this; on GitHub the job's own where it was handed over."""
    value = environ.get(name) or (environ.get(GITHUB_TOKEN) if detect(environ) is Host.GITHUB else "")
    return Token(value) if value else None


def _github(environ: Mapping[str, str], token: Token) -> GitHub:
    workflow = _WORKFLOW.fullmatch(environ.get("GITHUB_WORKFLOW_REF", ""))
    return GitHub(
        environ.get("GITHUB_API_URL") or GITHUB_API,
        environ.get("GITHUB_REPOSITORY", ""),
        token,
        environ.get(WAKE_WORKFLOW) or (workflow[1] if workflow else ""),
    )
