"""Experiments: create, read, list, archive, delete; an archived one still owns its name."""

from tests.fakes.kfp.access import Wanted
from tests.fakes.kfp.answers import INTERNAL, INVALID, NOT_FOUND, Answer, Refused, during, said
from tests.fakes.kfp.filters import Kept
from tests.fakes.kfp.listing import page
from tests.fakes.kfp.names import same, storable, taken
from tests.fakes.kfp.objects import Experiment
from tests.fakes.kfp.request import Request
from tests.fakes.kfp.world import World

KEPT = Kept(
    "experiments",
    "experiments",
    {"id": "id", "experiment_id": "id", "name": "display_name", "display_name": "display_name"}
    | {"created_at": "created_at", "last_run_created_at": "last_run_at", "storage_state": "storage_state"}
    | {"namespace": "namespace"},
    {},
    "",
    parse_words="Failed to create list options",
)
CONVERSION = "[ExperimentServer]: Failed to create a experiment due to conversion error"
MODEL = "Failed to convert API experiment to model experiment: Invalid input error: "
EMPTY_NAMESPACE = "An experiment cannot have an empty namespace in multi-user mode"


def find(world: World, experiment_id: str) -> Experiment:
    found = world.experiments.get(experiment_id)
    if found is None:
        raise Refused(NOT_FOUND, f"Experiment {experiment_id} not found")
    return found


def authorize(world: World, request: Request, verb: str, namespace: str, name: str = "") -> None:
    if not world.multi_user:
        return
    if not namespace:
        raise Refused(INVALID, EMPTY_NAMESPACE)
    with during("Failed to authorize with API"):
        world.access.check(request.headers, Wanted(verb, "experiments", namespace, name))


def create(world: World, request: Request) -> Answer:
    body = request.json()
    name = body.get("display_name", "")
    with during(CONVERSION):
        if not name:
            raise Refused(INTERNAL, f"{MODEL}Experiment must have a non-empty name")
        if len(name) > 128:
            raise Refused(INTERNAL, f"{MODEL}Experiment.Name length cannot exceed 128")
    namespace = body.get("namespace", "") if world.multi_user else ""
    with during("Failed to create a experiment"):
        with during("Failed to authorize the request"):
            authorize(world, request, "create", namespace, name)
        if any(
            same(name, one.display_name, world.charset) and one.namespace == namespace
            for one in world.experiments.values()
        ):
            raise taken("experiment", name)
        if not storable(name, world.charset):
            raise Refused(
                INTERNAL,
                unstorable("Failed to add experiment to experiment table", "experiments", "Name", name),
            )
    made = Experiment(world.new_id("experiment"), name, world.now, body.get("description", ""), namespace)
    world.experiments[made.id] = made
    return said(made.shown())


def unstorable(words: str, table: str, column: str, text: str) -> str:
    """MariaDB's words for a character that the column cannot hold."""
    bad = "".join(char for char in text if ord(char) > 0xFFFF) or text
    encoded = "".join(f"\\x{byte:02X}" for byte in bad.encode())
    error = (
        f"Error 1366 (22007): Incorrect string value: '{encoded}' "
        f"for column `kfp_db2`.`{table}`.`{column}` at row 1"
    )
    return f"{words}: {error}: {error}" if table == "experiments" else f"{words}: {error}"


def get(world: World, request: Request, experiment_id: str) -> Answer:
    with during(
        "Failed to fetch experiment", *(["Failed to authorize the request"] if world.multi_user else [])
    ):
        found = find(world, experiment_id)
        authorize(world, request, "get", found.namespace, found.display_name)
    return said(found.shown())


def listed(world: World, request: Request) -> Answer:
    namespace = request.query.get("namespace", "")
    with during("List experiments failed", "Failed to authorize with API"):
        authorize(world, request, "list", namespace)
    found = [one for one in world.experiments.values() if not world.multi_user or one.namespace == namespace]
    return said(page(KEPT, found, request.asked()))


def archive(world: World, request: Request, experiment_id: str) -> Answer:
    return _stored(world, request, experiment_id, "archive", "ARCHIVED")


def unarchive(world: World, request: Request, experiment_id: str) -> Answer:
    return _stored(world, request, experiment_id, "unarchive", "AVAILABLE")


def _stored(world: World, request: Request, experiment_id: str, verb: str, state: str) -> Answer:
    with during(
        f"Failed to {verb} experiment", *(["Failed to authorize the request"] if world.multi_user else [])
    ):
        found = find(world, experiment_id)
        authorize(world, request, verb, found.namespace, found.display_name)
    found.storage_state = state
    if state == "ARCHIVED":
        for run in world.runs.values():
            run.storage_state = state if run.experiment_id == experiment_id else run.storage_state
        for job in world.recurring.values():
            job.mode = "DISABLE" if job.experiment_id == experiment_id else job.mode
    return said({})


def delete(world: World, request: Request, experiment_id: str) -> Answer:
    with during(
        "Failed to delete an experiment", *(["Failed to authorize the request"] if world.multi_user else [])
    ):
        found = find(world, experiment_id)
        authorize(world, request, "delete", found.namespace, found.display_name)
    del world.experiments[experiment_id]
    return said({})
