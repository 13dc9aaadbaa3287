"""What makes an answer bad, as the design says it: one function for every arm."""

import json
from enum import StrEnum
from typing import Any

import msgspec

EXCUSED = frozenset({401, 403, 429})
CHECKED_BYTES = 4 * 1024 * 1024
_JSON_HEAD = "inference-header-content-length"


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


def judge(answer: Answer, slower_than: float) -> Kind | None:
    """Why this answer to a prediction is bad, or None; `slower_than` in seconds, 0 for no bound."""
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
    return prediction(answer.body, dict(answer.headers)) or _slow(answer.seconds, slower_than)


def _slow(seconds: float, slower_than: float) -> Kind | None:
    return Kind.SLOW if 0 < slower_than < seconds else None


def prediction(body: bytes, headers: dict[str, str]) -> Kind | None:
    """Why a body is no prediction: not JSON, or a number in it that is not finite.

    KServe writes NaN and infinity as null, so a null where a number belongs counts as non-finite. In a binary
    v2 answer only its JSON head is read. Past 4 MiB the body is too long to parse in the request's way.
    """
    if len(body) > CHECKED_BYTES:
        return Kind.NON_FINITE if b"NaN" in body or b"Infinity" in body else None
    head = next((value for name, value in headers.items() if name.lower() == _JSON_HEAD), "")
    if head.isdecimal():
        body = body[: int(head)]
    try:
        decoded = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        return _why_not_json(body)
    if not isinstance(decoded, dict):
        return Kind.UNPARSABLE
    return Kind.NON_FINITE if b"null" in body and _has_null(decoded) else None


def _why_not_json(body: bytes) -> Kind:
    """NaN and Infinity are no JSON; a body that Python's laxer reader takes is a prediction with them."""
    try:
        json.loads(body)
    except (ValueError, RecursionError):
        return Kind.UNPARSABLE
    return Kind.NON_FINITE


def _has_null(decoded: dict[str, Any]) -> bool:
    outputs = decoded.get("outputs")
    tensors = (
        [item.get("data") for item in outputs if isinstance(item, dict)] if isinstance(outputs, list) else []
    )
    # a v2 tensor that travels in binary has no "data", which reads as None here and is no number
    return _null_inside(decoded.get("predictions")) or any(_null_inside(data) for data in tensors)


def _null_inside(value: object) -> bool:
    """Whether a (nested) list holds a null; a dict's null is a field left empty, not a number."""
    todo = [value] if isinstance(value, list) else []
    while todo:
        for item in todo.pop():
            if item is None:
                return True
            if isinstance(item, list):
                todo.append(item)
    return False
