"""What two readings of a route's counters say of the time between them."""

import math

import msgspec

from tagline.platforms import ArmCounts, Counts
from tagline.rollout.evidence import Interval

NOTHING = ArmCounts()


class Tally(msgspec.Struct, frozen=True):
    """Responses since the rollout began, for people: also those that no test could use.

    `client_bad` counts bad answers that a client saw after retries, `requests` all of both arms.
    """

    canary: int = 0
    canary_bad: int = 0
    stable: int = 0
    stable_bad: int = 0
    client_bad: int = 0
    requests: int = 0
    kinds: dict[str, int] = {}


def is_fresh(before: Counts | None, now: Counts) -> bool:
    """Whether a reading is newer than the last: a stale or NaN time stamp is no reading at all."""
    if not math.isfinite(now.at):
        return False
    return before is None or before.generation != now.generation or now.at > before.at


def _grown(before: ArmCounts | None, now: ArmCounts | None) -> tuple[int, int] | None:
    """An arm's new responses and the bad ones; None where it is missing, was reset or contradicts itself."""
    if before is None or now is None:
        return None
    served, bad = now.served - before.served, now.bad - before.bad
    return (served, bad) if 0 <= bad <= served else None


def interval(before: Counts, now: Counts, canary: str, stable: str) -> Interval | None:
    """What may enter the tests; None where weights or counters changed in between, or an arm is missing.

    `canary` and `stable` are versions as the counters name them.
    """
    if before.generation != now.generation:
        return None
    ours = _grown(before.arms.get(canary), now.arms.get(canary))
    theirs = _grown(before.arms.get(stable), now.arms.get(stable))
    return None if ours is None or theirs is None else Interval(*ours, *theirs)


def _since(before: int, now: int) -> int:
    """A counter's growth; after a reset, what it has counted since."""
    return now - before if now >= before else now


def _kinds(before: ArmCounts, now: ArmCounts, so_far: dict[str, int]) -> dict[str, int]:
    if before.kinds == now.kinds:
        return so_far
    grown = {kind: _since(before.kinds.get(kind, 0), n) for kind, n in now.kinds.items()}
    return {kind: n for kind in so_far | grown if (n := so_far.get(kind, 0) + grown.get(kind, 0))}


def tallied(tally: Tally, before: Counts, now: Counts, canary: str, stable: str) -> Tally:
    """The tally with what was served between two readings, whatever happened to weights and counters."""
    ours, ours_now = before.arms.get(canary, NOTHING), now.arms.get(canary, NOTHING)
    theirs, theirs_now = before.arms.get(stable, NOTHING), now.arms.get(stable, NOTHING)
    return Tally(
        canary=tally.canary + _since(ours.served, ours_now.served),
        canary_bad=tally.canary_bad + _since(ours.bad, ours_now.bad),
        stable=tally.stable + _since(theirs.served, theirs_now.served),
        stable_bad=tally.stable_bad + _since(theirs.bad, theirs_now.bad),
        client_bad=tally.client_bad + _since(before.client_bad, now.client_bad),
        requests=tally.requests + _since(before.requests, now.requests),
        kinds=_kinds(ours, ours_now, tally.kinds),
    )
