"""Which function answers which request."""

import re
from collections.abc import Callable
from urllib.parse import unquote

from tests.fakes.kfp import cluster, experiments, pipelines, recurring, run_acts, runs, uploads, versions
from tests.fakes.kfp.answers import PLAIN, Answer, bare, said
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


TABLE: list[tuple[str, str, Handler]] = [
    ("GET", "/healthz", healthz),
    ("*", "/pipelines/upload", uploads.pipeline),
    ("*", "/pipelines/upload_version", uploads.version),
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
WORKFLOWS = "/apis/argoproj.io/v1alpha1/namespaces/{id}/workflows"
OUTSIDE: list[tuple[str, str, Handler]] = [
    ("GET", "/apis/v1alpha1/runs/{id}/nodes/{name}/log", run_acts.log),
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
