"""What a CI host says of the call it makes: what happened, to which ref, by whom, in which run."""

from collections.abc import Sequence
from enum import StrEnum
from typing import assert_never

import msgspec

from tagline.hosts import Host


class Event(StrEnum):
    """What happened, as the flow acts on it."""

    PR = "pr"
    MERGE = "merge"
    TAG = "tag"
    SCHEDULE = "schedule"


class Trigger(StrEnum):
    """What the host's run is about; a `DISPATCH` is asked for by a person or a program, not by a change."""

    PUSH = "push"
    PULL_REQUEST = "pull request"
    TAG = "tag"
    SCHEDULE = "schedule"
    DISPATCH = "dispatch"


class Checkout(StrEnum):
    """What a pull request's run has checked out: the source's head, its merge into the target, or unsaid."""

    SOURCE = "source"
    MERGED = "merged"
    UNSAID = ""


class PullRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A pull (merge) request: `head` is the newest commit of the source branch, "" where the host is silent.

    `fork` is True also where the host does not say: a stranger's code gets no credential by mistake.
    """

    number: int
    source: str
    target: str
    head: str = ""
    fork: bool
    checkout: Checkout = Checkout.UNSAID


class Run(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The host's run: `id` is unique at the host, `actor` who caused it; "" where the host is silent.

    `rerun` is True where the host says that this run was made again.
    """

    id: str = ""
    url: str = ""
    actor: str = ""
    rerun: bool = False


class Call(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One call by a CI host. `ref` is a short branch or tag name, "" where the host is silent (git decides).

    `commit` is what the host checks out, `default_branch` what it calls the default; "" where it is silent.
    """

    host: Host
    trigger: Trigger
    ref: str
    commit: str = ""
    default_branch: str = ""
    pull: PullRequest | None = None
    run: Run = Run()


def event_of(call: Call, lines: Sequence[str]) -> Event:
    """What a call means here, where `lines` are the branches that release, the default one first.

    A dispatch of the default branch (a wake, a person's click) goes on with whatever is open, as a schedule. A
    schedule of another branch is a push of it: hosts run that branch's CI file, with what it says.
    """
    match call.trigger:
        case Trigger.PULL_REQUEST:
            return Event.PR
        case Trigger.TAG:
            return Event.TAG
        case Trigger.SCHEDULE | Trigger.DISPATCH if call.ref in (lines[0], ""):
            return Event.SCHEDULE
        case Trigger.PUSH | Trigger.DISPATCH | Trigger.SCHEDULE:
            return Event.MERGE if call.ref in lines else Event.PR
        case _:
            assert_never(call.trigger)
