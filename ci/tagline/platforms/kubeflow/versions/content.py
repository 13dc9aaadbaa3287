"""Whether two compiled pipelines say the same, and where they do not: sdkVersion does not count, images do."""

from collections.abc import Iterator, Mapping
from typing import Any

from tagline.pipeline.compiled import Compiled
from tagline.pipeline.diff.compare import compare

SHOWN = 8


def of_server(spec: Mapping[str, Any]) -> Compiled:
    """What a version's `pipeline_spec` holds: the pipeline alone, or with its platform's document beside it."""
    inner = spec.get("pipeline_spec")
    if isinstance(inner, dict):
        return Compiled(inner, dict(spec.get("platform_spec") or {}))
    return Compiled(dict(spec))


def differences(there: Compiled, ours: Compiled) -> list[str]:
    """What differs, in words that show no secret; empty where two pipelines say the same.

    Where only labels differ, which mean nothing to a person, the places are named.
    """
    places = list(_walk("", _counted(there), _counted(ours)))
    return ([str(change) for change in compare(there, ours)] or places) if places else []


def shown(found: list[str]) -> str:
    """The first differences, a line each, and how many more there are."""
    rest = [f"  and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
    return "\n".join([*(f"  {line}" for line in found[:SHOWN]), *rest])


def _counted(compiled: Compiled) -> Any:
    """All that counts, as the server gives it back: JSON knows no difference between 1 and 1.0."""
    ir = {key: value for key, value in compiled.ir.items() if key != "sdkVersion"}
    return _plain({"pipeline": ir, "platform": compiled.platform})


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return int(value)
    return value


def _walk(path: str, there: Any, ours: Any) -> Iterator[str]:
    if isinstance(there, dict) and isinstance(ours, dict):
        for key in sorted(there.keys() | ours.keys()):
            yield from _walk(f"{path}.{key}" if path else key, there.get(key), ours.get(key))
    elif isinstance(there, list) and isinstance(ours, list) and len(there) == len(ours):
        for index, (one, other) in enumerate(zip(there, ours, strict=True)):
            yield from _walk(f"{path}[{index}]", one, other)
    elif type(there) is not type(ours) or there != ours:
        yield f"{path} differs"
