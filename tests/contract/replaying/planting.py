"""What a recording shows but does not make: objects of requests that it leaves out, states that its cluster reached."""

import json
import re
from datetime import UTC, datetime
from typing import Any

from tests.contract.replaying.recording import Exchange, id_of, objects
from tests.fakes.kfp import FakeKfp, cluster, specs
from tests.fakes.kfp.objects import Experiment, Pipeline, Recurring, Run, Version


def seconds(text: str | None) -> float:
    return datetime.fromisoformat(text).timestamp() if text else 0.0


def unmade(
    exchanges: list[Exchange], later: dict[tuple[str, str], dict[str, Any]]
) -> list[tuple[str, dict[str, Any]]]:
    """What answers show and no recorded request has made: planted when its time has come."""
    made = {
        (kind, id_of(kind, shown)) for one in exchanges if makes(one) for kind, shown in objects(one.answer)
    }
    firsts = {
        shown["pipeline_version_id"]
        for (kind, of), shown in later.items()
        if kind == "first" and ("pipeline", of) in made
    }
    return [
        (kind, shown)
        for (kind, key), shown in later.items()
        if kind != "first" and (kind, key) not in made and key not in firsts and "created_at" in shown
    ]


def due(fake: FakeKfp, waiting: list[tuple[str, dict[str, Any]]], at: float | None) -> None:
    """Plant what was there by now."""
    if at is None:
        return
    for kind, shown in list(waiting):
        if seconds(shown["created_at"]) <= int(at):
            plant(fake, kind, shown)
            waiting.remove((kind, shown))


def makes(one: Exchange) -> bool:
    """Whether the answer itself is the new object."""
    return one.method == "POST" and one.status == 200 and isinstance(one.answer, dict)


def prepare(fake: FakeKfp, one: Exchange, later: dict[tuple[str, str], dict[str, Any]]) -> None:
    """Before a request: the ids it will make, the objects its answer shows from elsewhere, their states."""
    if one.at is not None:
        fake.world.clock.now = float(int(one.at))
    fake.world.supplied.clear()
    reference = one.answer.get("pipeline_version_reference") if isinstance(one.answer, dict) else None
    if isinstance(reference, dict) and "pipeline_version_id" in reference:
        fake.world.supplied["latest"] = reference["pipeline_version_id"]
    for kind, shown in objects(one.answer):
        if makes(one):
            _supply(fake, kind, shown, later)
            if shown.get("created_at"):
                fake.world.clock.now = seconds(shown["created_at"])
        else:
            plant(fake, kind, shown)
    for kind, needed in _needed(one):
        plant(fake, kind, later.get((kind, needed)) or _guessed(fake, kind, needed, one))


def _needed(one: Exchange) -> list[tuple[str, str]]:
    """What an accepted run or schedule points at, and the experiment of one that the server knew."""
    path = re.search(r"/pipelines/([0-9a-f-]{36})", one.path)
    if path and one.status == 200:
        return [("pipeline", path[1])]
    if not isinstance(one.body, dict) or one.method != "POST" or not one.path.endswith("runs"):
        return []
    found = []
    if one.body.get("experiment_id") and one.status != 404:
        found.append(("experiment", one.body["experiment_id"]))
    shown = one.answer if one.status == 200 and isinstance(one.answer, dict) else {}
    for reference in (one.body.get("pipeline_version_reference"), shown.get("pipeline_version_reference")):
        if isinstance(reference, dict) and one.status in (200, 400):
            found += [
                (kind, reference[key])
                for kind, key in (("pipeline", "pipeline_id"), ("version", "pipeline_version_id"))
                if key in reference
            ]
    return found


