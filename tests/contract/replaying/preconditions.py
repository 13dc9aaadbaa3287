"""What must have been there for an answer, where the request that made it is left out of the recording."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.contract.replaying.plants import kept, plant
from tests.contract.replaying.recording import Exchange
from tests.fakes.kfp import FakeKfp, specs
from tests.fakes.kfp.names import same
from tests.fakes.kfp.versions import object_name

NAMESPACE = re.compile(r"namespace (mu-[a-z]+)|Namespace:(mu-[a-z]+)|\"namespace\": \"([a-z-]+)\"")
# an id made up to be unknown, which some routes do not even look at
NOBODY = "00000000-"
ROUTES = {"pipelines": "pipeline", "experiments": "experiment", "runs": "run", "recurringruns": "recurring"}
DUPLICATE = re.compile(r"Duplicate entry '([^']+)'")


def assume(fake: FakeKfp, one: Exchange, later: dict[tuple[str, str], dict[str, Any]]) -> None:
    """Plant what the answer presupposes and the fake does not have; forget what it rules out."""
    if one.at is not None:
        fake.world.clock.now = float(int(one.at))
    fake.world.supplied.clear()
    query = {name: values[0] for name, values in parse_qs(urlsplit(one.path).query).items()}
    body = one.body if isinstance(one.body, dict) else {}
    for kind, key in _pointed_at(one, query, body):
        if key not in kept(fake, kind):
            plant(fake, kind, later.get((kind, key)) or _unknown(fake, kind, key, one))
    if one.status == 409:
        _take_the_name(fake, one, query, body, later)
    if one.status == 200 and body.get("run_id") in fake.world.runs:
        del fake.world.runs[body["run_id"]]


def _pointed_at(one: Exchange, query: dict[str, str], body: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if one.status in (200, 409) and query.get("pipelineid"):
        yield "pipeline", query["pipelineid"]
    if one.status in (200, 401, 403):
        found = re.search(r"/(pipelines|experiments|recurringruns|runs)/([0-9a-f-]{36})", one.path)
        if found and not found[2].startswith(NOBODY) and not (found[1] == "runs" and one.status == 200):
            yield ROUTES[found[1]], found[2]
        if body.get("recurring_run_id") and one.path.endswith("/runs"):
            yield "recurring", body["recurring_run_id"]
        for name in ("experiment_id",):
            if value := body.get(name) or query.get(name):
                yield "experiment", value
    duplicate = DUPLICATE.search(json.dumps(one.answer)) if one.status == 500 else None
    if duplicate:
        yield "run", duplicate[1]


def _known(
    later: dict[tuple[str, str], dict[str, Any]], kind: str, wanted: dict[str, str]
) -> dict[str, Any] | None:
    """The object of this name that a later answer shows."""
    for (of, _), shown in later.items():
        if of == kind and all(shown.get(key, "") == value for key, value in wanted.items()):
            return shown
    return None


def _take_the_name(
    fake: FakeKfp,
    one: Exchange,
    query: dict[str, str],
    body: dict[str, Any],
    later: dict[tuple[str, str], dict[str, Any]],
) -> None:
    """A conflict: somebody has the name, if nobody here has one like it."""
    world = fake.world
    path = urlsplit(one.path).path
    key = fake.world.new_id()
    if path.endswith("/upload_version") or path.endswith("/versions"):
        owner = query.get("pipelineid") or path.split("/")[-2]
        name = query.get("name") or body.get("name", "")
        if not _version_taken(fake, owner, name):
            wanted = {"name": name, "pipeline_id": owner}
            shown = _known(later, "version", wanted) or _unknown(fake, "version", key, one) | wanted
            plant(fake, "version", shown)
    elif path.endswith("/experiments"):
        name, namespace = body.get("display_name", ""), body.get("namespace", "")
        if not any(
            same(name, has.display_name, world.charset) and has.namespace == namespace
            for has in world.experiments.values()
        ):
            wanted = {"display_name": name, "namespace": namespace}
            shown = _known(later, "experiment", wanted) or _unknown(fake, "experiment", key, one) | wanted
            plant(fake, "experiment", shown)
    elif "/pipelines" in path:
        held = body.get("pipeline") or body
        name = query.get("name") or held.get("name") or held.get("display_name", "")
        namespace = query.get("namespace", "") if world.multi_user else ""
        if not any(
            same(name, has.name, world.charset) and (world.native or has.namespace == namespace)
            for has in world.pipelines.values()
        ):
            wanted = {"name": name} | ({} if world.native else {"namespace": namespace})
            unknown = _unknown(fake, "pipeline", key, one) | wanted | {"display_name": name}
            plant(fake, "pipeline", _known(later, "pipeline", wanted) or unknown)


def _version_taken(fake: FakeKfp, owner: str, name: str) -> bool:
    world = fake.world
    if not world.native:
        return any(same(name, has.name, world.charset) for has in world.of_pipeline(owner))
    names = {key: held.name for key, held in world.pipelines.items()}
    wanted = object_name(names.get(owner, ""), name)
    return wanted in [
        object_name(names.get(has.pipeline_id, ""), has.name) for has in world.versions.values()
    ]


def _own(fake: FakeKfp, one: Exchange) -> str:
    """Where the asker may write: what they were answered from, if nothing says otherwise."""
    asker = next((value for name, value in one.headers if name.lower() == "kubeflow-userid"), "")
    places = fake.world.access.roles.get(asker, {}) if fake.world.multi_user else {}
    return next((place for place in places if place != "*"), "")


def _unknown(fake: FakeKfp, kind: str, key: str, one: Exchange) -> dict[str, Any]:
    """An object of which only the id is known; its namespace, if the answer names one."""
    made = datetime.fromtimestamp(fake.now - 1, UTC).isoformat()
    found = NAMESPACE.search(json.dumps(one.answer)) if fake.world.multi_user else None
    namespace = next((group for group in found.groups() if group), "") if found else _own(fake, one)
    shown: dict[str, Any] = {"name": key, "display_name": key, "created_at": made, "namespace": namespace}
    match kind:
        case "pipeline":
            return shown | {"pipeline_id": key}
        case "version":
            spec = specs.parsed(fake.world.sample) if fake.world.sample else {}
            return shown | {"pipeline_version_id": key, "pipeline_id": "", "pipeline_spec": spec}
        case "experiment":
            held = {"experiment_id": key, "storage_state": "AVAILABLE", "last_run_created_at": made}
            return shown | held | {"display_name": "Default"}
        case "recurring":
            held = {"recurring_run_id": key, "updated_at": made, "mode": "DISABLE", "max_concurrency": "1"}
            return shown | held | {"experiment_id": ""}
    run = {"run_id": key, "experiment_id": "", "storage_state": "AVAILABLE", "finished_at": made}
    return shown | run | {"state_history": [{"update_time": made, "state": "PENDING"}]}
