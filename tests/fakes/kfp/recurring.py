"""Recurring runs: made, switched on and off, deleted; never updated."""

import re
from typing import Any

from tests.fakes.kfp import cron, experiments, manifests, specs
from tests.fakes.kfp.access import Wanted
from tests.fakes.kfp.answers import INTERNAL, INVALID, NOT_FOUND, Answer, Refused, during, said
from tests.fakes.kfp.filters import Kept
from tests.fakes.kfp.listing import page
from tests.fakes.kfp.objects import Experiment, Recurring
from tests.fakes.kfp.protojson import decoded, snaked, understood
from tests.fakes.kfp.request import Request
from tests.fakes.kfp.world import World

KEPT = Kept(
    "recurringRuns",
    "recurring runs",
    {"id": "id", "recurring_run_id": "id", "name": "display_name", "display_name": "display_name"}
    | {"created_at": "created_at", "updated_at": "updated_at", "namespace": "namespace"},
    {},
    "jobs.",
    parse_words="Failed to list recurring runs due to error parsing the listing options",
)
FIELDS = ("recurring_run_id", "display_name", "description", "pipeline_version_id", "pipeline_spec")
FIELDS += ("pipeline_version_reference", "runtime_config", "service_account", "max_concurrency", "trigger")
FIELDS += ("mode", "created_at", "updated_at", "status", "error", "no_catchup", "namespace", "experiment_id")
CONVERSION = "Failed to create a recurring run due to conversion error"
EMPTY_NAMESPACE = "a recurring run cannot have an empty namespace in multi-user mode"


def authorize(world: World, request: Request, verb: str, namespace: str, name: str = "") -> None:
    if not world.multi_user:
        return
    if not namespace:
        raise Refused(INVALID, EMPTY_NAMESPACE)
    with during("failed to authorize with API"):
        world.access.check(request.headers, Wanted(verb, "jobs", namespace, name))


def create(world: World, request: Request) -> Answer:
    body = snaked(request.json())
    raw = request.body.decode("utf-8", "replace")
    understood(body, FIELDS, "RecurringRun", request.body)
    decoded(body, raw)
    concurrency = int(body.get("max_concurrency", 0))
    with during(CONVERSION):
        _converted(body, concurrency)
    with during("Failed to create a recurring run"):
        experiment = _experiment(world, body)
        with during(
            "Failed to create a recurring run due to authorization error. "
            f"Check if you have write permission to namespace {experiment.namespace}"
        ):
            authorize(world, request, "create", experiment.namespace, body["display_name"])
        made = _make(world, body, experiment, concurrency)
    world.recurring[made.id] = made
    return said(made.shown())


def _converted(body: dict[str, Any], concurrency: int) -> None:
    if not body.get("display_name"):
        raise Refused(
            INTERNAL,
            "Failed to convert a API recurring run to its internal representation: "
            "Invalid input error: Recurring run's name cannot be empty",
        )
    if not 1 <= concurrency <= 10:
        raise Refused(
            INVALID,
            f"Max concurrency of a recurring run must be at least 1 and at most 10. Received {concurrency}",
        )
    schedule = (body.get("trigger") or {}).get("cron_schedule")
    if schedule is not None:
        try:
            cron.parse(schedule.get("cron", ""))
        except cron.BadCron as why:
            raise Refused(
                INVALID,
                "Schedule cron is not a supported format(https://godoc.org/github.com/robfig/cron). "
                f"Error: {why}",
            ) from None


def _experiment(world: World, body: dict[str, Any]) -> Experiment:
    wanted = body.get("experiment_id", "")
    with during("Failed to create a recurring run due to invalid experimentId and namespace combination"):
        if wanted:
            with during(
                f"Failed to fetch namespace for experiment {wanted}",
                f"Failed to fetch namespace from experiment {wanted}",
            ):
                return experiments.find(world, wanted)
        if world.multi_user:
            raise Refused(INVALID, "Experiment id can not be empty in multi-user mode")
    return world.default_experiment()


