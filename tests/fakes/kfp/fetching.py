"""Pipelines and versions from a URL: the server fetches it, refuses what is near, and ignores the version's name."""

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from tests.fakes.kfp import pipelines, specs, versions
from tests.fakes.kfp.answers import INTERNAL, INVALID, INVALID_CODED, Answer, Refused, during, said
from tests.fakes.kfp.names import check_tags
from tests.fakes.kfp.request import Request
from tests.fakes.kfp.world import World

NOT_HTTP = "Pipeline URL validation failed"
BLOCKED = "connection to blocked IP range denied"


def create_both(world: World, request: Request) -> Answer:
    """POST /pipelines/create: the version is named like the pipeline, whatever it asks for."""
    body = request.json()
    held, version = body.get("pipeline") or {}, body.get("pipeline_version") or {}
    url = _url(version)
    with during("Failed to create a pipeline"):
        namespace = held.get("namespace", "") if world.multi_user else ""
        pipelines.authorize(world, request, "create", None, namespace, held.get("name", ""))
        content = _fetched(world, url)
        try:
            spec = specs.parsed(content)
        except specs.NoPipeline as why:
            with during("Failed to create a pipeline and a pipeline version due to template creation error"):
                raise Refused(INVALID_CODED, f"{why}: pipeline spec is invalid", str(why)) from None
        name = held.get("name") or held.get("display_name") or urlsplit(url).path.rsplit("/", 1)[-1]
        display = held.get("display_name") or name
        with during("Failed to create a pipeline and a pipeline version"):
            check_tags(held.get("tags", {}))
            made = _pipeline(world, name, display, held, namespace)
            tags = version.get("tags", {})
            versions.insert(world, made, name, display, spec, held.get("description", ""), tags).url = url
    return said(made.shown())


def _pipeline(world: World, name: str, display: str, held: dict[str, Any], namespace: str) -> Any:
    try:
        return pipelines.insert(
            world, name, display, held.get("description", ""), namespace, held.get("tags", {})
        )
    except Refused as refused:
        refused.text = refused.detail = refused.text.replace("already exist.", "already exists.")
        raise


def create_version(world: World, request: Request, pipeline_id: str) -> Answer:
    """POST /pipelines/{id}/versions: the body must name the pipeline too; the address alone counts."""
    body = request.json()
    if not body.get("pipeline_id"):
        raise Refused(INVALID, "Failed to create a pipeline version. Parent pipeline id is empty")
    if not _url(body):
        raise Refused(INVALID, "Failed to create a pipeline version. Package URL is nil")
    name = body.get("name") or body.get("display_name", "")
    with during("Failed to create a pipeline version. Check error stack"):
        pipeline = world.pipelines.get(pipeline_id)
        with during(
            f"Failed to create a pipeline version due authorization error for pipeline id {pipeline_id}"
        ):
            if pipeline:
                pipelines.authorize(world, request, "create", pipeline, "", name)
        if not name:
            raise Refused(INVALID, "name is required")
        spec = specs.parsed(_fetched(world, _url(body)))
        with during("Failed to create pipeline version in PipelineStore"):
            if pipeline is None:
                raise _orphan()
            check_tags(body.get("tags", {}))
            made = versions.insert(
                world,
                pipeline,
                name,
                body.get("display_name") or name,
                spec,
                body.get("description", ""),
                body.get("tags", {}),
            )
    made.url = _url(body)
    return said(made.shown())


def _orphan() -> Refused:
    return Refused(
        INTERNAL,
        "Failed to add a pipeline version: Error 1452 (23000): Cannot add or update a child row: a foreign key "
        "constraint fails (`kfp_db2`.`pipeline_versions`, CONSTRAINT "
        "`pipeline_versions_PipelineId_pipelines_UUID_foreign` FOREIGN KEY (`PipelineId`) REFERENCES "
        "`pipelines` (`UUID`) ON DELETE CASCADE ON UPDATE CASCADE)",
    )


def _url(version: dict[str, Any]) -> str:
    return str((version.get("package_url") or {}).get("pipeline_url", ""))


def _fetched(world: World, url: str) -> bytes:
    """The page, if a test has put it there: the fake itself reaches nothing."""
    if not url:
        raise Refused(INVALID, f"invalid pipeline spec URL: {url}")
    if url in world.pages and not _near(url):
        return world.pages[url]
    if _near(url) and world.fetches_plain_http:
        raise Refused(INVALID, BLOCKED)
    if not world.fetches_plain_http:
        raise Refused(INVALID, NOT_HTTP)
    raise Refused(INVALID, f"error fetching pipeline spec from {url} - request returned 404 File not found")


def _near(url: str) -> bool:
    try:
        return ipaddress.ip_address(urlsplit(url).hostname or "").is_loopback
    except ValueError:
        return False
