"""Which function answers which request."""

import json
import re
from collections.abc import Callable
from urllib.parse import unquote

from tests.fakes.kfp import (
    cluster,
    custom,
    experiments,
    fetching,
    pipelines,
    recurring,
    run_acts,
    runs,
    uploads,
    versions,
)
from tests.fakes.kfp.access import Wanted
from tests.fakes.kfp.answers import PLAIN, Answer, bare, during, said, traced
from tests.fakes.kfp.objects import stamp
from tests.fakes.kfp.request import Request
from tests.fakes.kfp.world import World

API = "/apis/v2beta1"
Handler = Callable[..., Answer]


def healthz(world: World, request: Request) -> Answer:
    """200 whatever else is broken."""
    body = {
        "commit_sha": "unknown",
        "tag_name": "unknown",
        "multi_user": world.multi_user,
        "pipeline_store": "kubernetes" if world.native else "database",
    }
    return said(body, headers={"Content-Type": "application/json"})


def old_healthz(world: World, request: Request) -> Answer:
    """v1beta1 has no pipeline_store."""
    body = json.loads(healthz(world, request).body)
    del body["pipeline_store"]
    return said(body, headers={"Content-Type": "application/json"})


def old_auth(world: World, request: Request) -> Answer:
    """What the UI asks: may this user see that namespace."""
    query = request.query
    wanted = Wanted(
        query.get("verb", "").lower(),
        query.get("resources", "").lower(),
        query.get("namespace", ""),
        group="kubeflow.org",
    )
    with during("Failed to authorize the request"):
        if world.multi_user:
            world.access.check(request.headers, wanted)
    return said({})


def old_pipelines(world: World, request: Request) -> Answer:
    """The v1 API is not there for the native store; the fake has none at all."""
    if not world.native:
        return bare(404, 5, "Not Found")
    at = "\nruntime.main\n\t/usr/local/go/src/runtime/proc.go:258\n"
    text = (
        f"Internal error: the v1 API is not available for the Kubernetes pipeline store{at}"
        f"ResourceManager (v1beta1): Failed to list pipelines with context &{{0x1}}, options &{{20 0x1}}{at}"
        f"Failed to list pipelines (v1beta1) in namespace . Check error stack{at}"
    ).rstrip("\n")
    return traced(text)


def old_upload(world: World, request: Request) -> Answer:
    """The one v1 route that people still call: its answer has the old shape."""
    answer = uploads.pipeline(world, request)
    if answer.status != 200:
        return answer
    made = world.pipelines[json.loads(answer.body)["pipeline_id"]]
    version = world.of_pipeline(made.id)[0]
    owner = {"relationship": "OWNER"}
    first = {"id": version.id, "name": version.name, "created_at": stamp(version.created_at)}
    first["resource_references"] = [{"key": {"type": "PIPELINE", "id": made.id}} | owner]
    body = {"id": made.id, "created_at": stamp(made.created_at), "name": made.name, "default_version": first}
    if made.namespace:
        body["resource_references"] = [{"key": {"type": "NAMESPACE", "id": made.namespace}} | owner]
    return said(body, headers={"Content-Type": "application/json"})


def metrics(world: World, request: Request) -> Answer:
    return Answer(200, b"", dict(PLAIN))


