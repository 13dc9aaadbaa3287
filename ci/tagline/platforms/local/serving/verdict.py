"""What makes an answer bad, as the design says it: one function for every arm."""

import json
import re
from enum import StrEnum
from typing import Any

import msgspec

EXCUSED = frozenset({401, 403, 429})
CHECKED_BYTES = 4 * 1024 * 1024
COUNTED_BYTES = 64 * 1024
_JSON_HEAD = "inference-header-content-length"
_NO_NUMBERS = frozenset({"NaN", "nan", "Infinity", "-Infinity", "inf", "-inf"})
_SUSPECT = re.compile(rb'null|"(?:[Nn]a[Nn]|-?[Ii]nf(?:inity)?)"')
_LONG_SUSPECT = re.compile(rb'NaN|Infinity|[\[,]\s*(?:null|"nan"|"-?inf")')
_MISSING = object()


class _Asked(msgspec.Struct, gc=False):
    instances: list[msgspec.Raw]


def asked(body: bytes | None) -> int | None:
    """How many instances a v1 request names, where that is cheap to know: short plain JSON."""
    if not body or len(body) > COUNTED_BYTES:
        return None
    try:
        return len(msgspec.json.decode(body, type=_Asked).instances)
    except (msgspec.DecodeError, RecursionError):
        return None


class Kind(StrEnum):
    """The ways in which an answer is bad."""

    SERVER_ERROR = "5xx"
    CLIENT_ERROR = "4xx"
    TIMEOUT = "timeout"
    RESET = "reset"
    UNPARSABLE = "unparsable"
    NON_FINITE = "non_finite"
    SLOW = "slow"


class Answer(msgspec.Struct, frozen=True, gc=False):
    """What one call to a model server gave in `seconds`; `failure` is set where no whole answer came."""

    status: int
    body: bytes
    headers: list[tuple[str, str]]
    seconds: float
    failure: Kind | None = None


def judge(answer: Answer, slower_than: float, instances: int | None = None) -> Kind | None:
    """Why this answer to a prediction is bad, or None; `slower_than` in seconds, 0 for no bound.

    A v1 answer has as many predictions as the request had `instances`, where that is known.
    """
    if answer.failure:
        return answer.failure
    if answer.status in EXCUSED:
        return None
    if answer.status >= 500:
        return Kind.SERVER_ERROR
    if answer.status >= 400:
        return Kind.CLIENT_ERROR
    if answer.status >= 300 or answer.status < 200:
        return Kind.UNPARSABLE
    return prediction(answer.body, dict(answer.headers), instances) or _slow(answer.seconds, slower_than)


def _slow(seconds: float, slower_than: float) -> Kind | None:
    return Kind.SLOW if 0 < slower_than < seconds else None


def prediction(body: bytes, headers: dict[str, str], instances: int | None = None) -> Kind | None:
    """Why a body is no prediction: not JSON, nothing predicted, or a number in it that is not finite.

    KServe writes NaN and infinity as null, so a null anywhere in a prediction counts as non-finite, and so do
    their names as texts. In a binary v2 answer only its JSON head is read. Past 4 MiB the body is too long to
    parse in the request's way, and is searched.
    """
    if len(body) > CHECKED_BYTES:
        return Kind.NON_FINITE if _LONG_SUSPECT.search(body) else None
    head = next((value for name, value in headers.items() if name.lower() == _JSON_HEAD), "")
    if head.isdecimal():
        body = body[: int(head)]
    try:
        decoded = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return _why_not_json(body)
    predicted = _predicted(decoded, instances) if isinstance(decoded, dict) else None
    if predicted is None:
        return Kind.UNPARSABLE
    return Kind.NON_FINITE if _SUSPECT.search(body) and _no_number_inside(predicted) else None


def _why_not_json(body: bytes) -> Kind:
    """NaN and Infinity are no JSON; a body that Python's laxer reader takes is a prediction with them."""
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return Kind.UNPARSABLE
    return Kind.NON_FINITE


def _predicted(decoded: dict[str, Any], instances: int | None) -> list[object] | None:
    """The predictions of a v1 answer or the tensors of a v2 answer; None where there are none, or too few."""
    predictions, outputs = decoded.get("predictions"), decoded.get("outputs")
    if isinstance(predictions, list):
        whole = len(predictions) == instances if instances is not None else bool(predictions)
        return predictions if whole else None
    if not isinstance(outputs, list) or not outputs or not all(isinstance(item, dict) for item in outputs):
        return None
    tensors = [item.get("data", _MISSING) for item in outputs]
    # a tensor that travels in binary has no "data" but a size
    absent = [item for item, data in zip(outputs, tensors, strict=True) if data is _MISSING or data == []]
    return tensors if all(_is_binary(item) for item in absent) else None


def _is_binary(item: dict[str, Any]) -> bool:
    parameters = item.get("parameters")
    return isinstance(parameters, dict) and "binary_data_size" in parameters


def _no_number_inside(predicted: list[object]) -> bool:
    """Whether anything inside, in lists and objects, is null or the name of what is no finite number."""
    todo = list(predicted)
    while todo:
        match todo.pop():
            case None:
                return True
            case str() as text if text in _NO_NUMBERS:
                return True
            case list() as items:
                todo += items
            case dict() as fields:
                todo += fields.values()
    return False
