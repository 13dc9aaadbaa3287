"""What a list is asked for: its options, and the predicates of its filter."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tests.fakes.kfp.answers import INVALID, Refused, during
from tests.fakes.kfp.names import folded

OPERATIONS = {1: "EQUALS", 2: "NOT_EQUALS", 3: "GREATER_THAN", 5: "GREATER_THAN_EQUALS", 6: "LESS_THAN"}
OPERATIONS |= {7: "LESS_THAN_EQUALS", 8: "IN", 9: "IS_SUBSTRING"}

Predicate = Callable[[Any], bool]


@dataclass(frozen=True)
class Kept:
    """How one resource is listed: the answer's key, the fields that may be filtered and sorted by."""

    key: str
    what: str
    fields: dict[str, str]
    columns: dict[str, str]
    prefix: str
    parse_words: str = ""
    tagged: bool = False


@dataclass(frozen=True)
class Asked:
    """The list options of a request."""

    token: str = ""
    size: int = 0
    sort: str = ""
    filter: str = ""

    def words(self, kept: Kept) -> str:
        if kept.parse_words:
            return kept.parse_words
        return (
            f"Failed to list {kept.what} due invalid list options: pageToken: {self.token}, "
            f"pageSize: {self.size}, sortBy: {self.sort}, filter: {self.filter}"
        )


def tests(kept: Kept, asked: Asked) -> list[Predicate]:
    if not asked.filter:
        return []
    try:
        predicates = json.loads(asked.filter).get("predicates", [])
    except ValueError:
        raise _not_json(kept, asked) from None
    if kept.tagged:
        with during(f"Failed to list {kept.what} due to invalid tag filter in filter spec"):
            for predicate in predicates:
                _only_equals(predicate)
    with during(asked.words(kept)):
        return [_test(kept, predicate) for predicate in predicates]


def _not_json(kept: Kept, asked: Asked) -> Refused:
    word = asked.filter.lstrip("{ ").split(" ", maxsplit=1)[0]
    refused = Refused(
        INVALID, f"failed to parse filter spec: proto: syntax error (line 1:2): invalid value {word}"
    )
    refused.before = [f"Failed to list {kept.what} due to invalid tag filter in filter spec"]
    return refused


def _operation(predicate: dict[str, Any]) -> str:
    said = predicate.get("operation", "EQUALS")
    return OPERATIONS.get(said, str(said))


def _only_equals(predicate: dict[str, Any]) -> None:
    key, operation = predicate.get("key", ""), _operation(predicate)
    if key.startswith("tags.") and operation != "EQUALS":
        raise Refused(
            INVALID,
            f'only EQUALS operation is supported for tag filtering, got {operation} for key "{key}"',
        )


def _wanted(predicate: dict[str, Any]) -> Any:
    for kind in ("stringValue", "string_value", "intValue", "int_value", "longValue", "long_value"):
        if kind in predicate:
            return predicate[kind]
    for kind in ("timestampValue", "timestamp_value", "stringValues", "string_values"):
        if kind in predicate:
            return predicate[kind]
    return ""


def _test(kept: Kept, predicate: dict[str, Any]) -> Predicate:
    key, operation, wanted = predicate.get("key", ""), _operation(predicate), _wanted(predicate)
    if kept.tagged and key.startswith("tags."):
        name = folded(key.removeprefix("tags."))
        return lambda item: any(
            folded(has) == name and folded(value) == folded(wanted) for has, value in item.tags.items()
        )
    if key not in kept.fields:
        raise Refused(INVALID, f'no support for filtering on unrecognized field "{key}"')
    attribute = kept.fields[key]
    return lambda item: _holds(operation, getattr(item, attribute), wanted)


def _holds(operation: str, value: Any, wanted: Any) -> bool:
    if isinstance(wanted, dict):
        wanted = wanted.get("values", [])
    have = folded(str(value))
    match operation:
        case "EQUALS":
            return have == folded(str(wanted))
        case "NOT_EQUALS":
            return have != folded(str(wanted))
        case "IN":
            return have in [folded(str(one)) for one in wanted]
        case "IS_SUBSTRING":
            return folded(str(wanted)) in have
    return _compared(operation, value, wanted)


def _compared(operation: str, value: Any, wanted: Any) -> bool:
    if isinstance(wanted, str) and isinstance(value, float):
        wanted = datetime.fromisoformat(wanted).timestamp()
    match operation:
        case "GREATER_THAN":
            return bool(value > wanted)
        case "GREATER_THAN_EQUALS":
            return bool(value >= wanted)
        case "LESS_THAN":
            return bool(value < wanted)
        case "LESS_THAN_EQUALS":
            return bool(value <= wanted)
    raise Refused(INVALID, f"unsupported operation {operation}")
