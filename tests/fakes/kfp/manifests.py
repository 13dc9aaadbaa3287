"""Which specification a run or a schedule means: an inline one, a version, or a pipeline's latest."""

from typing import Any

from tests.fakes.kfp import specs
from tests.fakes.kfp.answers import INVALID, NOT_FOUND, Refused, during, internal
from tests.fakes.kfp.versions import find_version
from tests.fakes.kfp.world import World

TEMPLATE = "Failed to fetch a template due to error retrieving pipeline version"


def pinned(world: World, reference: dict[str, str]) -> dict[str, str]:
    """A run says which version "latest" was."""
    shown = dict(reference)
    named = world.versions.get(reference.get("pipeline_version_id", ""))
    if named is not None:
        # the version's owner is shown, which kubectl may have taken away
        return {"pipeline_id": named.pipeline_id} | shown if named.pipeline_id else _without(shown)
    if "pipeline_id" in reference and "pipeline_version_id" not in reference:
        latest = world.latest(reference["pipeline_id"])
        shown |= {"pipeline_version_id": latest.id} if latest else {}
    return shown


def _without(reference: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in reference.items() if key != "pipeline_id"}


def meant(world: World, body: dict[str, Any], words: str) -> dict[str, Any]:
    """The specification; every failure is a 500 that begins with `words`."""
    try:
        if "pipeline_spec" in body:
            return specs.plain(body["pipeline_spec"]) or {}
        return _referenced(world, body.get("pipeline_version_reference") or {})
    except Refused as refused:
        raise internal(refused, words) from refused


def _referenced(world: World, reference: dict[str, str]) -> dict[str, Any]:
    pipeline_id = reference.get("pipeline_id", "")
    version_id = reference.get("pipeline_version_id", "")
    if not pipeline_id and not version_id:
        raise Refused(INVALID, "Failed to fetch a template with an empty pipeline spec manifest")
    with during(TEMPLATE):
        if version_id:
            return _version(world, pipeline_id, version_id)
        return _latest(world, pipeline_id)


def _version(world: World, pipeline_id: str, version_id: str) -> dict[str, Any]:
    with during(
        f"Failed to fetch a pipeline version and its manifest from pipeline version {version_id}",
        f"Failed to get a pipeline version with id {version_id}",
    ):
        found = find_version(world, version_id)
    if pipeline_id and found.pipeline_id and found.pipeline_id != pipeline_id:
        raise Refused(
            INVALID,
            f"Pipeline version {version_id} belongs to pipeline {found.pipeline_id} (not {pipeline_id})",
        )
    return found.spec


def _latest(world: World, pipeline_id: str) -> dict[str, Any]:
    with during(f"Failed to fetch a pipeline version and its manifest from pipeline {pipeline_id}"):
        if pipeline_id not in world.pipelines:
            with during("Failed to get the latest pipeline version as pipeline was not found"):
                raise Refused(NOT_FOUND, f"Pipeline {pipeline_id} not found")
        found = world.latest(pipeline_id)
        if found is None:
            with during("Failed to get the latest pipeline version for a pipeline"):
                name = "Latest" if world.native else pipeline_id
                raise Refused(NOT_FOUND, f"PipelineVersion {name} not found")
    return found.spec
