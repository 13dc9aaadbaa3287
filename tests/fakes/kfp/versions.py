"""Pipeline versions: read, list, change, delete, and the store's rules for a new one."""

from typing import Any

from tests.fakes.kfp.answers import EXISTS, INVALID, NOT_FOUND, Answer, Refused, during, internal, said
from tests.fakes.kfp.filters import Kept
from tests.fakes.kfp.listing import page
from tests.fakes.kfp.names import check_tags, must_be_subdomain, same, storable, taken, too_long
from tests.fakes.kfp.objects import Pipeline, Version
from tests.fakes.kfp.pipelines import amend, authorize, find, known
from tests.fakes.kfp.request import Request
from tests.fakes.kfp.world import World

KEPT = Kept(
    "pipeline_versions",
    "pipeline versions",
    {"id": "id", "name": "name", "display_name": "display_name", "created_at": "created_at"}
    | {"pipeline_version_id": "id", "description": "description"},
    {},
    "pipeline_versions.",
    tagged=True,
)
FIELDS = ("pipeline_id", "pipeline_version_id", "display_name", "name", "description", "created_at")
FIELDS += ("package_url", "code_source_url", "pipeline_spec", "error", "tags")


def find_version(world: World, version_id: str) -> Version:
    found = world.versions.get(version_id)
    if found is None:
        raise Refused(NOT_FOUND, f"PipelineVersion {version_id} not found")
    return found


def insert(
    world: World,
    pipeline: Pipeline,
    name: str,
    display: str,
    spec: dict[str, Any],
    description: str = "",
    tags: dict[str, str] | None = None,
) -> Version:
    """A new row, or the store's refusal."""
    if world.native:
        _native_rules(world, pipeline, name)
    if any(same(name, version.name, world.charset) for version in world.of_pipeline(pipeline.id)):
        raise taken("version", name)
    if len(name) > 127:
        raise too_long("Failed to add version to pipeline_versions table", "Name")
    if not world.native and not all(storable(text, world.charset) for text in (name, display, description)):
        raise internal(Refused(INVALID, "Incorrect string value"), "Failed to add a pipeline version")
    made = Version(
        world.new_id("version"),
        pipeline.id,
        name,
        display,
        world.now,
        spec,
        description,
        tags=dict(tags or {}),
    )
    world.versions[made.id] = made
    return made


def _native_rules(world: World, pipeline: Pipeline, name: str) -> None:
    """In Kubernetes a version is an object named <pipeline>-<version>: other pairs may spell the same name."""
    must_be_subdomain("pipeline version", name)
    for version in world.versions.values():
        owner = world.pipelines.get(version.pipeline_id)
        if owner is None:
            continue
        if object_name(owner.name, version.name) == object_name(pipeline.name, name):
            raise Refused(
                EXISTS,
                f"Failed to create a new pipeline version. The name {name} already exist. Specify a new name",
            )


def object_name(pipeline: str, version: str) -> str:
    return pipeline if pipeline == version else f"{pipeline}-{version}"


def get(world: World, request: Request, pipeline_id: str, version_id: str) -> Answer:
    with during(f"Failed to get a pipeline version {version_id}"):
        if world.multi_user:
            with during(
                f"Failed to get a pipeline version due to authorization error for pipeline version id {version_id}"
            ):
                _readable(world, request, version_id)
        with during(f"Failed to get a pipeline version with id {version_id}"):
            return said(find_version(world, version_id).shown())


def _readable(world: World, request: Request, version_id: str) -> None:
    version = world.versions.get(version_id)
    pipeline = world.pipelines.get(version.pipeline_id) if version else None
    if pipeline and pipeline.namespace:
        authorize(world, request, "get", pipeline)


def listed(world: World, request: Request, pipeline_id: str) -> Answer:
    asked = request.asked()
    _must_have_namespace(world, pipeline_id)
    if world.multi_user:
        of = find(world, pipeline_id)
        with during(
            f"Failed to list pipeline versions for pipeline {pipeline_id}",
            "Failed to list pipeline versions due to authorization error. "
            f"Check if you have read permission to namespace {of.namespace}",
        ):
            authorize(world, request, "list", of)
    found = world.of_pipeline(pipeline_id)
    return said(page(KEPT, found, asked, world.random if world.native else None))


def _must_have_namespace(world: World, pipeline_id: str) -> None:
    with during(
        f"Failed to list pipeline versions for pipeline {pipeline_id}",
        f"Failed to list pipeline versions due to error fetching the namespace for pipeline {pipeline_id}",
        f"Failed to get namespace for pipeline id {pipeline_id}",
        f"Failed to get a pipeline with id {pipeline_id}",
    ):
        find(world, pipeline_id)


def change(world: World, request: Request, pipeline_id: str, version_id: str) -> Answer:
    body = request.json()
    known(body, FIELDS)
    with during(f"Failed to update pipeline version {version_id}. Check error stack"):
        found = find_version(world, version_id)
        authorize(world, request, "update", world.pipelines.get(found.pipeline_id))
        check_tags(body.get("tags", {}))
        amend(found, body, f"Failed to update fields for pipeline_versions {version_id}")
    return said(found.shown())


def delete(world: World, request: Request, pipeline_id: str, version_id: str) -> Answer:
    """Gone at once, whoever still points at it."""
    with during(
        f"Failed to delete a pipeline version id {version_id} under pipeline id {pipeline_id}. "
        "Check error stack"
    ):
        with during(
            f"Failed to delete a pipeline version id {version_id} due to authorization error "
            f"for pipeline id {pipeline_id}"
        ):
            authorize(world, request, "delete", world.pipelines.get(pipeline_id))
        with during(f"Failed to delete pipeline version with id {version_id} as it was not found"):
            find_version(world, version_id)
    del world.versions[version_id]
    return said({})
