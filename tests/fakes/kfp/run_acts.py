"""What can be done to a run: cancel, retry, archive, delete, read a task's log."""

from tests.fakes.kfp import cluster
from tests.fakes.kfp.answers import BAD_REQUEST, INVALID, PLAIN, Answer, Refused, during, said
from tests.fakes.kfp.objects import FINAL
from tests.fakes.kfp.request import Request
from tests.fakes.kfp.runs import _fetched as fetched
from tests.fakes.kfp.world import World


def terminate(world: World, request: Request, run_id: str) -> Answer:
    """CANCELING at once; FAILED when the controller has come by."""
    with during("Failed to terminate a run"):
        run = fetched(
            world,
            request,
            run_id,
            "terminate",
            f"Failed to terminate run {run_id} due to error fetching the run",
        )
        if run.state in FINAL or run.state == "CANCELING":
            with during(f"Failed to terminate run {run_id}"):
                raise Refused(INVALID, f"Failed to terminate a run {run_id}. Row not found")
    run.canceled_at = world.now
    return said({})


def retry(world: World, request: Request, run_id: str) -> Answer:
    with during("Failed to retry a run"):
        run = fetched(world, request, run_id, "retry", f"Failed to retry run {run_id}")
        if run.state not in ("FAILED", "CANCELED"):
            text = f"Failed to retry run {run_id} due to error fetching workflow manifest"
            raise Refused(
                BAD_REQUEST, f"{text}: Invalid input error: Workflow manifest cannot be empty", f"{text}"
            )
    run.error = ""
    cluster.enter(world, run, "RUNNING")
    return said({})


def archive(world: World, request: Request, run_id: str) -> Answer:
    with during("Failed to archive a run"):
        fetched(
            world, request, run_id, "archive", f"Failed to archive run {run_id}"
        ).storage_state = "ARCHIVED"
    return said({})


def unarchive(world: World, request: Request, run_id: str) -> Answer:
    with during("Failed to unarchive a run"):
        fetched(
            world, request, run_id, "unarchive", f"Failed to unarchive run {run_id}"
        ).storage_state = "AVAILABLE"
    return said({})


def delete(world: World, request: Request, run_id: str) -> Answer:
    """The row goes, and the Workflow with it."""
    with during("Failed to delete a run"):
        run = fetched(world, request, run_id, "delete", f"Failed to delete run {run_id} as it does not exist")
    world.workflows.pop(run.workflow, None)
    del world.runs[run_id]
    return said({})


def log(world: World, request: Request, run_id: str, node: str) -> Answer:
    """GET /runs/{run}/nodes/{node}/log: the pod's log as plain text (assumed: no recording has it)."""
    with during("Failed to read the run log"):
        fetched(world, request, run_id, "readArtifact")
    text = world.logs.get((run_id, node))
    if text is None:
        return said(
            {"error_message": "error in getting log", "error_details": "error in getting log"}, 500, PLAIN
        )
    return Answer(200, text.encode(), dict(PLAIN))
