"""What the cluster, kubectl or requests that a recording leaves out have done between two of its requests."""

import re
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.contract.replaying.plants import kept
from tests.contract.replaying.recording import Exchange, id_of, objects
from tests.fakes.kfp import FakeKfp

MUTABLE = ("display_name", "tags", "mode", "storage_state")


def catch_up(fake: FakeKfp, one: Exchange) -> None:
    """After requests that the recording leaves out: names, tags and modes as the answer shows them."""
    asked = one.body if isinstance(one.body, dict) else {}
    for kind, shown in objects(one.answer):
        held = kept(fake, kind).get(id_of(kind, shown))
        for name in MUTABLE:
            if held is not None and hasattr(held, name) and name not in asked:
                default: Any = {} if name == "tags" else getattr(held, name)
                setattr(held, name, shown.get(name, default))


def forget(fake: FakeKfp, one: Exchange, answered: Any, later_ids: set[str]) -> bool:
    """Drop what the fake still lists, but the server did not and never will again: deleted by an omitted request."""
    paged = isinstance(answered, dict) and isinstance(one.answer, dict) and "next_page_token" in one.answer
    if paged and answered.get("total_size", 0) <= one.answer["total_size"]:
        return False
    shown = {id_of(kind, each) for kind, each in objects(one.answer)}
    gone = [
        (kind, id_of(kind, each))
        for kind, each in objects(answered)
        if id_of(kind, each) not in shown | later_ids
    ]
    if one.status == 404:
        gone += _addressed(fake, one)
    for kind, key in gone:
        kept(fake, kind).pop(key, None)
    return bool(gone)


def _addressed(fake: FakeKfp, one: Exchange) -> list[tuple[str, str]]:
    """The object whose address the request has."""
    path = urlsplit(one.path).path
    named = re.search(r"/pipelines/names/([^/]+)$", path)
    if named:
        return [
            ("pipeline", key) for key, held in fake.world.pipelines.items() if held.name == unquote(named[1])
        ]
    found = re.search(
        r"/(pipelines|runs|recurringruns|experiments|versions)/([0-9a-f-]{36})(/versions)?$", path
    )
    kinds = {
        "pipelines": "pipeline",
        "runs": "run",
        "recurringruns": "recurring",
        "experiments": "experiment",
    }
    return [(kinds.get(found[1], "version"), found[2])] if found else []
