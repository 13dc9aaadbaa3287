"""Pipelines: create, read by id or name, list, change, delete."""

from typing import Any

from tests.fakes.kfp.access import Wanted
from tests.fakes.kfp.answers import INVALID, NOT_FOUND, Answer, Refused, during, internal, said
from tests.fakes.kfp.filters import Kept
from tests.fakes.kfp.listing import page
from tests.fakes.kfp.names import check_tags, must_be_subdomain, same, storable, taken, too_long
from tests.fakes.kfp.objects import Pipeline
from tests.fakes.kfp.request import NotUnderstood, Request
from tests.fakes.kfp.world import World

KEPT = Kept(
    "pipelines",
    "pipelines",
    {"id": "id", "name": "name", "display_name": "display_name", "created_at": "created_at"}
    | {"pipeline_id": "id", "description": "description", "namespace": "namespace"},
    {},
    "pipelines.",
    tagged=True,
)
LONGEST = 128
COLUMN = 127


def authorize(
    world: World, request: Request, verb: str, pipeline: Pipeline | None, namespace: str = "", name: str = ""
) -> None:
    """Multi-user: reading shared ones is free, changing them needs rights in the system's namespace."""
    if not world.multi_user:
        return
    where = pipeline.namespace if pipeline else namespace
    name = name or (pipeline.name if pipeline and verb != "list" else "")
    shown = pipeline.id if pipeline and verb != "list" else ""
    if not where:
        if verb in ("get", "list"):
            return
        with during(
            f"Failed to access shared pipeline {shown}. Check if you have permission to {verb} shared pipelines"
        ):
            world.access.check(request.headers, Wanted(verb, "pipelines", world.namespace, name))
        return
    with during(f"Failed to access pipeline {shown}. Check if you have access to namespace {where}"):
        world.access.check(request.headers, Wanted(verb, "pipelines", where, name))


def find(world: World, pipeline_id: str) -> Pipeline:
    found = world.pipelines.get(pipeline_id)
    if found is None:
        raise Refused(NOT_FOUND, f"Pipeline {pipeline_id} not found")
    return found


def create(world: World, request: Request) -> Answer:
    """POST /pipelines: one without any version."""
    body = request.json()
    name = body.get("name") or body.get("display_name", "")
    namespace = body.get("namespace", "") if world.multi_user else ""
    with during("Failed to create a pipeline due to server error"):
        if not name:
            raise Refused(INVALID, "name is required")
        with during(
            "Failed to create a pipeline due to authorization error. "
            f"Check if you have write permissions to namespace {namespace}"
        ):
            authorize(world, request, "create", None, namespace, name)
        with during("Failed to create a pipeline in PipelineStore"):
            check_tags(body.get("tags", {}))
            made = insert(
                world,
                name,
                body.get("display_name") or name,
                body.get("description", ""),
                namespace,
                body.get("tags", {}),
            )
    return said(made.shown())


def insert(
    world: World, name: str, display: str, description: str, namespace: str, tags: dict[str, str]
) -> Pipeline:
    """A new row, or the store's refusal."""
    if world.native:
        must_be_subdomain("pipeline", name)
    if len(display) > 255 and not world.native:
        raise too_long("Failed to add pipeline to pipeline table", "DisplayName")
    if any(
        (same(name, pipeline.name, world.charset) if world.quirks.names_fold else name == pipeline.name)
        and (world.native or pipeline.namespace == namespace)
        for pipeline in world.pipelines.values()
    ):
        raise taken("pipeline", name)
    if len(name) > COLUMN:
        raise too_long("Failed to add pipeline to pipeline table", "Name")
    if not world.native and not all(storable(text, world.charset) for text in (name, display, description)):
        raise internal(Refused(INVALID, "Incorrect string value"), "Failed to add pipeline to pipeline table")
    shown_in = world.namespace if world.native else namespace
    made = Pipeline(world.new_id("pipeline"), name, display, world.now, description, shown_in, dict(tags))
    world.pipelines[made.id] = made
    return made


def get(world: World, request: Request, pipeline_id: str) -> Answer:
    with during(f"Failed to get a pipeline {pipeline_id}. Check error stack"):
        if not world.multi_user:
            with during(f"Failed to get a pipeline with id {pipeline_id}"):
                return said(find(world, pipeline_id).shown())
        with during(f"Failed to get a pipeline due authorization error for pipeline id {pipeline_id}"):
            found = _in_namespace(world, pipeline_id)
            authorize(world, request, "get", found)
    return said(found.shown())


