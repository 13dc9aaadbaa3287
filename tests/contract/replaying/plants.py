"""Putting a recorded object into the fake's memory, made of what an answer shows of it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from tests.contract.replaying.recording import Exchange, id_of
from tests.fakes.kfp import FakeKfp, cluster, specs
from tests.fakes.kfp.objects import Experiment, Pipeline, Recurring, Run, Version


def seconds(text: str | None) -> float:
    return datetime.fromisoformat(text).timestamp() if text else 0.0


def plant(fake: FakeKfp, kind: str, shown: dict[str, Any]) -> None:
    """Put an object there if it is not; bring a run into the state that its cluster has reached."""
    world, held = fake.world, kept(fake, kind)
    made = held.get(id_of(kind, shown))
    if made is None:
        new = _PLANTS[kind](shown)
        if isinstance(new, Run) and new.experiment_id in world.experiments:
            new.namespace = world.experiments[new.experiment_id].namespace
        held[id_of(kind, shown)] = new
    elif isinstance(made, Run):
        follow(fake, made, shown)


def kept(fake: FakeKfp, kind: str) -> dict[str, Any]:
    world = fake.world
    return {
        "pipeline": world.pipelines,
        "version": world.versions,
        "experiment": world.experiments,
        "run": world.runs,
        "recurring": world.recurring,
    }[kind]


def follow(fake: FakeKfp, run: Run, shown: dict[str, Any]) -> None:
    """The states that the cluster gave the run between two requests."""
    for step in shown.get("state_history", [])[len(run.states) :]:
        fake.world.clock.now = max(fake.now, seconds(step["update_time"]))
        if step["state"] == "CANCELING":
            run.enter("CANCELING", fake.now)
        else:
            cluster.enter(fake.world, run, step["state"])
    if shown.get("run_details") and not run.tasks:
        run.tasks = list(shown["run_details"]["task_details"])


def guessed(fake: FakeKfp, kind: str, needed: str, one: Exchange) -> dict[str, Any]:
    """An object that no answer shows, though the server knew it."""
    made = datetime.fromtimestamp(fake.now, UTC).isoformat()
    names = {"name": needed, "display_name": needed, "created_at": made}
    if kind == "version":
        owner = fake.world.pipelines.get(
            (one.body.get("pipeline_version_reference") or {}).get("pipeline_id", "")
        )
        names["created_at"] = datetime.fromtimestamp(owner.created_at, UTC).isoformat() if owner else made
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
        shown["package_url"].get("pipeline_url", "") if "package_url" in shown else None,
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


_PLANTS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "pipeline": _pipeline,
    "version": _version,
    "experiment": _experiment,
    "run": _run,
    "recurring": _recurring,
}
