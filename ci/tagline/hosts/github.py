"""GitHub Actions: its variables and the event's payload, whose file they name, read as a call."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from tagline.errors import EventNotUsable
from tagline.hosts import Host
from tagline.hosts.call import Call, Checkout, PullRequest, Run, Trigger

VARIABLES = {
    "GITHUB_ACTIONS": "the mark of a run of GitHub Actions",
    "GITHUB_EVENT_NAME": "what happened",
    "GITHUB_EVENT_PATH": "the file with the event's payload, of which the fields below are read",
    "GITHUB_REF": "the full ref of the run",
    "GITHUB_SHA": "the commit of the run",
    "GITHUB_HEAD_REF": "a pull request's source branch",
    "GITHUB_BASE_REF": "a pull request's target branch",
    "GITHUB_SERVER_URL": "the run's address, first part",
    "GITHUB_REPOSITORY": "the run's address, second part; a fork is another repository than this",
    "GITHUB_RUN_ID": "the run",
    "GITHUB_RUN_ATTEMPT": "above 1: the run was made again",
    "GITHUB_ACTOR": "who caused the run",
    "GITHUB_TRIGGERING_ACTOR": "who caused the run again",
}
_HEADS, _TAGS = "refs/heads/", "refs/tags/"
_DISPATCHES = {"workflow_dispatch", "repository_dispatch", "workflow_run"}


class Repository(msgspec.Struct, frozen=True, omit_defaults=True):
    """A repository in a payload."""

    full_name: str = ""
    default_branch: str = ""


class Side(msgspec.Struct, frozen=True):
    """One side of a pull request; `repo` is None where the fork was deleted."""

    ref: str = ""
    sha: str = ""
    repo: Repository | None = None


class PullPayload(msgspec.Struct, frozen=True, omit_defaults=True):
    """A payload's pull request."""

    number: int = 0
    head: Side = Side()
    base: Side = Side()


class Payload(msgspec.Struct, frozen=True, omit_defaults=True):
    """The fields that are read of an event's payload."""

    deleted: bool = False
    repository: Repository = Repository()
    pull_request: PullPayload | None = None


def read(environ: Mapping[str, str]) -> Call:
    """The call that these variables of GitHub Actions mean.

    Raises `EventNotUsable` for an event without a meaning here, and where the payload cannot be read.
    """
    payload = read_payload(environ)
    trigger = _trigger(environ, payload)
    ref = environ.get("GITHUB_REF", "")
    return Call(
        host=Host.GITHUB,
        trigger=trigger,
        ref=environ.get("GITHUB_HEAD_REF") or ref.removeprefix(_HEADS).removeprefix(_TAGS),
        commit=environ.get("GITHUB_SHA", ""),
        default_branch=payload.repository.default_branch,
        pull=_pull(environ, payload) if environ.get("GITHUB_EVENT_NAME") == "pull_request" else None,
        run=read_run(environ),
    )


def read_payload(environ: Mapping[str, str]) -> Payload:
    """The event's payload, as far as it is read here; an empty one where no file is named."""
    path = environ.get("GITHUB_EVENT_PATH", "")
    if not path:
        return Payload()
    try:
        return msgspec.json.decode(Path(path).read_bytes(), type=Payload)
    except (OSError, msgspec.DecodeError) as error:
        raise EventNotUsable(
            f"GitHub's event cannot be read: {error}", where=path, fix="tagline ci --event EVENT --ref REF"
        ) from error


def _trigger(environ: Mapping[str, str], payload: Payload) -> Trigger:
    name, ref = environ.get("GITHUB_EVENT_NAME", ""), environ.get("GITHUB_REF", "")
    if payload.deleted:
        raise EventNotUsable(f"{ref} was deleted: there is nothing to act on", where=ref, fix="on: push")
    match name:
        case "pull_request" | "merge_group":
            return Trigger.PULL_REQUEST
        case "schedule":
            return Trigger.SCHEDULE
        case "push" | "release" | "create" | "workflow_dispatch" | "repository_dispatch" | "workflow_run":
            if ref.startswith(_TAGS):
                return Trigger.TAG
            return Trigger.DISPATCH if name in _DISPATCHES else Trigger.PUSH
        case "pull_request_target":
            raise EventNotUsable(
                "pull_request_target runs with the target's rights on the target's commit, not the change",
                where="the workflow's on:",
                fix="on: pull_request",
            )
        case _:
            raise EventNotUsable(
                f"GitHub's event {name!r} has no meaning for tagline",
                where="the workflow's on:",
                fix="on: push, pull_request, schedule, workflow_dispatch; or tagline ci --event EVENT",
            )


def _pull(environ: Mapping[str, str], payload: Payload) -> PullRequest:
    pull = payload.pull_request or PullPayload()
    repository = environ.get("GITHUB_REPOSITORY", "")
    source = pull.head.repo.full_name if pull.head.repo else ""
    return PullRequest(
        number=pull.number or _number(environ.get("GITHUB_REF", "")),
        source=pull.head.ref or environ.get("GITHUB_HEAD_REF", ""),
        target=pull.base.ref or environ.get("GITHUB_BASE_REF", ""),
        head=pull.head.sha,
        fork=not source or source != repository,
        checkout=Checkout.MERGED,
    )


def _number(ref: str) -> int:
    number = ref.removeprefix("refs/pull/").partition("/")[0]
    return int(number) if number.isdecimal() else 0


def read_run(environ: Mapping[str, str]) -> Run:
    """The run that these variables belong to."""
    run, attempt = environ.get("GITHUB_RUN_ID", ""), environ.get("GITHUB_RUN_ATTEMPT", "1")
    where = f"{environ.get('GITHUB_SERVER_URL', '')}/{environ.get('GITHUB_REPOSITORY', '')}"
    again = attempt not in {"", "1"}
    return Run(
        id=run,
        url=f"{where}/actions/runs/{run}" if run else "",
        actor=(environ.get("GITHUB_TRIGGERING_ACTOR", "") if again else "")
        or environ.get("GITHUB_ACTOR", ""),
        rerun=again,
    )
