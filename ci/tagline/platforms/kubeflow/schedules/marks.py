"""How a schedule of ours is known on the server: by its name and its description together.

A person's copy bears the same pipeline root, and perhaps the description; its name is another.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from tagline.platforms.kubeflow.marks import TAGLINE
from tagline.platforms.kubeflow.server.connection import CONTAINS, Connection, predicate

_SAID = re.compile(
    r"tagline schedule (?P<pipeline>[^/ ]+)/(?P<name>\S+) digest (?P<digest>[0-9a-f]{16}) "
    r"cron '(?P<cron>[^']*)' zone (?P<zone>\S+) owner (?P<owner>[0-9a-f]{32})"
)
OBJECT = 25  # letters and digits of a schedule's name in those of the server's own objects and runs


class Mark(msgspec.Struct, frozen=True):
    """What a schedule says of itself: whose it is, its name, the digest of all it says, five-field cron, its zone."""

    pipeline: str
    name: str
    digest: str
    cron: str
    zone: str
    owner: str

    def called(self, release: str) -> str:
        """The name of a schedule of a release on the server."""
        return f"{TAGLINE} {self.pipeline}/{self.name} {release} {self.digest}"

    def description(self) -> str:
        """The description of it, which nobody can change afterwards."""
        return (
            f"{TAGLINE} schedule {self.pipeline}/{self.name} digest {self.digest} cron '{self.cron}' "
            f"zone {self.zone} owner {self.owner}"
        )


def read(one: Mapping[str, Any]) -> Mark | None:
    """The mark of a recurring run; None for one that tagline has not made."""
    said = _SAID.fullmatch(str(one.get("description", "")))
    if said is None:
        return None
    mark = Mark(**said.groupdict())
    release = str(one.get("display_name", "")).removesuffix(f" {mark.digest}").rpartition(" ")[2]
    return mark if one.get("display_name") == mark.called(release) else None


def listed(server: Connection, pipeline: str, owner: str) -> Iterator[tuple[Mark, dict[str, Any]]]:
    """The schedules of a repository's pipeline ("": of all of them), each with what the server says of it."""
    named = predicate("name", CONTAINS, f"{TAGLINE} {pipeline}/" if pipeline else f"{TAGLINE} ")
    query = {"namespace": server.scope, "filter": named}
    for one in server.pages("/recurringruns", "recurringRuns", query):
        mark = read(one)
        if mark and mark.owner == owner and pipeline in ("", mark.pipeline):
            yield mark, dict(one)


def object_of(pipeline: str, schedule: str, release: str) -> str:
    """What the names of a schedule's runs begin with: the server keeps the first letters and digits of its name."""
    return re.sub(r"[^a-z0-9]", "", f"{TAGLINE}{pipeline}{schedule}{release}".lower())[:OBJECT]
