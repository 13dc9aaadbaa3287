"""Uploads a version exactly once: look, make, and after any doubt look again; never over another content."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from tagline.errors import ContentDiffers, KfpError, KfpNotThere, KfpRefused, NameTaken
from tagline.pipeline import compiled as compiled_file
from tagline.pipeline.compiled import Compiled
from tagline.platforms.kubeflow.marks import Provenance, is_ours, pipeline_description
from tagline.platforms.kubeflow.server import sizes
from tagline.platforms.kubeflow.server.connection import EQUALS, Connection, predicate
from tagline.platforms.kubeflow.server.doubts import may_stand
from tagline.platforms.kubeflow.versions import content


class Held(msgspec.Struct, frozen=True):
    """A version as the server has it: its ids, its name, what it says of itself, what it holds."""

    pipeline_id: str
    id: str
    name: str
    description: str
    content: Compiled
    created_at: str = ""

    @property
    def reference(self) -> dict[str, str]:
        """What a run or a schedule of this version refers to."""
        return {"pipeline_id": self.pipeline_id, "pipeline_version_id": self.id}

    @property
    def provenance(self) -> Provenance | None:
        """Where it comes from; None for one that tagline has not uploaded."""
        return Provenance.read(self.description)


def required(held: Held | None, server: Connection, pipeline: str, release: object) -> Held:
    """The version that was looked for; raises `KfpNotThere` for one that the server does not have."""
    if held is None:
        raise KfpNotThere(
            f"version {release} of {pipeline} is not on the server",
            where=server.url,
            fix="tagline ci uploads it",
        )
    return held


def find_pipeline(server: Connection, name: str) -> dict[str, Any] | None:
    """The pipeline of this name in our namespace, or None."""
    try:
        found = server.ask("GET", f"/pipelines/names/{quote(name, safe='')}", {"namespace": server.scope})
    except KfpNotThere:
        return None
    return dict(found)


def find_version(server: Connection, pipeline_id: str, name: str) -> Held | None:
    """The version of this name, looked for by its name: in lists of one second the order is chance."""
    asked = {"filter": predicate("name", EQUALS, name)}
    found = server.pages(f"/pipelines/{pipeline_id}/versions", "pipeline_versions", asked)
    return next((_held(one) for one in found if one.get("name", one.get("display_name")) == name), None)


def all_versions(server: Connection, pipeline_id: str) -> Iterator[Held]:
    """Every version of a pipeline, whole: the server knows no shorter list."""
    for one in server.pages(f"/pipelines/{pipeline_id}/versions", "pipeline_versions"):
        yield _held(one)


def upload(server: Connection, file: Path, said: Provenance) -> Held:
    """Have this file as the version `said.release` of the pipeline `said.pipeline`; what stands there already stays.

    Raises `PipelineError` (the file is none: nothing is sent), `KfpRefused` (too large), `NameTaken` (a pipeline of
    this name is not ours), `ContentDiffers` with the first differences, and `KfpError`'s classes.
    """
    data = file.read_bytes()
    ours = compiled_file.parse(data.decode("utf-8"), str(file))
    _require_small(data, str(file), server)
    pipeline = _own_pipeline(server, said)
    known = find_version(server, pipeline["pipeline_id"], said.release)
    if known is None:
        known = _make_version(server, pipeline["pipeline_id"], data, said)
    _require_ours(server, known, said)
    found = content.differences(known.content, ours)
    if found:
        raise ContentDiffers(
            f"{said.pipeline} {said.release} was uploaded before with other content; from there to here:\n"
            f"{content.shown(found)}",
            where=server.url,
            fix="release a new version: an uploaded one never changes",
        )
    return known


def _require_small(data: bytes, where: str, server: Connection) -> None:
    most = sizes.OBJECT if len(data) >= sizes.OBJECT and server.native else sizes.RUN
    if len(data) < most:
        return
    raise KfpRefused(
        f"the compiled pipeline has {len(data) / 1e6:.1f} MB: this server takes no version and starts no run over "
        f"{most / 1e6:.1f} MB",
        where=where,
        fix="hand large constants over as artifacts",
    )


def _require_ours(server: Connection, known: Held, said: Provenance) -> None:
    """Raise `NameTaken` for a version of this release that tagline has not uploaded from this repository."""
    if known.provenance is None or known.provenance.owner != said.owner:
        raise NameTaken(
            f"{said.pipeline} has a version {said.release} that tagline has not uploaded from this repository",
            where=server.url,
            fix="delete that version on the server if nothing runs it, and run this again",
        )


def _own_pipeline(server: Connection, said: Provenance) -> dict[str, Any]:
    """Our pipeline, made if it is not there; raises `NameTaken` for one that this repository has not made."""
    found = find_pipeline(server, said.pipeline)
    if found is None:
        body: dict[str, Any] = {
            "name": said.pipeline,
            "display_name": said.pipeline,
            "description": pipeline_description(said.owner),
            "tags": {"tagline-owner": said.owner},
        }
        if server.scope:
            body["namespace"] = server.scope
        found = _once(server, lambda: server.ask("POST", "/pipelines", body=body), said.pipeline)
    if not is_ours(str(found.get("description", "")), said.owner):
        raise NameTaken(
            f"the pipeline {said.pipeline!r} on this server is not this repository's",
            where=server.url,
            fix="give this one another name (pipeline: in tagline.yaml), or delete the other on the server",
        )
    return found


def _once(server: Connection, make: Any, name: str) -> dict[str, Any]:
    """What `make` makes, or what stands there by then: of many that try at once one is answered with it."""
    try:
        return dict(make())
    except KfpError as error:
        if not may_stand(error):
            raise
        found = find_pipeline(server, name)
        if found is None:
            raise
        return found


def _make_version(server: Connection, pipeline_id: str, data: bytes, said: Provenance) -> Held:
    query = {
        "name": said.release,
        "display_name": said.release,
        "pipelineid": pipeline_id,
        "description": said.description(),
        "tags": json.dumps(said.tags()),
    }
    try:
        server.post_file("/pipelines/upload_version", data, query)
    except KfpError as error:
        if not may_stand(error):
            raise
        found = find_version(server, pipeline_id, said.release)
        if found is None:
            raise
        return found
    found = find_version(server, pipeline_id, said.release)
    if found is None:
        raise KfpNotThere(
            f"the server took version {said.release} of {said.pipeline}, and does not have it",
            where=server.url,
            fix="run it again",
        )
    return found


def _held(one: dict[str, Any]) -> Held:
    return Held(
        pipeline_id=str(one.get("pipeline_id", "")),
        id=str(one.get("pipeline_version_id", "")),
        name=str(one.get("name") or one.get("display_name", "")),
        description=str(one.get("description", "")),
        content=content.of_server(one.get("pipeline_spec") or {}),
        created_at=str(one.get("created_at", "")),
    )
