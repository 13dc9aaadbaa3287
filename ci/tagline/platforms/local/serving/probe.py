"""Asks a model through its route, as a client would, which version answers: KServe's readiness of that model."""

import http.client
import json
from urllib.parse import urlsplit

from tagline.errors import BadWord
from tagline.platforms import Route
from tagline.platforms.local.serving.proxy import VERSION_HEADER
from tagline.words import ModelVersion

TIMEOUT = 5.0
_LARGEST = 1 << 16


def ask(route: Route) -> ModelVersion | None:
    """The version that answers with `{"name": MODEL, "ready": true}` within 5 s; None for anything else."""
    if not route.url:
        return None
    place = urlsplit(route.url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=TIMEOUT)
    try:
        connection.request("GET", place.path.removesuffix(":predict"))
        answer = connection.getresponse()
        status, body = answer.status, answer.read(_LARGEST)
        version = answer.headers.get(VERSION_HEADER, "")
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()
    return _version(version) if status == 200 and _ready(body, route.model) else None


def _ready(body: bytes, model: str) -> bool:
    """Whether the body says so of this model: of KServe's answers `ready` is a boolean, or that in words."""
    try:
        said = json.loads(body)
    except ValueError:
        return False
    return isinstance(said, dict) and said.get("name") == model and str(said.get("ready")).lower() == "true"


def _version(text: str) -> ModelVersion | None:
    try:
        return ModelVersion.parse(text)
    except BadWord:
        return None
