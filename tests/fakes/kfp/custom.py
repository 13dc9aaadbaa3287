"""The native store's own side: Pipeline and PipelineVersion objects through the Kubernetes API, webhook included."""

import json
import re
from collections.abc import Callable
from typing import Any

import yaml

from tests.fakes.kfp import specs
from tests.fakes.kfp.answers import Answer, said
from tests.fakes.kfp.kubernetes import JSON, done, missing, selected, status
from tests.fakes.kfp.names import SUBDOMAIN, is_subdomain
from tests.fakes.kfp.objects import Pipeline, Version, stamp
from tests.fakes.kfp.request import Request
from tests.fakes.kfp.versions import object_name
from tests.fakes.kfp.world import World

GROUP = "pipelines.kubeflow.org/v2beta1"
PIPELINES, VERSIONS = "pipelines.pipelines.kubeflow.org", "pipelineversions.pipelines.kubeflow.org"
PIPELINE_FIELDS = {"displayName", "description", "tags"}
VERSION_FIELDS = PIPELINE_FIELDS | {"codeSourceURL", "pipelineName", "pipelineSpec", "platformSpec"}
VERSION_FIELDS |= {"pipelineSpecURI", "versionName"}
MUTABLE = {"displayName", "tags"}
VERSION_NAME = r"[a-z0-9]([a-z0-9\.\-]*[a-z0-9])?"
DENIED = f'admission webhook "{VERSIONS}" denied the request: '
IMMUTABLE = "Pipeline spec is immutable; only mutable fields (display_name, tags) can be updated"
INVALID = "The pipeline spec is invalid: failed to parse the pipeline spec: InvalidInputError: "


class NotAdmitted(Exception):
    """Kubernetes' or the webhook's refusal."""

    def __init__(self, resource: str, code: int, reason: str, message: str, name: str) -> None:
        self.answer = status(resource, code, reason, message, name)
        super().__init__(message)


def handle(world: World, request: Request, namespace: str, kind: str, name: str = "") -> Answer:
    """Any request below …/namespaces/NS/{pipelines,pipelineversions}[/NAME]."""
    resource = {"pipelines": PIPELINES, "pipelineversions": VERSIONS}.get(kind)
    if resource is None or not world.native:
        return status("", 404, "NotFound", "the server could not find the requested resource", "")
    found = _objects(world, resource, namespace)
    try:
        if request.method == "GET":
            return _read(request, resource, found, name)
        if request.method == "DELETE":
            return _delete(world, resource, found, name)
        return _write(world, request, resource, namespace, found, name)
    except NotAdmitted as refused:
        return refused.answer


def _objects(world: World, resource: str, namespace: str) -> dict[str, dict[str, Any]]:
    if resource == PIPELINES:
        shown = [_pipeline(one) for one in world.pipelines.values()]
    else:
        shown = [_version(world, one) for one in world.versions.values()]
    return {one["metadata"]["name"]: one for one in shown if one["metadata"]["namespace"] == namespace}


def _pipeline(one: Pipeline) -> dict[str, Any]:
    metadata = one.metadata | {"name": one.name, "namespace": one.namespace, "uid": one.id}
    spec = {"displayName": one.display_name, "description": one.description, "tags": one.tags}
    return _object("Pipeline", metadata, one.created_at, spec)


def _version(world: World, one: Version) -> dict[str, Any]:
    owner = world.pipelines.get(one.pipeline_id)
    named = owner.name if owner else ""
    labels = {"pipelines.kubeflow.org/pipeline": named, "pipelines.kubeflow.org/pipeline-id": one.pipeline_id}
    metadata = {"name": object_name(named, one.name), "namespace": world.namespace} | one.metadata
    metadata |= {"uid": one.id, "labels": one.metadata.get("labels", {}) | labels}
    reference = {"apiVersion": GROUP, "blockOwnerDeletion": True, "kind": "Pipeline", "name": named}
    metadata["ownerReferences"] = [reference | {"uid": one.pipeline_id}]
    platform = one.spec.get("platform_spec") if "pipeline_spec" in one.spec else None
    spec = {
        "displayName": one.display_name,
        "description": one.description,
        "codeSourceURL": one.code_source_url,
        "pipelineName": named,
        "pipelineSpec": specs.core(one.spec),
        "platformSpec": platform,
        "tags": one.tags,
        "versionName": one.name if "versionName" in one.metadata.get("held", ["versionName"]) else "",
    }
    metadata.pop("held", None)
    return _object("PipelineVersion", metadata, one.created_at, spec)


def _object(kind: str, metadata: dict[str, Any], made: float, spec: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in spec.items() if value}
    held = {"creationTimestamp": stamp(made), "generation": 1, "resourceVersion": "1"} | metadata
    return {"apiVersion": GROUP, "kind": kind, "metadata": held, "spec": kept}


def _read(request: Request, resource: str, found: dict[str, dict[str, Any]], name: str) -> Answer:
    if name:
        return said(found[name], headers=dict(JSON)) if name in found else missing(resource, name)
    wanted = request.query.get("labelSelector", "")
    items = [one for one in found.values() if selected(one["metadata"].get("labels", {}), wanted)]
    kind = "PipelineList" if resource == PIPELINES else "PipelineVersionList"
    metadata = {"resourceVersion": "1"}
    return said({"apiVersion": GROUP, "kind": kind, "metadata": metadata, "items": items}, headers=dict(JSON))


def _delete(world: World, resource: str, found: dict[str, dict[str, Any]], name: str) -> Answer:
    """A pipeline takes its versions with it, whatever the cascade asked for."""
    if name not in found:
        return missing(resource, name)
    uid = found[name]["metadata"]["uid"]
    world.pipelines.pop(uid, None)
    world.versions.pop(uid, None)
    for version in world.of_pipeline(uid):
        del world.versions[version.id]
    return done(resource, name, uid)


