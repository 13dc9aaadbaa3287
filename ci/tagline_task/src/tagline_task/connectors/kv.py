"""Reading the key-value engine, version 1 or 2: which one a mount is, Vault itself says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from tagline_task.connectors.wire import Wire
from tagline_task.errors import SecretNotThere, StoreRefused


@dataclass(frozen=True)
class Place:
    """A path in a mount of the key-value engine; prints as `mount/path`."""

    mount: str
    path: str

    def __str__(self) -> str:
        return f"{self.mount}/{self.path}"

    def url(self, part: str = "") -> str:
        """Where the engine's API has it: below `part` for version 2 (`data`, `subkeys`), as it is for 1."""
        return "/v1/" + quote("/".join(word for word in (self.mount, part, self.path) if word))


def place(mount: str, path: str) -> Place:
    """A place, without slashes at its ends; raises `SecretNotThere` where the path is empty or climbs."""
    found = Place(mount.strip("/"), path.strip("/"))
    if not found.mount or not found.path or {"", ".", ".."} & set(str(found).split("/")):
        raise SecretNotThere(f"{mount!r} and {path!r} name no secret: give mount_point and path")
    return found


def version_of(wire: Wire, at: Place) -> int:
    """1 or 2; raises `StoreRefused` where the mount is no key-value engine, or not there for this token."""
    answer: Any = wire.call(
        f"looking at {at}", lambda: wire.hvac.adapter.get(f"/v1/sys/internal/ui/mounts/{quote(str(at))}")
    )
    data = answer["data"]
    if data["type"] not in {"kv", "generic"}:
        raise StoreRefused(f"{at.mount} is an engine of type {data['type']}, not kv")
    return int((data.get("options") or {}).get("version") or 1)


def read(wire: Wire, at: Place, version: int) -> Mapping[str, Any]:
    """The newest values; raises `SecretNotThere` where the path is empty or its newest version deleted."""
    if version == 1:
        answer: Any = wire.call(f"reading {at}", lambda: wire.hvac.adapter.get(at.url()))
        return dict(answer["data"])
    try:
        answer = wire.call(f"reading {at}", lambda: wire.hvac.adapter.get(at.url("data")))
    except SecretNotThere as error:
        raise gone(error, at) from error
    return dict(answer["data"]["data"])


def gone(error: SecretNotThere, at: Place) -> SecretNotThere:
    """The error of a path of version 2 that holds nothing, or whose newest version was deleted."""
    facts = newest_of(error)
    if not facts:
        return error
    version = facts["version"]
    if facts.get("destroyed"):
        return SecretNotThere(f"{at}: version {version} was destroyed; write it anew")
    fix = f"bao kv undelete -mount={at.mount} -versions={version} {at.path}"
    return SecretNotThere(f"{at}: version {version} was deleted on {facts['deletion_time']}; {fix}")


def newest_of(error: BaseException) -> Mapping[str, Any]:
    """What Vault says of the newest version in its answer 404; empty where the path never was."""
    json = getattr(error.__cause__, "json", None) or {}
    found: Mapping[str, Any] = (json.get("data") or {}).get("metadata") or {}
    return found
