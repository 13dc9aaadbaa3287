"""From what is declared and what is found to the moves between them: a pure function, safe after any interruption.

A schedule cannot be changed on the server. So a new one is made disabled, the old one is disabled, the new one enabled,
the old one removed; never within a minute of a tick of either: near one the moves wait. A tick that came while none was
on is started late, by a run of its own key. One that was made disabled and saw a tick pass would start it by itself
when switched on: it is made anew.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from itertools import takewhile

import msgspec

from tagline import cron

QUIET = 60.0  # seconds around a tick in which nothing is switched
GOOD_FOR = 30.0  # seconds in which moves may be carried out, before they are to be planned anew
MOST_LATE = 1000  # missed ticks of one schedule that a call starts late: the newest


class Declared(msgspec.Struct, frozen=True):
    """A schedule as git has it: its name, the digest of all that it says, five-field cron and its zone."""

    name: str
    digest: str
    cron: str
    zone: str


class Found(msgspec.Struct, frozen=True):
    """One of ours on the server; times in seconds since 1970. `changed_at` is when it was last switched, or fired.

    `busy`: a run of it goes on, which the cluster would end with it.
    """

    id: str
    name: str
    digest: str
    enabled: bool
    created_at: float
    changed_at: float
    cron: str
    zone: str
    busy: bool = False


class Kind(StrEnum):
    """What is done to the server."""

    CREATE = "create, disabled"
    DISABLE = "disable"
    ENABLE = "enable"
    DELETE = "delete"
    LATE = "start late"
    WAIT = "a tick is near: wait until"


class Move(msgspec.Struct, frozen=True):
    """One move: which schedule, which of those found (`id`; "" for the one that is created), which tick.

    Of a wait `tick` is its end.
    """

    kind: Kind
    name: str
    id: str = ""
    tick: float = 0.0


def moves(declared: Mapping[str, Declared], found: Sequence[Found], now: float) -> list[Move]:
    """All moves, schedule by schedule; empty where the server has what is declared. What is found is ours alone.

    One that is no longer declared, or gave way to another, is removed when no run of it goes on, nor can begin between
    the look and the removal: one that is on, or was a moment ago, is only switched off within a minute of its tick.
    """
    found = list({one.id: one for one in found}.values())  # a list that changes may give one twice
    made: list[Move] = []
    for name in sorted(declared):
        made += _of_one(declared[name], [one for one in found if one.name == name], now)
    gone = [one for one in found if one.name not in declared]
    made += [Move(Kind.DISABLE, one.name, one.id) for one in gone if one.enabled]
    near = [one for one in gone if between(one, now - QUIET, now + QUIET)]
    firing = [one for one in near if one.enabled or one.changed_at > now - 2 * QUIET]
    return [*made, *_removed([one for one in gone if one not in firing])]


def _removed(gone: Sequence[Found]) -> list[Move]:
    return [Move(Kind.DELETE, one.name, one.id) for one in gone if not one.busy]


def between(one: Declared | Found, after: float, until: float) -> list[float]:
    """The ticks of a schedule in (after, until], in seconds since 1970."""
    return list(takewhile(lambda tick: tick <= until, cron.ticks(one.cron, one.zone, after)))


def _of_one(wanted: Declared, found: Sequence[Found], now: float) -> list[Move]:
    same = [one for one in found if one.digest == wanted.digest and not _would_fire(one, now)]
    keeper = min(same, key=lambda one: (not one.enabled, one.created_at, one.id), default=None)
    others = [one for one in found if one is not keeper]
    running = [one for one in found if one.enabled]
    if keeper and keeper.enabled and not any(one.enabled for one in others):
        return _removed(others)
    late = [] if running or not found else _late(wanted, found, now)
    around: list[Declared | Found] = [wanted, *running]
    near = [tick for one in around for tick in between(one, now - QUIET, now + QUIET + GOOD_FOR)]
    if near:
        return [*late, Move(Kind.WAIT, wanted.name, tick=max(near) + QUIET)]
    made = [] if keeper else [Move(Kind.CREATE, wanted.name)]
    made += [Move(Kind.DISABLE, one.name, one.id) for one in others if one.enabled]
    if keeper is None or not keeper.enabled:
        made.append(Move(Kind.ENABLE, wanted.name, keeper.id if keeper else ""))
    return [*late, *made, *_removed(others)]


def _would_fire(one: Found, now: float) -> bool:
    """Whether one that is off saw a tick pass: it would start it by itself when it is switched on."""
    return not one.enabled and bool(between(one, one.created_at, now))


def _late(wanted: Declared, found: Sequence[Found], now: float) -> list[Move]:
    """The ticks since the last one of them was switched off, when none was on: each is started late, once."""
    since = max(one.changed_at for one in found)
    missed = between(wanted, since, now)[-MOST_LATE:]
    return [Move(Kind.LATE, wanted.name, tick=tick) for tick in missed]