def _write(
    world: World, request: Request, resource: str, namespace: str, found: dict[str, dict[str, Any]], name: str
) -> Answer:
    given = yaml.safe_load(request.body)
    name = name or given["metadata"]["name"]
    before = found.get(name)
    if request.method == "POST" and before:
        raise NotAdmitted(resource, 409, "AlreadyExists", f'{resource} "{name}" already exists', name)
    if (
        request.method == "PATCH"
        and before is None
        and "apply" not in request.headers.get("Content-Type", "")
    ):
        return missing(resource, name)
    spec = (before or {}).get("spec", {}) | (given.get("spec") or {})
    _declared(resource, namespace, name, spec)
    if world.troubles.webhook_down and resource == VERSIONS:
        raise NotAdmitted(resource, 500, "InternalError", f'failed calling webhook "{VERSIONS}"', name)
    admit: Callable[..., Any] = _admit_pipeline if resource == PIPELINES else _admit_version
    made = admit(world, name, spec, before)
    given_metadata = given.get("metadata", {})
    for key in ("labels", "annotations"):
        made.metadata[key] = made.metadata.get(key, {}) | (given_metadata.get(key) or {})
    if request.query.get("dryRun") != "All":
        held: dict[str, Any] = world.pipelines if resource == PIPELINES else world.versions
        held[made.id] = made
    shown = _pipeline(made) if isinstance(made, Pipeline) else _version(world, made)
    return said(shown, 200 if before else 201, dict(JSON))


def _declared(resource: str, namespace: str, name: str, spec: dict[str, Any]) -> None:
    kind, fields = (
        ("Pipeline", PIPELINE_FIELDS) if resource == PIPELINES else ("PipelineVersion", VERSION_FIELDS)
    )
    if not is_subdomain(name):
        text = f'{kind} "{name}" is invalid: metadata.name: Invalid value: "{name}": must match {SUBDOMAIN}'
        raise NotAdmitted(resource, 422, "Invalid", text, name)
    for key in sorted(set(spec) - fields):
        where = f"({namespace}/{name}; {GROUP}, Kind={kind})"
        text = f"failed to create typed patch object {where}: .spec.{key}: field not declared in schema"
        raise NotAdmitted(resource, 500, "", text, name)
    version = spec.get("versionName", "")
    if version and not re.fullmatch(VERSION_NAME, version):
        text = f'PipelineVersion "{name}" is invalid: spec.versionName: Invalid value: "{version}"'
        raise NotAdmitted(resource, 422, "Invalid", text, name)


def _admit_pipeline(world: World, name: str, spec: dict[str, Any], before: dict[str, Any] | None) -> Pipeline:
    made = world.pipelines[before["metadata"]["uid"]] if before else None
    made = made or Pipeline(world.new_id("pipeline"), name, name, world.now, namespace=world.namespace)
    made.display_name = spec.get("displayName") or name
    made.description = spec.get("description", "")
    made.tags = dict(spec.get("tags") or {})
    return made


def _admit_version(world: World, name: str, spec: dict[str, Any], before: dict[str, Any] | None) -> Version:
    if before:
        changed = {key for key in spec if specs.plain(spec[key]) != specs.plain(before["spec"].get(key))}
        if changed - MUTABLE:
            raise _refused(IMMUTABLE, name)
        made = world.versions[before["metadata"]["uid"]]
        made.display_name, made.tags = spec.get("displayName") or made.name, dict(spec.get("tags") or {})
        return made
    owner = _owner(world, spec, name)
    held = _parsed(spec.get("pipelineSpec") or {}, name)
    platform = spec.get("platformSpec")
    whole = {"pipeline_spec": held, "platform_spec": specs.plain(platform)} if platform else held
    version = spec.get("versionName") or name
    made = Version(
        world.new_id("version"), owner.id, version, spec.get("displayName") or version, world.now, whole
    )
    made.description, made.tags = spec.get("description", ""), dict(spec.get("tags") or {})
    made.code_source_url = spec.get("codeSourceURL", "")
    made.url = ""
    made.metadata = {"name": name, "namespace": world.namespace, "held": sorted(spec)}
    return made


def _owner(world: World, spec: dict[str, Any], name: str) -> Pipeline:
    wanted = spec.get("pipelineName", "")
    if not wanted:
        text = f"Failed to get the Pipeline {world.namespace}/: resource name may not be empty"
        raise _refused(text, name)
    for one in world.pipelines.values():
        if one.name == wanted:
            return one
    raise _refused("The spec.pipelineName doesn't map to an existing Pipeline object", name)


def _parsed(spec: Any, name: str) -> dict[str, Any]:
    if not isinstance(spec, dict) or set(spec) - specs.FIELDS or not {"pipelineInfo", "root"} <= set(spec):
        raise _refused(f"{INVALID}no pipeline spec is provided: pipeline spec is invalid", name)
    try:
        specs.must_be_pipeline(spec)
    except specs.NoPipeline as why:
        raise _refused(f"{INVALID}{why}: pipeline spec is invalid", name) from None
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", specs.name(spec)):
        raise _refused(
            "Invalid input error: pipeline's name must contain only lowercase alphanumeric characters or '-' "
            "and must start with alphanumeric characters",
            name,
        )
    return dict(json.loads(json.dumps(specs.plain(spec))))


def _refused(text: str, name: str) -> NotAdmitted:
    return NotAdmitted(VERSIONS, 400, "BadRequest", DENIED + text, name)
