"""The cluster behind the server: Workflows, and what its controllers do to runs as time goes by."""

import json
import re
import zlib
from typing import Any

from tests.fakes.kfp import specs
from tests.fakes.kfp.answers import INTERNAL, Answer, Refused, said
from tests.fakes.kfp.kubernetes import done, missing, selected, status
from tests.fakes.kfp.objects import FINAL, Run, stamp
from tests.fakes.kfp.request import Request
from tests.fakes.kfp.world import World

LARGEST = 3145728
GROUP = "argoproj.io/v1alpha1"
RESOURCE = "workflows.argoproj.io"
PHASES = {"PENDING": "Pending", "RUNNING": "Running", "SUCCEEDED": "Succeeded", "FAILED": "Failed"}
LABEL = r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
CANCEL_SECONDS = 8
START_SECONDS = 1


def make_workflow(
    world: World, spec: dict[str, Any], labels: dict[str, str], run_name: str, namespace: str
) -> dict[str, Any]:
    """A Workflow in the cluster, or Kubernetes' refusal as the server passes it on."""
    base = specs.name(spec) or "run"
    name = f"{base}-{world.suffix()}"
    _admit(world, name, spec, labels)
    workflow = {
        "apiVersion": GROUP,
        "kind": "Workflow",
        "metadata": {
            "name": name,
            "generateName": f"{base}-",
            "namespace": namespace,
            "uid": world.new_id(),
            "creationTimestamp": stamp(world.now),
            "labels": dict(labels),
            "annotations": {"pipelines.kubeflow.org/run_name": run_name},
        },
        "spec": {"entrypoint": "entrypoint"},
        "status": {"startedAt": None, "finishedAt": None},
    }
    world.workflows[name] = workflow
    return workflow


def _admit(world: World, name: str, spec: dict[str, Any], labels: dict[str, str]) -> None:
    with_words = "Failed to create a workflow for ()"
    if world.troubles.quota:
        raise Refused(
            INTERNAL,
            f'{with_words}: workflows.argoproj.io "{name}" is forbidden: exceeded quota: {world.troubles.quota}',
        )
    for value in labels.values():
        why = _label_error(value)
        if why:
            raise Refused(
                INTERNAL,
                f'{with_words}: Workflow.argoproj.io "{name}" is invalid: metadata.labels: '
                f'Invalid value: "{value}": {why}',
            )
    if len(json.dumps(spec)) > LARGEST:
        raise Refused(INTERNAL, f"{with_words}: Request entity too large: limit is {LARGEST}")


def _label_error(value: str) -> str:
    if len(value.encode()) > 63:
        return "must be no more than 63 bytes"
    if not re.fullmatch(LABEL, value):
        return (
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', "
            "and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or "
            f"'12345', regex used for validation is '{LABEL}')"
        )
    return ""


def move_runs(world: World) -> None:
    """What persistence agent and workflow controller have done by now."""
    for run in world.runs.values():
        since = world.now - run.states[-1][0]
        if run.canceled_at is not None:
            _cancel(world, run, world.now - run.canceled_at)
        elif run.state == "PENDING" and since >= START_SECONDS:
            enter(world, run, "RUNNING")


def _cancel(world: World, run: Run, since: float) -> None:
    if since >= START_SECONDS:
        run.enter("CANCELING", world.now)
    if since >= CANCEL_SECONDS:
        enter(world, run, "FAILED")


def looked_at(world: World, run: Run) -> None:
    """Where runs end by themselves, after so many looks at one."""
    if world.ends is None or run.state in FINAL:
        return
    state, looks = world.ends
    run.looks += 1
    if run.looks >= looks:
        enter(world, run, "FAILED" if run.state == "CANCELING" else state)


def enter(world: World, run: Run, state: str) -> None:
    """The run's row and its Workflow go to `state`; its tasks follow."""
    run.enter(state, world.now)
    workflow = world.workflows.get(run.workflow)
    if workflow and state in PHASES:
        workflow["status"]["phase"] = PHASES[state]
        workflow["metadata"]["labels"]["workflows.argoproj.io/phase"] = PHASES[state]
        if state in FINAL:
            workflow["metadata"]["labels"] |= {
                "workflows.argoproj.io/completed": "true",
                "pipeline/persistedFinalState": "true",
            }
    if state in PHASES and state != "PENDING":
        run.tasks = _tasks(world, run, state)


