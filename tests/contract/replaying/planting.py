"""What a recording shows but does not make: objects of requests that it leaves out, states that its cluster reached."""

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.contract.replaying.plants import guessed, kept, plant, seconds
from tests.contract.replaying.recording import Exchange, id_of, objects
from tests.fakes.kfp import FakeKfp

WEBHOOK_DOWN = "webhook-down"


def unmade(
    exchanges: list[Exchange], later: dict[tuple[str, str], dict[str, Any]]
) -> list[tuple[str, dict[str, Any]]]:
    """What answers show and no recorded request has made: planted when its time has come."""
    made = {
        (kind, id_of(kind, shown)) for one in exchanges if makes(one) for kind, shown in objects(one.answer)
    }
    firsts = {
        shown["pipeline_version_id"]
        for (kind, of), shown in later.items()
        if kind == "first" and ("pipeline", of) in made
    }
    return [
        (kind, shown)
        for (kind, key), shown in later.items()
        if kind != "first" and (kind, key) not in made and key not in firsts and "created_at" in shown
    ]


def due(fake: FakeKfp, waiting: list[tuple[str, dict[str, Any]]], at: float | None) -> None:
    """Plant what was there by now."""
    if at is None:
        return
    for kind, shown in list(waiting):
        if seconds(shown["created_at"]) < int(at):
            plant(fake, kind, shown)
            waiting.remove((kind, shown))


def makes(one: Exchange) -> bool:
    """Whether the answer itself is the new object."""
    return one.method == "POST" and one.status == 200 and isinstance(one.answer, dict)


def prepare(fake: FakeKfp, one: Exchange, later: dict[tuple[str, str], dict[str, Any]]) -> None:
    """Before a request: the ids it will make, the objects its answer shows from elsewhere, their states."""
    if one.at is not None:
        fake.world.clock.now = float(int(one.at))
    fake.world.supplied.clear()
    _supply_hidden(fake, one, later)
    if WEBHOOK_DOWN in one.label and one.status == 500:
        fake.webhook_down()
    reference = one.answer.get("pipeline_version_reference") if isinstance(one.answer, dict) else None
    if isinstance(reference, dict) and "pipeline_version_id" in reference:
        fake.world.supplied["latest"] = reference["pipeline_version_id"]
    for kind, shown in objects(one.answer):
        if makes(one):
            _supply(fake, kind, shown, later)
            if shown.get("created_at"):
                fake.world.clock.now = seconds(shown["created_at"])
        else:
            plant(fake, kind, shown)
    for kind, needed in _needed(one):
        if needed not in kept(fake, kind):
            plant(fake, kind, later.get((kind, needed)) or guessed(fake, kind, needed, one))


def _supply_hidden(fake: FakeKfp, one: Exchange, later: dict[tuple[str, str], dict[str, Any]]) -> None:
    """An upload that failed may have made a pipeline all the same, which is shown later."""
    if one.status in (409, 500) and "/pipelines/upload?" in one.path and one.at is not None:
        name = parse_qs(urlsplit(one.path).query).get("name", [""])[0]
        for (kind, key), shown in later.items():
            if (
                kind == "pipeline"
                and shown.get("name") == name
                and abs(seconds(shown["created_at"]) - one.at) <= 2
            ):
                fake.world.supplied["pipeline"] = key


def _needed(one: Exchange) -> list[tuple[str, str]]:
    """What an accepted run or schedule points at, and the experiment of one that the server knew."""
    path = re.search(r"/pipelines/([0-9a-f-]{36})", one.path)
    if path and one.status == 200:
        return [("pipeline", path[1])]
    if not isinstance(one.body, dict) or one.method != "POST" or not one.path.endswith("runs"):
        return []
    found = []
    if one.body.get("experiment_id") and one.status != 404:
        found.append(("experiment", one.body["experiment_id"]))
    shown = one.answer if one.status == 200 and isinstance(one.answer, dict) else {}
    for reference in (one.body.get("pipeline_version_reference"), shown.get("pipeline_version_reference")):
        if isinstance(reference, dict) and one.status in (200, 400):
            found += [
                (kind, reference[key])
                for kind, key in (("pipeline", "pipeline_id"), ("version", "pipeline_version_id"))
                if key in reference
            ]
    return found


def _supply(fake: FakeKfp, kind: str, shown: dict[str, Any], later: dict[tuple[str, str], Any]) -> None:
    """The server's ids decide the order of what was made in one second, so the fake is given them."""
    fake.world.supplied[kind] = id_of(kind, shown)
    if kind == "pipeline" and ("first", shown["pipeline_id"]) in later:
        fake.world.supplied["version"] = later["first", shown["pipeline_id"]]["pipeline_version_id"]


def seen(exchanges: list[Exchange]) -> dict[tuple[str, str], dict[str, Any]]:
    """Each object by kind and id as first shown; the version made with a pipeline as ("first", pipeline id)."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    names: dict[str, str] = {}
    for one in exchanges:
        for kind, shown in objects(one.answer):
            found.setdefault((kind, id_of(kind, shown)), shown)
            if kind == "pipeline":
                names[shown["pipeline_id"]] = shown.get("name", "")
            if kind == "version" and shown.get("name") == names.get(shown.get("pipeline_id", "")):
                found.setdefault(("first", shown["pipeline_id"]), shown)
    return found


def stage(fake: FakeKfp, exchanges: list[Exchange]) -> None:
    """What was there before the first request: rights, Default's id, the pages that the server can fetch."""
    fake.grant("alice@example.com", "mu-nosa")
    fake.world.experiments.clear()
    upload = next((one.body for one in exchanges if "PIPELINE DEFINITION" in str(one.body)), "")
    start = upload.find("# PIPELINE DEFINITION")
    content = upload[start : upload.rfind("\r\n--")].encode()
    fake.world.sample = content
    for one in exchanges:
        for url in re.findall(r'"pipeline_url": "([^"]*)"', json.dumps(one.body)):
            if one.status in (200, 409):
                fake.world.pages[url] = content
            elif "unknown template format" in json.dumps(one.answer):
                fake.world.pages[url] = b"a: 1\n"


def after(fake: FakeKfp, one: Exchange) -> None:
    """What an accepted request that could not be replayed has made."""
    if not one.replayable and makes(one):
        for kind, shown in objects(one.answer):
            plant(fake, kind, shown)
