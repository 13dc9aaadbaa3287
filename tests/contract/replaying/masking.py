"""What two answers are compared by: times, traces, tokens and generated names are masked, ids are learnt."""

import re
from collections.abc import Iterable
from typing import Any

UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
TIME = re.compile(r"\b(?!1970|0001)\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
TRACE = re.compile(r"(\n[^\n\t]+\n\t[^\n]+)+")
TOKEN = re.compile(r"eyJ[A-Za-z0-9+/=]{40,}")
GENERATED = re.compile(r"\b([a-z0-9][a-z0-9.-]*)-[bcdfghjklmnpqrstvwxz2456789]{5}\b")
POINTER = re.compile(r"0x[0-9a-f]+")
PLACE = re.compile(r"line 1:\d+")
DATABASE = re.compile(r"`kfp_[a-z0-9]+`")
# what the server was built and set up as, not what it does
LISTS = ("pipelines", "pipeline_versions")
SETTINGS = ("commit_sha", "tag_name", "state_message")


class Ids:
    """Recorded ids and the fake's for the same things, learnt where both first stand in the same place."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self.known = frozenset(known)
        self.fakes: dict[str, str] = {}
        self.recorded: dict[str, str] = {}

    def learn(self, recorded: str, fake: str) -> None:
        if fake in self.known:
            return  # supplied or planted: it is the recorded one itself
        if recorded not in self.fakes and fake not in self.recorded:
            self.fakes[recorded] = fake
            self.recorded[fake] = recorded

    def to_fake(self, text: str) -> str:
        return UUID.sub(lambda found: self.fakes.get(found[0], found[0]), text)

    def to_recorded(self, text: str) -> str:
        return UUID.sub(lambda found: self.recorded.get(found[0], found[0]), text)


def learn(ids: Ids, recorded: Any, fake: Any) -> None:
    """Walk both answers together."""
    if isinstance(recorded, dict) and isinstance(fake, dict):
        for key in recorded.keys() & fake.keys():
            learn(ids, recorded[key], fake[key])
    elif isinstance(recorded, list) and isinstance(fake, list):
        for one, other in zip(recorded, fake, strict=False):
            learn(ids, one, other)
    elif isinstance(recorded, str) and isinstance(fake, str):
        for one, other in zip(UUID.findall(recorded), UUID.findall(fake), strict=False):
            ids.learn(one, other)


def masked(value: Any, key: str = "") -> Any:
    """Times, traces, page tokens, generated names, places in a body; the rest as it is."""
    if isinstance(value, dict):
        return {name: masked(one, name) for name, one in value.items()}
    if isinstance(value, list):
        return "<tasks>" if key == "task_details" else [masked(one) for one in value]
    if key in SETTINGS:
        return f"<{key}>"
    return masked_text(value) if isinstance(value, str) else value


def without_ties(value: Any) -> Any:
    """Whole lists by their ids: the native store gives what was made in one second in any order."""
    if isinstance(value, dict) and "next_page_token" not in value:
        return {name: _by_id(one) if name in LISTS else one for name, one in value.items()}
    return value


def _by_id(listed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(listed, key=lambda one: str(one.get("pipeline_version_id") or one.get("pipeline_id")))


def masked_text(text: str) -> str:
    text = TIME.sub("<time>", text)
    text = TRACE.sub("\n<trace>", text)
    text = TOKEN.sub("<token>", text)
    text = POINTER.sub("<pointer>", text)
    text = PLACE.sub("line 1:<place>", text)
    text = DATABASE.sub("`<database>`", text)
    return GENERATED.sub(r"\1-<generated>", text)


def differences(recorded: Any, fake: Any, place: str = "") -> list[str]:
    """Where two masked answers differ, as lines; at most a few."""
    if isinstance(recorded, dict) and isinstance(fake, dict):
        found = []
        for key in sorted(recorded.keys() | fake.keys()):
            if key not in fake:
                found.append(f"{place}.{key}: missing, recorded {_short(recorded[key])}")
            elif key not in recorded:
                found.append(f"{place}.{key}: not recorded, answered {_short(fake[key])}")
            else:
                found += differences(recorded[key], fake[key], f"{place}.{key}")
        return found
    if isinstance(recorded, list) and isinstance(fake, list):
        if len(recorded) != len(fake):
            return [f"{place}: {len(recorded)} recorded, {len(fake)} answered"]
        pairs = enumerate(zip(recorded, fake, strict=True))
        return [line for at, (one, other) in pairs for line in differences(one, other, f"{place}[{at}]")]
    if recorded != fake or type(recorded) is not type(fake):
        return [f"{place}: recorded {_short(recorded)}, answered {_short(fake)}"]
    return []


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 700 else f"{text[:700]}…"
