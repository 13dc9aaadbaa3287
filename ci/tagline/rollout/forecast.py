"""How many more requests the tests need, if both arms go on as they were and are equally bad."""

import math

from tagline.rollout.evidence import BETS, ODDS, Evidence, Rule, e_not_worse, e_worse


def _bad_share(evidence: Evidence) -> float:
    """The bad share of both arms together, 0..1; 0 before the first response."""
    responses = evidence.canary + evidence.stable
    return (evidence.canary_bad + evidence.stable_bad) / responses if responses else 0.0


def _let_in_growth(bet: float, increase: float, share: float, bad: float) -> float:
    """Mean log growth of one let-in bet for each request, with `share` of them on the canary."""
    stake = bet / (1 / share - increase)
    won = math.log1p(stake * (increase + 1 / (1 - share)))
    return (1 - bad) * math.log1p(stake * increase) + bad * (share * math.log1p(-bet) + (1 - share) * won)


def _until_let_in(evidence: Evidence, rule: Rule, share: float) -> float:
    """Requests until the fastest single bet has the wealth that the mixture needs; inf where none grows."""
    goal = math.log(len(BETS) / rule.beta)
    bad = _bad_share(evidence)
    waits = []
    for bet, wealth in zip(BETS, evidence.not_worse, strict=True):
        growth = _let_in_growth(bet, rule.increase, share, bad)
        waits.append((goal - wealth) / growth if growth > 0 else math.inf)
    return min(waits)


def _until_calm(evidence: Evidence, share: float) -> float:
    """Requests until no component of the take-back test is above 1; inf where nothing is bad any more."""
    bad = _bad_share(evidence)
    waits = [0.0]
    for odds, wealth in zip(ODDS, evidence.worse, strict=True):
        part = odds * share + 1 - share
        loss = -(share * math.log(odds / part) + (1 - share) * math.log(1 / part)) * bad
        waits.append(max(0.0, wealth) / loss if loss > 0 else math.inf)
    return max(waits)


def requests_needed(evidence: Evidence, rule: Rule, weight: int) -> int | None:
    """More requests, both arms together, until the canary can be let in at `weight` percent (1..99).

    An estimate from the bad share so far. 0 where it is proven already; None where more requests of the
    same kind would not prove it.
    """
    share = weight / 100
    proof = 0.0 if e_not_worse(evidence) >= 1 / rule.beta else _until_let_in(evidence, rule, share)
    calm = 0.0 if e_worse(evidence) <= 1 else _until_calm(evidence, share)
    needed = max(proof, calm)
    return None if math.isinf(needed) else math.ceil(max(0.0, needed))
