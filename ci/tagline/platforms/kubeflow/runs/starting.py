"""Starts a run as near to once as the server allows: look first, send once, and after any doubt look again."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from tagline.errors import KfpError, KfpNotThere, KfpRefused
from tagline.platforms.kubeflow.runs import keys, rows
from tagline.platforms.kubeflow.runs.rows import Row
from tagline.platforms.kubeflow.server import sizes
from tagline.platforms.kubeflow.server.connection import CONTAINS, EQUALS, Connection, predicate
from tagline.platforms.kubeflow.server.doubts import may_stand

EXPERIMENT = "tagline"
STAMP = "%Y%m%dT%H%MZ"  # of a tick, in UTC


class Wanted(msgspec.Struct, frozen=True):
    """A run to start: its owner key, the repository's mark, its pipeline, parameters and root.

    `version` is the uploaded version's reference, or None where `spec` is sent with the run (a smoke run, or the
    cache other than the version has it; see `runs.caching.sent`).
    """

    owner: str
    repository: str
    root: str
    parameters: Mapping[str, Any] = {}
    version: Mapping[str, str] | None = None
    spec: Mapping[str, Any] | None = None
    service_account: str = ""

    def body(self, experiment: str) -> dict[str, Any]:
        """The request for it, without a run id: one that is used again makes another Workflow."""
        made: dict[str, Any] = {
            "display_name": keys.name_of(self.owner),
            "description": keys.description_of(self.owner, self.repository),
            "experiment_id": experiment,
            "runtime_config": {"parameters": dict(self.parameters), "pipeline_root": self.root},
        }
        if self.service_account:
            made["service_account"] = self.service_account
        if self.spec is not None:
            return made | {"pipeline_spec": dict(self.spec)}
        return made | {"pipeline_version_reference": dict(self.version or {})}


def look(server: Connection, owner: str, repository: str) -> list[Row]:
    """Every row with this owner key, of this repository: the server keeps as many as it is asked for."""
    return [row for row in listed(server, owner, repository) if row.owner == owner]


def listed(server: Connection, prefix: str, repository: str) -> Iterator[Row]:
    """The rows of this repository whose owner key begins with the prefix, without their details."""
    named = predicate("name", CONTAINS, keys.prefix_of(prefix))
    query = {"namespace": server.scope, "filter": named}
    for one in server.pages("/runs", "runs", query):
        owner = keys.owner_in(str(one.get("description", "")), repository)
        if owner.startswith(prefix):
            yield rows.read(one, owner)


def read(server: Connection, row: Row) -> Row:
    """A run again, with its tasks; raises `KfpNotThere` where somebody has deleted it."""
    return rows.read(server.ask("GET", f"/runs/{row.id}"), row.owner)


def start(server: Connection, wanted: Wanted) -> Row:
    """The run of this owner key: the one that is there, else a new one.

    Raises `KfpRefused` (too large; a quota; parameters), `KfpUnavailable` where neither the answer nor a second look
    says whether it was started, and `KfpError`'s other classes.
    """
    there = rows.chosen(look(server, wanted.owner, wanted.repository))
    if there:
        return there
    body = wanted.body(experiment(server))
    _require_small(body, wanted.owner)
    try:
        return rows.read(server.ask("POST", "/runs", body=body), wanted.owner)
    except KfpError as error:
        if not error.maybe_done:
            raise
        found = rows.chosen(look(server, wanted.owner, wanted.repository))
        if found:
            return found
        raise


def _require_small(body: Mapping[str, Any], owner: str) -> None:
    size = len(json.dumps(body).encode())
    if size >= sizes.RUN:
        raise KfpRefused(
            f"the run {owner} would take {size / 1e6:.1f} MB: the server starts none over {sizes.RUN / 1e6:.0f} MB",
            fix="hand large constants over as artifacts",
        )


def experiment(server: Connection) -> str:
    """The id of our experiment in our namespace, made if it is not there, brought back if it is archived."""
    found = _experiment(server)
    if found is None:
        body = {"display_name": EXPERIMENT, "description": "runs that tagline starts"}
        if server.scope:
            body["namespace"] = server.scope
        try:
            found = dict(server.ask("POST", "/experiments", body=body))
        except KfpError as error:
            if not may_stand(error):
                raise
            found = _experiment(server)
            if found is None:
                raise
    if found.get("storage_state") == "ARCHIVED":
        server.ask("POST", f"/experiments/{found['experiment_id']}:unarchive")
    return str(found["experiment_id"])


def _experiment(server: Connection) -> dict[str, Any] | None:
    query = {"namespace": server.scope, "filter": predicate("name", EQUALS, EXPERIMENT)}
    return next((dict(one) for one in server.pages("/experiments", "experiments", query)), None)


def cancel(server: Connection, row: Row) -> None:
    """End a run; of one that has ended, or is gone, nothing is left to end."""
    try:
        server.ask("POST", f"/runs/{row.id}:terminate")
    except KfpNotThere:
        return
    except KfpRefused as error:
        if error.status != 400:  # "Row not found": it has ended, or is being cancelled already
            raise