def _guessed(fake: FakeKfp, kind: str, needed: str, one: Exchange) -> dict[str, Any]:
    """An object that no answer shows, though the server knew it."""
    made = datetime.fromtimestamp(fake.now, UTC).isoformat()
    names = {"name": needed, "display_name": needed, "created_at": made}
    if kind == "version":
        shown = one.body.get("pipeline_version_reference") or one.answer["pipeline_version_reference"]
        spec = specs.parsed(fake.world.sample) if fake.world.sample else {}
        return names | {
            "pipeline_version_id": needed,
            "pipeline_id": shown["pipeline_id"],
            "pipeline_spec": spec,
        }
    if kind == "experiment":
        held = {"storage_state": "AVAILABLE", "last_run_created_at": made, "experiment_id": needed}
        return names | held | {"display_name": "Default"}
    return names | {"pipeline_id": needed}


def _supply(fake: FakeKfp, kind: str, shown: dict[str, Any], later: dict[tuple[str, str], Any]) -> None:
    """The server's ids decide the order of what was made in one second, so the fake is given them."""
    fake.world.supplied[kind] = id_of(kind, shown)
    if kind == "pipeline" and ("first", shown["pipeline_id"]) in later:
        fake.world.supplied["version"] = later["first", shown["pipeline_id"]]["pipeline_version_id"]