def _in_namespace(world: World, pipeline_id: str) -> Pipeline:
    with during(
        f"Failed to access pipeline {pipeline_id}. Check if it exists and have a namespace assigned",
        f"Failed to get a pipeline with id {pipeline_id}",
    ):
        return find(world, pipeline_id)


def by_name(world: World, request: Request, name: str) -> Answer:
    """GET /pipelines/names/{name}: without a namespace, whoever's pipeline comes first."""
    namespace = request.query.get("namespace", "")
    with during(f"Failed to get a pipeline with name {name} and namespace {namespace}. Check error stack."):
        if namespace:
            with during(
                "Failed to fetch a pipeline due to authorization error. "
                f"Check if you have read permission to namespace {namespace}"
            ):
                authorize(world, request, "get", None, namespace, name)
        with during(f"Failed to get a pipeline named {name} in namespace {namespace}"):
            return said(_named(world, name, namespace).shown())


def _named(world: World, name: str, namespace: str) -> Pipeline:
    found = [pipeline for pipeline in world.pipelines.values() if same(name, pipeline.name, world.charset)]
    if world.multi_user and (namespace or not world.quirks.any_namespace_by_name):
        found = [pipeline for pipeline in found if pipeline.namespace == namespace]
    if found:
        return min(found, key=lambda pipeline: pipeline.id)
    where = namespace or (world.namespace if world.native else "")
    raise Refused(NOT_FOUND, f"Namespace/Pipeline {where}/{name} not found")


def listed(world: World, request: Request) -> Answer:
    namespace = request.query.get("namespace", "") if world.multi_user else ""
    asked = request.asked()
    if namespace:
        with during(
            f"Failed to list pipelines in namespace {namespace}. Check error stack",
            "Failed to list pipelines due to authorization error. "
            f"Check if you have read permission to namespace {namespace}",
        ):
            authorize(world, request, "list", None, namespace)
    found = [one for one in world.pipelines.values() if world.native or one.namespace == namespace]
    return said(page(KEPT, found, asked, world.random if world.native else None))


CHANGEABLE = ("display_name", "tags")
FIELDS = ("pipeline_id", "display_name", "name", "description", "created_at", "namespace", "error", "tags")


def change(world: World, request: Request, pipeline_id: str) -> Answer:
    """PATCH: display_name and tags; anything else that the message knows is ignored with 200."""
    body = request.json()
    known(body, FIELDS)
    found = world.pipelines.get(pipeline_id)
    with during(f"Failed to update pipeline {pipeline_id} due to authorization error"):
        authorize(world, request, "update", found) if found else None
    with during(f"Failed to update pipeline {pipeline_id}. Check error stack"):
        found = find(world, pipeline_id)
        check_tags(body.get("tags", {}))
        with during("Failed to update pipeline"):
            amend(found, body, f"Failed to update fields for pipelines {pipeline_id}")
    return said(found.shown())


def amend(found: Any, body: dict[str, Any], words: str) -> None:
    if len(body.get("display_name", "")) > 255:
        raise too_long(words, "DisplayName")
    found.display_name = body.get("display_name") or found.display_name
    found.tags = dict(body["tags"]) if "tags" in body else found.tags


def known(body: dict[str, Any], fields: tuple[str, ...]) -> None:
    """The gateway refuses a field that the message does not have."""
    for name in body:
        if _snake(name) not in fields:
            raise NotUnderstood(f'proto: (line 1:2): unknown field "{name}"')


def _snake(name: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in name)


def delete(world: World, request: Request, pipeline_id: str) -> Answer:
    with during(f"Failed to delete pipeline {pipeline_id}. Check error stack"):
        found = _to_delete(world, pipeline_id)
        with during(f"Failed to delete a pipeline due authorization error for pipeline id {pipeline_id}"):
            authorize(world, request, "delete", found)
        versions = world.of_pipeline(pipeline_id)
        if versions and request.query.get("cascade") != "true":
            raise Refused(
                INVALID,
                f"Failed to delete pipeline with id {pipeline_id} as it has existing pipeline versions "
                f"(e.g. {versions[-1].id}). Set cascade=true to delete all versions",
            )
    for version in versions:
        del world.versions[version.id]
    del world.pipelines[pipeline_id]
    return said({})


def _to_delete(world: World, pipeline_id: str) -> Pipeline:
    with during(f"Failed to delete pipeline with id {pipeline_id} as it was not found"):
        return find(world, pipeline_id)
