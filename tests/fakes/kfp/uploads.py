"""The two upload routes, which answer in their own shape and hide every denial behind a 400."""

import json
import tarfile
import zipfile
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

from tests.fakes.kfp import pipelines, specs, versions
from tests.fakes.kfp.answers import EXISTS, INTERNAL, Answer, Refused, UploadRefused, said
from tests.fakes.kfp.names import check_tags
from tests.fakes.kfp.objects import Pipeline
from tests.fakes.kfp.request import Request
from tests.fakes.kfp.world import World

LIMIT = 32 << 20
NATIVE_LIMIT = 3 << 19
SUFFIXES = (".yaml", ".yml", ".zip", ".tar.gz", ".json")
BOTH = "Failed to create a pipeline and a pipeline version"
VERSION = "Failed to create a pipeline version"
TAGS = "Failed to parse tags query parameter. Expected JSON object with string keys and values"


def pipeline(world: World, request: Request) -> Answer:
    """POST /pipelines/upload: a pipeline and a version of the same name."""
    try:
        return said(_pipeline(world, request).shown(), headers={"Content-Type": "application/json"})
    except UploadRefused as refused:
        return refused.answer(version=False)


def version(world: World, request: Request) -> Answer:
    """POST /pipelines/upload_version."""
    try:
        made = _version(world, request)
        return said(made.shown(), headers={"Content-Type": "application/json"})
    except UploadRefused as refused:
        return refused.answer(version=True)


def _pipeline(world: World, request: Request) -> Pipeline:
    query = request.query
    filename, content = _file(request, 106)
    namespace = query.get("namespace", "")
    name = query.get("name") or query.get("display_name") or filename
    _limited("Pipeline.Namespace", namespace, 63)
    namespace = namespace if world.multi_user else ""
    _may_create(world, request, namespace)
    content = _unpacked(filename, content, 114)
    _limited("Pipeline.Name", name, 128)
    tags = _tags(query, 161)
    spec = _spec(world, content, BOTH, (190, 194))
    display = query.get("display_name") or name
    description = query.get("description", "")
    try:
        check_tags(tags)
        made = pipelines.insert(world, name, display, description, namespace, tags)
    except Refused as refused:
        raise _store(refused, BOTH, (185, 190, 194)) from refused
    try:
        _fits(world, spec)
        versions.insert(world, made, name, display, spec, description)
    except Refused as refused:
        if not world.native:
            del world.pipelines[made.id]
        raise _store(refused, BOTH, (185, 190, 194)) from refused
    return made


def _version(world: World, request: Request) -> Any:
    query = request.query
    filename, content = _file(request, 255)
    name = query.get("name") or query.get("display_name") or filename
    found = world.pipelines.get(query.get("pipelineid", ""))
    if not query.get("pipelineid"):
        raise UploadRefused(400, VERSION, 271, plain=True)
    if found is None:
        raise UploadRefused(400, VERSION, 293, plain=True)
    try:
        pipelines.authorize(world, request, "create", found) if found.namespace else None
    except Refused:
        raise UploadRefused(400, VERSION, 310, plain=True) from None
    content = _unpacked(filename, content, 262)
    _limited("PipelineVersion.Name", name, 127)
    tags = _tags(query, 325)
    spec = _spec(world, content, VERSION, (345, 349))
    display = query.get("display_name") or name
    try:
        check_tags(tags)
        _fits(world, spec)
        return versions.insert(world, found, name, display, spec, query.get("description", ""), tags)
    except Refused as refused:
        raise _store(refused, VERSION, (340, 345, 349)) from refused


def _may_create(world: World, request: Request, namespace: str) -> None:
    """Shared uploads (no namespace) are open to anyone; a denial is a 400 that does not say so."""
    if not world.multi_user or not namespace:
        return
    try:
        pipelines.authorize(world, request, "create", None, namespace)
    except Refused as refused:
        status = 400 if world.quirks.upload_hides_denial else refused.kind.status
        raise UploadRefused(status, "Failed to create a pipeline", 136, plain=True) from None


def _limited(field: str, value: str, limit: int) -> None:
    if len(value) > limit:
        raise UploadRefused(400, f"Invalid input error: {field} length cannot exceed {limit}", 0)


def _tags(query: dict[str, str], line: int) -> dict[str, str]:
    try:
        tags = json.loads(query.get("tags") or "{}")
    except ValueError:
        tags = None
    if not isinstance(tags, dict) or not all(isinstance(value, str) for value in tags.values()):
        raise UploadRefused(400, TAGS, line, plain=True)
    return tags


def _file(request: Request, line: int) -> tuple[str, bytes]:
    """The form's file and its name."""
    head = f"Content-Type: {request.headers.get('Content-Type', '')}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + request.body)
    for part in message.iter_parts() if message.is_multipart() else ():
        if part.get_param("name", header="content-disposition") == "uploadfile":
            content = part.get_payload(decode=True)
            return part.get_filename() or "", content if isinstance(content, bytes) else b""
    raise UploadRefused(400, "Failed to read pipeline from file", line, plain=True)


def _unpacked(filename: str, content: bytes, line: int) -> bytes:
    """The file itself, or the one in an archive; other kinds of file are refused."""
    refused = UploadRefused(400, "Failed to read a pipeline spec file", line, plain=True)
    if not filename.endswith(SUFFIXES):
        raise refused
    try:
        return specs.unpacked(filename, content)
    except (ValueError, OSError, zipfile.BadZipFile, tarfile.TarError):
        raise refused from None


def _spec(world: World, content: bytes, words: str, lines: tuple[int, int]) -> dict[str, Any]:
    if len(content) > LIMIT:
        raise UploadRefused(400, "Failed to read a pipeline spec file", lines[0], plain=True)
    if world.troubles.store_down:
        raise UploadRefused(500, words, lines[1])
    try:
        return specs.parsed(content)
    except specs.EmptyFile:
        raise UploadRefused(500, words, lines[1]) from None
    except specs.NoPipeline as why:
        raise UploadRefused(400, str(why), lines[0]) from None


def _fits(world: World, spec: dict[str, Any]) -> None:
    """etcd takes no object over 1.5 MiB: the pipeline is there, its version is not."""
    if world.native and (len(json.dumps(spec)) > NATIVE_LIMIT or world.troubles.webhook_down):
        raise Refused(INTERNAL, "Failed to create the pipeline version")


def _store(refused: Refused, words: str, lines: tuple[int, int, int]) -> UploadRefused:
    taken, wrong, broken = lines
    if refused.kind is EXISTS:
        return UploadRefused(409, words, taken)
    if refused.kind is INTERNAL:
        return UploadRefused(500, words, broken)
    return UploadRefused(400, refused.text, wrong)
