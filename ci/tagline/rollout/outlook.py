"""How long a canary will need: the requests that letting it in takes, at the traffic that is seen now."""

import msgspec

from tagline.platforms import Counts
from tagline.rollout.evidence import Evidence
from tagline.rollout.forecast import requests_needed
from tagline.rollout.plan import Plan


class Outlook(msgspec.Struct, frozen=True):
    """What letting in takes where nobody errs, at the last step's weight.

    `requests` of both arms together, None where no number would do; `rate` requests a second now, None where
    it could not be seen; `seconds` from the first step to letting in, None where either is unknown, or where
    it would take longer than `max_duration`.
    """

    requests: int | None
    rate: float | None
    seconds: float | None


def outlook(plan: Plan, rate: float | None) -> Outlook:
    """The outlook of a plan at a rate of requests; the steps' own evidence counts for the last one's."""
    needed = requests_needed(Evidence(), plan.rule, plan.steps[-1])
    if needed is None or not rate:
        return Outlook(needed, rate, None)
    took = max(plan.duration, needed / rate)
    return Outlook(needed, rate, took if took <= plan.max_duration else None)


def rate_between(before: Counts, after: Counts) -> float | None:
    """Requests a second between two readings; None where they cannot be compared."""
    if before.generation != after.generation or after.at <= before.at:
        return None
    return max(0, after.requests - before.requests) / (after.at - before.at)