def _tasks(world: World, run: Run, state: str) -> list[dict[str, Any]]:
    named = [run.workflow, "root-driver"]
    if state in FINAL:
        named += ["root", *sorted(specs.core(run.spec).get("root", {}).get("dag", {}).get("tasks", {}))]
    held = {task["display_name"]: task for task in run.tasks}
    return [_task(world, run, name, state, held.get(name)) for name in named]


def _task(world: World, run: Run, name: str, state: str, before: dict[str, Any] | None) -> dict[str, Any]:
    history = list(before["state_history"]) if before else []
    pod = f"{run.workflow}-{zlib.crc32(f'{run.id} {name}'.encode())}"
    return {
        "run_id": run.id,
        "task_id": before["task_id"] if before else world.new_id(),
        "display_name": name,
        "create_time": stamp(run.created_at),
        "start_time": stamp(run.created_at),
        "end_time": stamp(world.now) if state in FINAL else "0001-01-01T00:00:00Z",
        "state": state,
        "state_history": [*history, {"update_time": stamp(world.now), "state": state}],
        "child_tasks": (before or {}).get("child_tasks") or [{"pod_name": pod}],
    }


def listed(world: World, request: Request, namespace: str) -> Answer:
    """GET …/workflows: those of the namespace that match `labelSelector`."""
    if refused := _refused(world, request):
        return refused
    wanted = request.query.get("labelSelector", "")
    items = [
        one
        for one in world.workflows.values()
        if one["metadata"]["namespace"] == namespace and selected(one["metadata"]["labels"], wanted)
    ]
    begin = int(request.query.get("continue") or 0)
    end = begin + int(request.query.get("limit") or len(items))
    metadata = {"resourceVersion": "1"} | ({"continue": str(end)} if end < len(items) else {})
    body = {"apiVersion": GROUP, "kind": "WorkflowList", "metadata": metadata, "items": items[begin:end]}
    if "as=PartialObjectMetadataList" in request.headers.get("Accept", ""):
        body |= {"apiVersion": "meta.k8s.io/v1", "kind": "PartialObjectMetadataList"}
        body["items"] = [{"metadata": one["metadata"]} for one in items[begin:end]]
    return said(body, headers={"Content-Type": "application/json"})


def one(world: World, request: Request, namespace: str, name: str) -> Answer:
    if refused := _refused(world, request):
        return refused
    found = world.workflows.get(name)
    if found is None or found["metadata"]["namespace"] != namespace:
        return missing(RESOURCE, name)
    return said(found, headers={"Content-Type": "application/json"})


def delete(world: World, request: Request, namespace: str, name: str) -> Answer:
    if refused := _refused(world, request):
        return refused
    found = world.workflows.get(name)
    if found is None or found["metadata"]["namespace"] != namespace:
        return missing(RESOURCE, name)
    precondition = (request.json().get("preconditions") or {}).get("uid")
    if precondition and precondition != found["metadata"]["uid"]:
        return status(
            RESOURCE, 409, "Conflict", f"Precondition failed: UID in precondition: {precondition}", name
        )
    del world.workflows[name]
    return done(RESOURCE, name, found["metadata"]["uid"])


def _refused(world: World, request: Request) -> Answer | None:
    """What Kubernetes says where it does not know the token, or knows that its bearer may not."""
    wanted = world.cluster_token
    if wanted and request.headers.get("Authorization") != f"Bearer {wanted}":
        return status(RESOURCE, 401, "Unauthorized", "Unauthorized")
    if world.cluster_denied:
        words = (
            'workflows.argoproj.io is forbidden: User "system:serviceaccount:ci:tagline" cannot list resource'
        )
        return status(RESOURCE, 403, "Forbidden", f'{words} "workflows" in API group "argoproj.io"')
    return None