TABLE: list[tuple[str, str, Handler]] = [
    ("GET", "/healthz", healthz),
    ("*", "/pipelines/upload", uploads.pipeline),
    ("*", "/pipelines/upload_version", uploads.version),
    ("POST", "/pipelines/create", fetching.create_both),
    ("POST", "/pipelines/{id}/versions", fetching.create_version),
    ("POST", "/pipelines", pipelines.create),
    ("GET", "/pipelines", pipelines.listed),
    ("GET", "/pipelines/names/{name}", pipelines.by_name),
    ("GET", "/pipelines/{id}", pipelines.get),
    ("PATCH", "/pipelines/{id}", pipelines.change),
    ("DELETE", "/pipelines/{id}", pipelines.delete),
    ("GET", "/pipelines/{id}/versions", versions.listed),
    ("GET", "/pipelines/{id}/versions/{id}", versions.get),
    ("PATCH", "/pipelines/{id}/versions/{id}", versions.change),
    ("DELETE", "/pipelines/{id}/versions/{id}", versions.delete),
    ("POST", "/experiments", experiments.create),
    ("GET", "/experiments", experiments.listed),
    ("GET", "/experiments/{id}", experiments.get),
    ("DELETE", "/experiments/{id}", experiments.delete),
    ("POST", "/experiments/{id}:archive", experiments.archive),
    ("POST", "/experiments/{id}:unarchive", experiments.unarchive),
    ("POST", "/runs", runs.create),
    ("GET", "/runs", runs.listed),
    ("GET", "/runs/{id}", runs.get),
    ("DELETE", "/runs/{id}", run_acts.delete),
    ("POST", "/runs/{id}:terminate", run_acts.terminate),
    ("POST", "/runs/{id}:retry", run_acts.retry),
    ("POST", "/runs/{id}:archive", run_acts.archive),
    ("POST", "/runs/{id}:unarchive", run_acts.unarchive),
    ("POST", "/recurringruns", recurring.create),
    ("GET", "/recurringruns", recurring.listed),
    ("GET", "/recurringruns/{id}", recurring.get),
    ("DELETE", "/recurringruns/{id}", recurring.delete),
    ("POST", "/recurringruns/{id}:enable", recurring.enable),
    ("POST", "/recurringruns/{id}:disable", recurring.disable),
]
CUSTOM = "/apis/pipelines.kubeflow.org/v2beta1/namespaces/{id}"
WORKFLOWS = "/apis/argoproj.io/v1alpha1/namespaces/{id}/workflows"
OUTSIDE: list[tuple[str, str, Handler]] = [
    ("GET", "/apis/v1beta1/healthz", old_healthz),
    ("GET", "/apis/v1beta1/auth", old_auth),
    ("GET", "/apis/v1beta1/pipelines", old_pipelines),
    ("POST", "/apis/v1beta1/pipelines/upload", old_upload),
    ("*", "/metrics", metrics),
    ("GET", "/apis/v1alpha1/runs/{id}/nodes/{name}/log", run_acts.log),
    ("*", f"{CUSTOM}/{{id}}", custom.handle),
    ("*", f"{CUSTOM}/{{id}}/{{name}}", custom.handle),
    ("GET", WORKFLOWS, cluster.listed),
    ("GET", f"{WORKFLOWS}/{{name}}", cluster.one),
    ("DELETE", f"{WORKFLOWS}/{{name}}", cluster.delete),
]


def _compiled(method: str, pattern: str, handler: Handler) -> tuple[str, re.Pattern[str], Handler]:
    shape = re.escape(pattern).replace(r"\{id\}", "([^/:]+)").replace(r"\{name\}", "([^/]+)")
    return method, re.compile(shape), handler


ROUTES = [_compiled(method, API + pattern, handler) for method, pattern, handler in TABLE]
ROUTES += [_compiled(method, pattern, handler) for method, pattern, handler in OUTSIDE]


def answer(world: World, request: Request) -> Answer:
    """The route's answer, 404 where there is none, 501 where only the method is wrong."""
    known = False
    path = unquote(request.path) if "/names/" in request.path else request.path
    for method, pattern, handler in ROUTES:
        found = pattern.fullmatch(path)
        if found is None:
            continue
        known = True
        if method in ("*", request.method):
            return handler(world, request, *(unquote(group) for group in found.groups()))
    if known:
        return bare(501, 12, "Method Not Allowed")
    if request.path.startswith("/apis/"):
        return bare(404, 5, "Not Found")
    return Answer(404, b"404 page not found\n", dict(PLAIN))
