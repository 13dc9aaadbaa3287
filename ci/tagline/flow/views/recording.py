"""What a real CI host gave, kept as a file of the table that our tests read: allow-listed and masked."""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from tagline.errors import CallError, EventNotUsable, RepositoryError
from tagline.git.process import mask
from tagline.git.repo import Repo
from tagline.hosts import Host, detect
from tagline.hosts.call import Call, Event, event_of
from tagline.hosts.github import Payload, read_payload
from tagline.hosts.reading import VARIABLES, read_call

_SECRET_NAME = re.compile(r"(?i)TOKEN|SECRET|PASSW|PASSPHRASE|KEY|CREDENTIAL|COOKIE|AUTH(?!OR)")
SECRET_LENGTH = 8


class Evidence(StrEnum):
    """Where the variables come from: a host's documentation, or a host."""

    DOCUMENTED = "documented"
    RECORDED = "recorded"


class Workspace(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What the host checked out: `branch` is "" for a detached HEAD, `depth` the commits of a shallow clone,
    0 for a whole one, `parents` those of HEAD where they are known."""

    commit: str
    branch: str = ""
    depth: int = 0
    parents: list[str] = []


class Recording(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One event of one host: its variables, and what they are read as, or the `problem` that they are.

    `documentation` holds addresses, `date` the day they were read or the event happened.
    """

    host: Host
    event: str
    evidence: Evidence
    date: str
    documentation: list[str] = []
    variables: dict[str, str]
    payload: dict[str, Any] | None = None
    workspace: Workspace | None = None
    means: Event | None = None
    call: Call | None = None
    problem: str = ""


def record(environ: Mapping[str, str], folder: Path, date: str) -> Recording:
    """The event of this run, on an ISO date. Raises `EventNotUsable` where no CI host is calling."""
    host = detect(environ)
    if host is Host.GIT:
        raise EventNotUsable("no CI host is calling: there is no event to record", fix="run it in a CI job")
    variables = masked({name: environ[name] for name in VARIABLES[host] if name in environ}, environ)
    call, problem = _read(environ)
    event = environ.get("GITHUB_EVENT_NAME") or environ.get("CI_PIPELINE_SOURCE") or "build"
    return Recording(
        host=host,
        event=event,
        evidence=Evidence.RECORDED,
        date=date,
        variables=variables,
        payload=_payload(environ) if host is Host.GITHUB and not problem else None,
        workspace=_workspace(folder),
        means=event_of(call, _lines(call)) if call else None,
        call=msgspec.convert(masked(msgspec.to_builtins(call), environ), Call) if call else None,
        problem=problem,
    )


def write(recording: Recording, file: Path) -> None:
    """Write the recording as JSON for people and programs; raises `CallError` where it cannot be written."""
    try:
        file.write_bytes(msgspec.json.format(msgspec.json.encode(recording)) + b"\n")
    except OSError as error:
        raise CallError(f"the event cannot be written: {error}", where=str(file)) from error


def masked(value: Any, environ: Mapping[str, str]) -> Any:
    """The value with `***` for the credentials of URLs and the values of secretly named variables."""
    named = {text for name, text in environ.items() if _SECRET_NAME.search(name)}
    secrets = sorted((text for text in named if len(text) >= SECRET_LENGTH), key=len, reverse=True)
    return _masked(value, secrets)


def _masked(value: Any, secrets: Sequence[str]) -> Any:
    match value:
        case str():
            for secret in secrets:
                value = value.replace(secret, "***")
            return mask(value)
        case dict():
            return {key: _masked(one, secrets) for key, one in value.items()}
        case list():
            return [_masked(one, secrets) for one in value]
        case _:
            return value


def _read(environ: Mapping[str, str]) -> tuple[Call | None, str]:
    try:
        return read_call(environ), ""
    except EventNotUsable as error:
        return None, error.what


def _lines(call: Call) -> list[str]:
    """The branches that release, as far as the host names them: a recording needs no remote."""
    release = [call.ref] if call.ref.startswith("release/") else []
    return [call.default_branch or "main", *release]


def _payload(environ: Mapping[str, str]) -> dict[str, Any]:
    payload: Payload = read_payload(environ)
    kept: dict[str, Any] = masked(msgspec.to_builtins(payload), environ)
    return kept


def _workspace(folder: Path) -> Workspace | None:
    try:
        repo = Repo.open(folder)
        head = repo.head()
    except RepositoryError:
        return None  # a job without a checkout is an event too
    depth = int(repo.text("rev-list", "--count", "HEAD")) if repo.shallow else 0
    parents = repo.text("show", "--no-patch", "--format=%P", "HEAD").split()
    return Workspace(commit=head, branch=repo.branch() or "", depth=depth, parents=parents)
