"""Floors: the limits of a platform that a repository may tighten and not loosen."""

from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec

from tagline.config import Config, Percent, Share, Version, seconds
from tagline.errors import ConfigError

if TYPE_CHECKING:
    from tagline.strict_yaml import Marks

Path = tuple[str | int, ...]
Found = Iterator[tuple[Path, Any]]
LATER = {
    "approvals": "approvals",
    "signers": "signers",
    "ledger": "the choice of the ledger's form",
    "override": "rules for overrides",
}


class Floors(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Limits of a platform; what is left out limits nothing. A repository that says nothing gets the limit.

    `gate`: a model that is served must have a gate. `max_drop`, `max_bad_increase`, `first_step` (percent)
    and `ttl` are at most this, `floor` (of a gate's metric) and `step_time` at least this. `tagline` is the
    oldest version that may act.
    """

    gate: bool = False
    max_drop: Share | None = None
    floor: Share | None = None
    first_step: Percent | None = None
    step_time: str | None = None
    max_bad_increase: Share | None = None
    ttl: str | None = None
    tagline: Version = ""


class Side(StrEnum):
    """On which side of a limit a value may be."""

    AT_MOST = "at most"
    AT_LEAST = "at least"


class _Rule(msgspec.Struct, frozen=True):
    """One limit: where its values stand in a config, on which side they may be, how the default is tightened."""

    key: str
    side: Side
    values: Callable[[Config], Found]
    number: Callable[[Any], float] = float
    tight: Callable[[Any, Any], Any] = lambda limit, value: limit


def _metric(name: str) -> Callable[[Config], Found]:
    def values(config: Config) -> Found:
        for metric, said in (config.gate.metrics if config.gate else {}).items():
            yield ("gate", "metrics", metric, name), getattr(said, name)

    return values


def _rollout(name: str) -> Callable[[Config], Found]:
    def values(config: Config) -> Found:
        yield ("rollout", name), getattr(config.rollout, name)

    return values


def _first(said: int | list[int]) -> float:
    return float(said if isinstance(said, int) else said[0])


def _steps(limit: int, steps: list[int]) -> list[int]:
    return [limit, *(step for step in steps if step > limit)]


_RULES = (
    _Rule("max_drop", Side.AT_MOST, _metric("max_drop")),
    _Rule("floor", Side.AT_LEAST, _metric("floor")),
    _Rule(
        "first_step",
        Side.AT_MOST,
        _rollout("steps"),
        lambda said: float(said if isinstance(said, int) else said[0]),
        _steps,
    ),
    _Rule("step_time", Side.AT_LEAST, _rollout("step_time"), seconds),
    _Rule("max_bad_increase", Side.AT_MOST, _rollout("max_bad_increase")),
    _Rule("ttl", Side.AT_MOST, _rollout("ttl"), seconds),
)


class Loose(msgspec.Struct, frozen=True):
    """A value on the wrong side of a limit: where it stands, and what it would have to be."""

    key: str
    path: Path
    value: Any
    limit: Any
    side: Side
    tight: Any

    def sentence(self, platform: str) -> str:
        """What is wrong: key, value, limit, and the floor's name."""
        name = ".".join(map(str, self.path))
        return (
            f"{name} is {self.value}, and the platform {platform!r} allows {self.side} {self.limit} "
            f"(floors.{self.key})"
        )


def loose(config: Config, floors: Floors) -> list[Loose]:
    """Every value of a config that a floor does not allow."""
    found = []
    for rule in _RULES:
        limit = getattr(floors, rule.key)
        if limit is None:
            continue
        for path, value in rule.values(config):
            number, bound = rule.number(value), rule.number(limit)
            if number > bound if rule.side is Side.AT_MOST else number < bound:
                found.append(Loose(rule.key, path, value, limit, rule.side, rule.tight(limit, value)))
    return found


def tightened(data: Mapping[str, Any], found: Loose) -> dict[str, Any]:
    """Plain data with the limit in the place of a default that nobody wrote down."""
    head, *rest = found.path
    if not rest:
        return {**data, str(head): found.tight}
    inner = msgspec.structs.replace(found, path=tuple(rest))
    return {**data, str(head): tightened(data.get(str(head), {}), inner)}


def require(config: Config, marks: "Marks", floors: Floors, where: str, platform: str) -> list[Loose]:
    """Raise `ConfigError` (key, value, limit, file:line:column) for the first written value that loosens a
    floor; return the defaults that nobody wrote down and that do."""
    unsaid: list[Loose] = []
    for own in config.each():
        under: Path = ("pipelines", own.pipeline) if config.several else ()
        unsaid += _require(own, marks, floors, where, platform, under)
    return list({one.path: one for one in unsaid}.values())


def _require(
    config: Config, marks: "Marks", floors: Floors, where: str, platform: str, under: Path
) -> list[Loose]:
    unsaid = []
    for one in loose(config, floors):
        written = next((path for path in ((*under, *one.path), one.path) if path in marks), None)
        if written is None:
            inside = under and (*under, one.path[0]) in marks
            unsaid.append(msgspec.structs.replace(one, path=(*under, *one.path)) if inside else one)
            continue
        line, column = marks[written].at
        raise ConfigError(
            one.sentence(platform),
            where=f"{where}:{line}:{column}",
            fix=f"take it out, or write {one.side} {one.limit}",
        )
    if floors.gate and config.serving and not config.gate:
        served = next((path for path in ((*under, "serving"), ("serving",)) if path in marks), None)
        line, column = marks[served].key_at if served else (1, 1)
        raise ConfigError(
            f"gate is missing, and the platform {platform!r} wants one for every served model (floors.gate)",
            where=f"{where}:{line}:{column}",
            fix="add gate: (docs/reference/tagline.yaml.md)",
        )
    return unsaid
