"""Runs: the Workflow is made before the row, nothing is idempotent, a cancelled run ends as FAILED."""

from datetime import datetime
from typing import Any

from tests.fakes.kfp import cluster, experiments, manifests, specs
from tests.fakes.kfp.access import Wanted
from tests.fakes.kfp.answers import (
    INTERNAL,
    INVALID,
    NOT_FOUND,
    Answer,
    Broken,
    Refused,
    during,
    internal,
    said,
)
from tests.fakes.kfp.filters import Kept
from tests.fakes.kfp.listing import page
from tests.fakes.kfp.names import storable, too_long
from tests.fakes.kfp.objects import EPOCH, Experiment, Run
from tests.fakes.kfp.protojson import snaked, understood
from tests.fakes.kfp.request import Request
from tests.fakes.kfp.world import World

KEPT = Kept(
    "runs",
    "runs",
    {"id": "id", "run_id": "id", "name": "display_name", "display_name": "display_name"}
    | {"created_at": "created_at", "scheduled_at": "scheduled_at", "finished_at": "finished_at"}
    | {"state": "state", "status": "state", "storage_state": "storage_state", "namespace": "namespace"}
    | {"experiment_id": "experiment_id", "description": "description"}
    | {"recurring_run_id": "recurring_run_id", "service_account": "service_account"},
    {},
    "",
    parse_words="Failed to create list options",
)
FIELDS = ("experiment_id", "run_id", "display_name", "storage_state", "description", "pipeline_version_id")
FIELDS += ("pipeline_spec", "pipeline_version_reference", "runtime_config", "service_account", "created_at")
FIELDS += (
    "scheduled_at",
    "finished_at",
    "state",
    "error",
    "run_details",
    "recurring_run_id",
    "state_history",
)
FIELDS += ("pipeline_root", "plugins_input", "plugins_output")
COMBINATION = "Failed to create a run due to invalid experimentId and namespace combination"


def authorize(world: World, request: Request, verb: str, namespace: str, run: Run | None = None) -> None:
    if not world.multi_user:
        return
    if not namespace:
        raise Refused(INVALID, "A run cannot have an empty namespace in multi-user mode")
    shown, name = (run.id, run.workflow) if run else ("", "")
    with during(f"Failed to access run {shown}. Check if you have access to namespace {namespace}"):
        world.access.check(request.headers, Wanted(verb, "runs", namespace, name))


def create(world: World, request: Request) -> Answer:
    body = snaked(request.json())
    understood(body, FIELDS, "Run", request.body)
    if not body.get("display_name"):
        raise _nameless()
    with during("Failed to create a new run"):
        experiment = _experiment(world, body)
        namespace = experiment.namespace or world.namespace
        with during(
            "Failed to create a run due to authorization error. "
            f"Check if you have write permissions to namespace {namespace}"
        ):
            authorize(world, request, "create", experiment.namespace)
        again = _same_tick(world, body)
        run = again or _start(world, body, experiment)
    return said(run.shown())


def _nameless() -> Refused:
    refused = Refused(
        INTERNAL,
        "Failed to convert a API run detail to its internal representation: "
        "Invalid input error: Run name cannot be empty",
    )
    refused.before = ["CreateJob(job.ToV2())Failed to create a run due to conversion error"]
    return refused


def _experiment(world: World, body: dict[str, Any]) -> Experiment:
    wanted = body.get("experiment_id", "")
    with during(COMBINATION):
        if wanted:
            with during(
                f"Failed to fetch namespace for experiment {wanted}",
                f"Failed to fetch namespace from experiment {wanted}",
            ):
                return experiments.find(world, wanted)
        if world.multi_user:
            raise Refused(INVALID, "Experiment id can not be empty in multi-user mode")
    return world.default_experiment()


def _same_tick(world: World, body: dict[str, Any]) -> Run | None:
    """The only idempotence there is: the same recurring run and display name."""
    job = body.get("recurring_run_id")
    if not job:
        return None
    if job not in world.recurring:
        raise internal(
            Refused(INVALID, f"RecurringRunId doesn't exist: {job}"),
            "Failed to create a run due to invalid recurring run id",
        )
    for run in world.runs.values():
        if run.recurring_run_id == job and run.display_name == body["display_name"]:
            return run
    return None


