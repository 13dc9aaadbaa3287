"""Lists as the server gives them: filters, sorting, and pages that go on from the last object seen."""

import base64
import binascii
import json
import random
from collections.abc import Sequence
from typing import Any

from tests.fakes.kfp.answers import INVALID, INVALID_CODED, Refused, during
from tests.fakes.kfp.filters import Asked, Kept, tests
from tests.fakes.kfp.names import folded

DEFAULT = 20
CAP = 200


COLUMNS = {
    "created_at": "CreatedAtInSec",
    "name": "Name",
    "display_name": "DisplayName",
    "id": "UUID",
    "description": "Description",
    "updated_at": "UpdatedAtInSec",
    "last_run_at": "LastRunCreatedAtInSec",
    "scheduled_at": "ScheduledAtInSec",
    "finished_at": "FinishedAtInSec",
    "state": "State",
    "storage_state": "StorageState",
}


def page(kept: Kept, items: Sequence[Any], asked: Asked, ties: random.Random | None = None) -> dict[str, Any]:
    """One page of `items`: `{}` where nothing matches, `next_page_token` where more follow."""
    wanted = tests(kept, asked)
    with during(asked.words(kept)):
        order = _order(kept, asked)
        after = _after(kept, asked, order) if asked.token else None
        if asked.size < 0:
            raise Refused(INVALID, f"The page size should be greater than 0. Got {asked.size}")
    found = [item for item in items if all(test(item) for test in wanted)]
    attribute, descending = order
    tie = {id(item): ties.random() for item in found} if ties else {}
    found.sort(key=lambda item: (_value(item, attribute), tie.get(id(item), item.id)), reverse=descending)
    filtered = tests(kept, Asked(filter=_filter_of(asked))) if asked.token and not asked.filter else []
    found = [item for item in found if all(test(item) for test in filtered)]
    rest = [item for item in found if after is None or _comes_after(item, after, order)]
    size = min(asked.size or DEFAULT, CAP)
    answer: dict[str, Any] = {}
    if rest:
        answer[kept.key] = [item.shown() for item in rest[:size]]
    if found:
        answer["total_size"] = len(found)
    if len(rest) > size:
        answer["next_page_token"] = _token(kept, asked, rest[size], order)
    return answer


def _filter_of(asked: Asked) -> str:
    held = _opened(asked)["Filter"]
    return json.dumps(held) if held else ""


def _value(item: Any, attribute: str) -> Any:
    value = getattr(item, attribute)
    if isinstance(value, float):
        return int(value)
    return folded(value) if isinstance(value, str) else value


def _comes_after(item: Any, after: tuple[Any, str], order: tuple[str, bool]) -> bool:
    here = (_value(item, order[0]), item.id)
    return here <= after if order[1] else here >= after


def _order(kept: Kept, asked: Asked) -> tuple[str, bool]:
    if asked.token and not asked.sort:
        held = _opened(asked)
        return _attribute(kept, str(held["SortByFieldName"])), bool(held["IsDesc"])
    words = asked.sort.split()
    if len(words) > 2 or (len(words) == 2 and words[1] not in ("asc", "desc")):
        raise Refused(
            INVALID,
            f'Received invalid sort by format "{asked.sort}". Supported format: "field_name", '
            '"field_name desc", or "field_name asc"',
        )
    name = words[0] if words else "created_at"
    if name not in kept.fields:
        raise Refused(INVALID, f'Invalid sorting field: "{name}" on listable')
    return kept.fields[name], words[1:] == ["desc"]


def _attribute(kept: Kept, column: str) -> str:
    found = [name for name, its in COLUMNS.items() if its == column]
    return found[0] if found else "created_at"


def _opened(asked: Asked) -> dict[str, Any]:
    try:
        held = json.loads(base64.b64decode(asked.token, validate=True))
    except (ValueError, binascii.Error):
        raise Refused(
            INVALID_CODED,
            "Invalid page token: illegal base64 data at input byte 0",
            "Invalid page token",
        ) from None
    return dict(held)


def _after(kept: Kept, asked: Asked, order: tuple[str, bool]) -> tuple[Any, str]:
    held = _opened(asked)
    filtered = json.loads(asked.filter) if asked.filter else None
    sorted_ = (_attribute(kept, str(held["SortByFieldName"])), bool(held["IsDesc"])) == order
    if not sorted_ or (filtered is not None and held["Filter"] != filtered):
        raise Refused(
            INVALID,
            "page token does not match the supplied sort by and/or filtering criteria. Either specify "
            "the same criteria or leave the latter empty if page token is specified",
        )
    value = held["SortByFieldValue"]
    return folded(value) if isinstance(value, str) else value, held["KeyFieldValue"]


def _token(kept: Kept, asked: Asked, item: Any, order: tuple[str, bool]) -> str:
    """Where the next page begins, in the server's own form: the first object that is not on this one."""
    column = COLUMNS.get(order[0], "CreatedAtInSec")
    value = getattr(item, order[0])
    held = {
        "SortByFieldName": column,
        "SortBySQLColumn": column,
        "SortByFieldValue": int(value) if isinstance(value, float) else value,
        "SortByFieldPrefix": kept.prefix,
        "KeyFieldName": "UUID",
        "KeyFieldValue": item.id,
        "KeyFieldPrefix": kept.prefix,
        "IsDesc": order[1],
        "ModelName": kept.prefix.rstrip("."),
        "Filter": json.loads(asked.filter) if asked.filter else None,
    }
    return base64.b64encode(json.dumps(held, separators=(",", ":")).encode()).decode()