def _make(world: World, body: dict[str, Any], experiment: Experiment, concurrency: int) -> Recurring:
    spec = manifests.meant(
        world, body, "Failed to create a recurring run with an invalid pipeline spec manifest"
    )
    runtime = specs.plain(body.get("runtime_config") or {})
    with during(
        "Failed to create a recurring run during scheduled workflow creation", "invalid pipeline job inputs"
    ):
        specs.check_parameters(spec, runtime.get("parameters") or {})
    reference = dict(body.get("pipeline_version_reference") or {})
    on_latest = bool(reference) and "pipeline_version_id" not in reference
    account = body.get("service_account") or ("default-editor" if world.multi_user else "pipeline-runner")
    name = body["display_name"]
    return Recurring(
        world.new_id("recurring"),
        name,
        experiment.id,
        world.now,
        world.now,
        _trigger(body.get("trigger") or {}),
        "ENABLE" if body.get("mode") in ("ENABLE", 1) else "DISABLE",
        concurrency,
        experiment.namespace or world.namespace,
        f"{_object_name(name)}{world.suffix()}",
        spec,
        reference,
        spec if "pipeline_spec" in body else {},
        {key: value for key, value in runtime.items() if value},
        body.get("description", ""),
        "" if on_latest and not body.get("service_account") else account,
        bool(body.get("no_catchup", False)),
    )


def _object_name(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", name.lower())[:25] or "job-"


def _trigger(given: dict[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for kind, fields in given.items():
        held = {_snake(name): value for name, value in fields.items()}
        if "interval_second" in held:
            held["interval_second"] = str(held["interval_second"])
        shown[kind] = held
    return shown


def _snake(name: str) -> str:
    return re.sub(r"([A-Z])", lambda found: f"_{found[1].lower()}", name)


def find(world: World, job_id: str) -> Recurring:
    found = world.recurring.get(job_id)
    if found is None:
        raise Refused(NOT_FOUND, f"Job {job_id} not found")
    return found


def _fetched(world: World, request: Request, job_id: str, verb: str, *words: str) -> Recurring:
    if not world.multi_user:
        with during(*words):
            return find(world, job_id)
    with during("Failed to authorize the request"):
        found = find(world, job_id)
        authorize(world, request, verb, found.namespace, found.display_name)
    return found


def get(world: World, request: Request, job_id: str) -> Answer:
    with during("Failed to fetch a recurring run"):
        return said(_fetched(world, request, job_id, "get").shown())


def listed(world: World, request: Request) -> Answer:
    query, asked = request.query, request.asked()
    experiment = world.experiments.get(query.get("experiment_id", ""))
    namespace = experiment.namespace if experiment else query.get("namespace", "")
    if world.multi_user:
        with during(
            "Failed to list jobs",
            "Failed to list recurring runs due to authorization error. "
            f"Check if you have permission to access namespace {namespace}",
        ):
            authorize(world, request, "list", namespace)
    found = [job for job in world.recurring.values() if not world.multi_user or job.namespace == namespace]
    if query.get("experiment_id"):
        found = [job for job in found if job.experiment_id == query["experiment_id"]]
    return said(page(KEPT, found, asked))


def enable(world: World, request: Request, job_id: str) -> Answer:
    return _switched(world, request, job_id, "enable")


def disable(world: World, request: Request, job_id: str) -> Answer:
    return _switched(world, request, job_id, "disable")


def _switched(world: World, request: Request, job_id: str, verb: str) -> Answer:
    on = verb == "enable"
    words = (
        f"Failed to change recurring run's mode to enable:{str(on).lower()}. "
        f"Check if recurring run {job_id} exists"
    )
    with during(f"Failed to {verb} a recurring run"):
        job = _fetched(world, request, job_id, verb, words)
    if (job.mode == "ENABLE") != on:
        job.mode = "ENABLE" if on else "DISABLE"
    job.updated_at = world.now
    return said({})


def delete(world: World, request: Request, job_id: str) -> Answer:
    with during("Failed to delete a recurring run"):
        _fetched(
            world, request, job_id, "delete", f"Failed to delete recurring run {job_id}. Check if exists"
        )
    del world.recurring[job_id]
    return said({})