def _start(world: World, body: dict[str, Any], experiment: Experiment) -> Run:
    spec = manifests.meant(world, body, "Failed to create a run due to error fetching manifest")
    if "pipeline_spec" in body and not spec:
        raise internal(
            Refused(INVALID, "Failed to fetch a template with an empty pipeline spec manifest"),
            "Failed to create a run due to error fetching manifest",
        )
    runtime = specs.plain(body.get("runtime_config") or {})
    runtime = {key: value for key, value in runtime.items() if value}
    with during("Failed to generate the ExecutionSpec", "invalid pipeline job inputs"):
        specs.check_parameters(spec, runtime.get("parameters") or {})
    _compiled(spec)
    namespace = experiment.namespace or world.namespace
    run_id = body.get("run_id") or world.new_id("run")
    run = Run(
        run_id,
        body["display_name"],
        experiment.id,
        world.now,
        spec,
        "",
        namespace,
        body.get("description", ""),
        manifests.pinned(world, body.get("pipeline_version_reference") or {}),
        spec if "pipeline_spec" in body else {},
        runtime,
        body.get("service_account") or ("default-editor" if world.multi_user else "pipeline-runner"),
        body.get("recurring_run_id", ""),
        scheduled_at=world.now,
        # the server believes whoever says that a run has ended long ago
        finished_at=_seconds(body.get("finished_at")),
        states=[(world.now, "PENDING")],
    )
    return begin(world, run)


def _compiled(spec: dict[str, Any]) -> None:
    """A broken specification is taken at the upload and fails at the run."""
    if missing := specs.missing_component(spec):
        raise Broken(
            'Internal error: error processing component name="root": '
            f'cannot find component ref name="{missing}"',
            "Failed to compile job",
            "Failed to generate the ExecutionSpec",
            "Failed to create a new run",
        )


def _seconds(text: str | None) -> float:
    return datetime.fromisoformat(text).timestamp() if text else EPOCH


def begin(world: World, run: Run) -> Run:
    """The Workflow first, the row after: a row that cannot be stored leaves the Workflow running."""
    if not world.quirks.workflow_before_row:
        _storable(world, run)
    labels = {"pipeline/runid": run.id}
    run.workflow = cluster.make_workflow(world, run.spec, labels, run.display_name, run.namespace)[
        "metadata"
    ]["name"]
    with during("Failed to create a run"):
        _storable(world, run)
    world.runs[run.id] = run
    if run.experiment_id in world.experiments:
        world.experiments[run.experiment_id].last_run_at = run.created_at
    return run


def _storable(world: World, run: Run) -> None:
    words = f"Failed to store run {run.display_name} to table"
    if len(run.display_name) > 255:
        raise too_long(words, "DisplayName")
    if len(run.description) > 255:
        raise too_long(words, "Description")
    if not storable(run.display_name, world.charset):
        raise Refused(INTERNAL, experiments.unstorable(words, "run_details", "DisplayName", run.display_name))
    if run.id in world.runs:
        raise Refused(INTERNAL, f"{words}: Error 1062 (23000): Duplicate entry '{run.id}' for key 'PRIMARY'")


def find(world: World, run_id: str) -> Run:
    found = world.runs.get(run_id)
    if found is None:
        raise Refused(NOT_FOUND, f"Run {run_id} not found")
    return found


def _fetched(world: World, request: Request, run_id: str, verb: str, *words: str) -> Run:
    """The run, if the asker may; the words differ in multi-user mode, where rights are asked first."""
    if not world.multi_user:
        with during(*words, f"Failed to fetch run {run_id}"):
            return find(world, run_id)
    with during("Failed to authorize the request"):
        with during(f"Failed to authorize with the run ID {run_id}", f"Failed to fetch run {run_id}"):
            found = find(world, run_id)
        authorize(world, request, verb, found.namespace, found)
    return found


def get(world: World, request: Request, run_id: str) -> Answer:
    with during("Failed to get a run"):
        run = _fetched(world, request, run_id, "get")
    cluster.looked_at(world, run)
    return said(run.shown())


def listed(world: World, request: Request) -> Answer:
    asked, query = request.asked(), request.query
    namespace = query.get("namespace", "")
    experiment = world.experiments.get(query.get("experiment_id", ""))
    if world.multi_user:
        namespace = experiment.namespace if experiment else namespace
        with during(
            "Failed to list runs",
            "Failed to list runs due to authorization error. "
            f"Check if you have permission to access namespace {namespace}",
        ):
            authorize(world, request, "list", namespace)
    found = [run for run in world.runs.values() if not world.multi_user or run.namespace == namespace]
    if query.get("experiment_id"):
        found = [run for run in found if run.experiment_id == query["experiment_id"]]
    return said(page(KEPT, found, asked))