def seen(exchanges: list[Exchange]) -> dict[tuple[str, str], dict[str, Any]]:
    """Each object by kind and id as first shown; the version made with a pipeline as ("first", pipeline id)."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    names: dict[str, str] = {}
    for one in exchanges:
        for kind, shown in objects(one.answer):
            found.setdefault((kind, id_of(kind, shown)), shown)
            if kind == "pipeline":
                names[shown["pipeline_id"]] = shown.get("name", "")
            if kind == "version" and shown.get("name") == names.get(shown.get("pipeline_id", "")):
                found.setdefault(("first", shown["pipeline_id"]), shown)
    return found


def plant(fake: FakeKfp, kind: str, shown: dict[str, Any]) -> None:
    """Put an object there if it is not; bring a run into the state that its cluster has reached."""
    world, held = fake.world, _kept(fake, kind)
    made = held.get(id_of(kind, shown))
    if made is None:
        new = _PLANTS[kind](shown)
        if isinstance(new, Run) and new.experiment_id in world.experiments:
            new.namespace = world.experiments[new.experiment_id].namespace
        held[id_of(kind, shown)] = new
    elif isinstance(made, Run):
        _follow(fake, made, shown)


MUTABLE = ("display_name", "tags", "mode", "storage_state")


def catch_up(fake: FakeKfp, one: Exchange) -> None:
    """After requests that the recording leaves out: names, tags and modes as the answer shows them."""
    asked = one.body if isinstance(one.body, dict) else {}
    for kind, shown in objects(one.answer):
        held = _kept(fake, kind).get(id_of(kind, shown))
        for name in MUTABLE:
            if held is not None and hasattr(held, name) and name not in asked:
                default: Any = {} if name == "tags" else getattr(held, name)
                setattr(held, name, shown.get(name, default))


def forget(fake: FakeKfp, one: Exchange, answered: Any, later_ids: set[str]) -> bool:
    """Drop what the fake still lists, but the server did not and never will again: deleted by an omitted request."""
    shown = {id_of(kind, each) for kind, each in objects(one.answer)}
    gone = [
        (kind, id_of(kind, each))
        for kind, each in objects(answered)
        if id_of(kind, each) not in shown | later_ids
    ]
    for kind, key in gone:
        _kept(fake, kind).pop(key, None)
    return bool(gone)


def _kept(fake: FakeKfp, kind: str) -> dict[str, Any]:
    world = fake.world
    return {
        "pipeline": world.pipelines,
        "version": world.versions,
        "experiment": world.experiments,
        "run": world.runs,
        "recurring": world.recurring,
    }[kind]


def _follow(fake: FakeKfp, run: Run, shown: dict[str, Any]) -> None:
    """The states that the cluster gave the run between two requests."""
    for step in shown.get("state_history", [])[len(run.states) :]:
        fake.world.clock.now = max(fake.now, seconds(step["update_time"]))
        if step["state"] == "CANCELING":
            run.enter("CANCELING", fake.now)
        else:
            cluster.enter(fake.world, run, step["state"])
    if shown.get("run_details") and not run.tasks:
        run.tasks = list(shown["run_details"]["task_details"])


def _pipeline(shown: dict[str, Any]) -> Pipeline:
    return Pipeline(
        shown["pipeline_id"],
        shown["name"],
        shown["display_name"],
        seconds(shown["created_at"]),
        shown.get("description", ""),
        shown.get("namespace", ""),
        shown.get("tags", {}),
    )


def _version(shown: dict[str, Any]) -> Version:
    return Version(
        shown["pipeline_version_id"],
        shown.get("pipeline_id", ""),
        shown["name"],
        shown["display_name"],
        seconds(shown["created_at"]),
        shown.get("pipeline_spec", {}),
        shown.get("description", ""),
        shown.get("package_url", {}).get("pipeline_url", ""),
        tags=shown.get("tags", {}),
    )


def _experiment(shown: dict[str, Any]) -> Experiment:
    return Experiment(
        shown["experiment_id"],
        shown["display_name"],
        seconds(shown["created_at"]),
        shown.get("description", ""),
        shown.get("namespace", ""),
        shown["storage_state"],
        seconds(shown["last_run_created_at"]),
    )


def _run(shown: dict[str, Any]) -> Run:
    return Run(
        shown["run_id"],
        shown["display_name"],
        shown["experiment_id"],
        seconds(shown["created_at"]),
        shown.get("pipeline_spec", {}),
        "planted",
        description=shown.get("description", ""),
        reference=shown.get("pipeline_version_reference", {}),
        inline=shown.get("pipeline_spec", {}),
        runtime=shown.get("runtime_config", {}),
        service_account=shown.get("service_account", ""),
        recurring_run_id=shown.get("recurring_run_id", ""),
        storage_state=shown["storage_state"],
        scheduled_at=seconds(shown.get("scheduled_at")),
        finished_at=seconds(shown["finished_at"]),
        states=[(seconds(step["update_time"]), step["state"]) for step in shown["state_history"]],
        tasks=shown.get("run_details", {}).get("task_details", []),
    )


def _recurring(shown: dict[str, Any]) -> Recurring:
    return Recurring(
        shown["recurring_run_id"],
        shown["display_name"],
        shown["experiment_id"],
        seconds(shown["created_at"]),
        seconds(shown["updated_at"]),
        shown.get("trigger", {}),
        shown["mode"],
        int(shown["max_concurrency"]),
        shown["namespace"],
        "planted",
        shown.get("pipeline_spec", {}),
        shown.get("pipeline_version_reference", {}),
        shown.get("pipeline_spec", {}),
        shown.get("runtime_config", {}),
        shown.get("description", ""),
        shown.get("service_account", ""),
        shown.get("no_catchup", False),
    )


_PLANTS = {
    "pipeline": _pipeline,
    "version": _version,
    "experiment": _experiment,
    "run": _run,
    "recurring": _recurring,
}


def stage(fake: FakeKfp, exchanges: list[Exchange]) -> None:
    """What was there before the first request: rights, Default's id, the pages that the server can fetch."""
    fake.grant("alice@example.com", "mu-nosa")
    fake.world.experiments.clear()
    upload = next((one.body for one in exchanges if "PIPELINE DEFINITION" in str(one.body)), "")
    start = upload.find("# PIPELINE DEFINITION")
    content = upload[start : upload.rfind("\r\n--")].encode()
    fake.world.sample = content
    for one in exchanges:
        for url in re.findall(r'"pipeline_url": "([^"]*)"', json.dumps(one.body)):
            if one.status in (200, 409):
                fake.world.pages[url] = content
            elif "unknown template format" in json.dumps(one.answer):
                fake.world.pages[url] = b"a: 1\n"


def after(fake: FakeKfp, one: Exchange) -> None:
    """What an accepted request that could not be replayed has made."""
    if not one.replayable and makes(one):
        for kind, shown in objects(one.answer):
            plant(fake, kind, shown)
