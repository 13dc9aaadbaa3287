"""What the responses of two arms prove: two tests that may be looked at after every interval.

Both are e-processes: products of factors whose mean is at most 1 while their null hypothesis is true. By
Ville's inequality (Ville 1939) the chance that such a product *ever* reaches 1/a is at most a, so looking
every second costs nothing. docs/explanation/evidence.md derives both on two pages.
"""

import math
from enum import StrEnum

import msgspec

ODDS = (1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0, 200.0)
BETS = (0.98, 0.6, 0.3, 0.15)
_BIGGEST = 700.0


class Interval(msgspec.Struct, frozen=True):
    """Responses between two readings with the same weights and counters: per arm, all and the bad ones."""

    canary: int
    canary_bad: int
    stable: int
    stable_bad: int

    @property
    def total(self) -> int:
        return self.canary + self.stable


class Evidence(msgspec.Struct, frozen=True):
    """Log-wealths of both tests, one for each of `ODDS` and `BETS`, and the responses that entered them."""

    worse: tuple[float, ...] = (0.0,) * len(ODDS)
    not_worse: tuple[float, ...] = (0.0,) * len(BETS)
    canary: int = 0
    canary_bad: int = 0
    stable: int = 0
    stable_bad: int = 0


class Rule(msgspec.Struct, frozen=True):
    """`alpha`: chance to take back a canary that is as good; `beta`: chance to let in one that is worse.

    `increase` is the rise of the bad share that is too much, absolute, in 0..1 (both ends excluded).
    """

    increase: float = 0.02
    alpha: float = 0.01
    beta: float = 0.01


class Answer(StrEnum):
    """What the evidence says now."""

    GO_ON = "go on"
    TAKE_BACK = "take back"
    LET_IN = "let in"
    INCONCLUSIVE = "inconclusive"


def worse_factor(odds: float, seen: Interval) -> float:
    """Log of the take-back test's factor against "the canary's odds of a bad response are `odds` times".

    With p = n_c / (n_c + n_s) and q = odds n_c / (odds n_c + n_s): (q/p)^b_c ((1-q)/(1-p))^b_s.
    Given the totals, b_c is hypergeometric where both arms are equally bad. Its mean of any convex function,
    such as this one, is at most that of the binomial with the same p (Hoeffding 1963, theorem 4), and
    there it is (p q/p + (1-p)(1-q)/(1-p))^b = 1. A canary that is better has a stochastically smaller b_c,
    and the factor rises with b_c. So its mean is at most 1 whatever the weights and the base rate, as in
    Lindon & Malek 2022, "Anytime-valid inference for multinomial count data".
    """
    part = odds * seen.canary + seen.stable
    up, down = odds * seen.total / part, seen.total / part
    return seen.canary_bad * math.log(up) + seen.stable_bad * math.log(down)


def not_worse_factor(bet: float, increase: float, seen: Interval) -> float:
    """Log of the let-in test's factor against "the canary's bad share is higher by `increase` or more".

    Each response is weighted by the inverse of its arm's share in this interval: Y = 1/s_c for a bad canary
    response, -1/s_s for a bad stable one, 0 for a good one, with s_c = n_c/n, s_s = n_s/n. Each gives a
    factor 1 + l(d - Y), with l = bet / (1/s_c - d), so that a bad canary response leaves exactly 1 - bet.
    Given n_c and n_s the mean of the product is m_c^n_c m_s^n_s, where m_c = 1 + l(d - p_c/s_c) and
    m_s = 1 + l(d + p_s/s_s). By Jensen (the logarithm is concave; here, AM-GM) its n-th root is at most
    s_c m_c + s_s m_s = 1 + l(d - (p_c - p_s)), which is at most 1 under the null hypothesis.
    The same holds where the base rate drifts inside the interval: given the counts, which response falls
    to which arm is a draw without replacement, hence negatively associated (Joag-Dev & Proschan 1983).
    Betting: Waudby-Smith & Ramdas 2024, "Estimating means of bounded random variables by betting" (JRSS-B).
    """
    stake = bet / (seen.total / seen.canary - increase)
    good = seen.total - seen.canary_bad - seen.stable_bad
    log_wealth = good * math.log1p(stake * increase)
    if seen.canary_bad:
        log_wealth += seen.canary_bad * math.log1p(-bet)
    if seen.stable_bad:
        log_wealth += seen.stable_bad * math.log1p(stake * (increase + seen.total / seen.stable))
    return log_wealth


def added(evidence: Evidence, seen: Interval, rule: Rule) -> Evidence:
    """The evidence after one more interval; one that lacks an arm compares nothing and adds nothing."""
    if seen.canary <= 0 or seen.stable <= 0:
        return evidence
    worse = evidence.worse
    if seen.canary_bad or seen.stable_bad:
        worse = tuple(w + worse_factor(odds, seen) for odds, w in zip(ODDS, worse, strict=True))
    bets = zip(BETS, evidence.not_worse, strict=True)
    return Evidence(
        worse=worse,
        not_worse=tuple(w + not_worse_factor(bet, rule.increase, seen) for bet, w in bets),
        canary=evidence.canary + seen.canary,
        canary_bad=evidence.canary_bad + seen.canary_bad,
        stable=evidence.stable + seen.stable,
        stable_bad=evidence.stable_bad + seen.stable_bad,
    )


def _mixed(log_wealths: tuple[float, ...]) -> float:
    """Log of the plain mean of wealths: a fixed mixture of e-processes is one (Robbins 1970)."""
    top = max(log_wealths)
    return top + math.log(sum(math.exp(w - top) for w in log_wealths) / len(log_wealths))


def e_worse(evidence: Evidence) -> float:
    """The take-back test's e-value: exactly 1 while nothing was bad, at most e^700."""
    return math.exp(min(_mixed(evidence.worse), _BIGGEST))


def e_not_worse(evidence: Evidence) -> float:
    """The let-in test's e-value, at most e^700."""
    return math.exp(min(_mixed(evidence.not_worse), _BIGGEST))


def is_worse(evidence: Evidence, rule: Rule) -> bool:
    """The canary is proven worse at level `alpha`."""
    return e_worse(evidence) >= 1 / rule.alpha


def is_not_worse(evidence: Evidence, rule: Rule) -> bool:
    """The canary is proven not worse by `increase`, at level `beta`, and nothing leans towards worse."""
    return e_not_worse(evidence) >= 1 / rule.beta and e_worse(evidence) <= 1


def decide(evidence: Evidence, rule: Rule, *, ran: bool, out_of_time: bool) -> Answer:
    """What to do now. Taking back comes first; `ran`: the last step has run its time.

    Neither proven when `out_of_time`: inconclusive, which is never a promotion.
    """
    if is_worse(evidence, rule):
        return Answer.TAKE_BACK
    if ran and is_not_worse(evidence, rule):
        return Answer.LET_IN
    return Answer.INCONCLUSIVE if out_of_time else Answer.GO_ON
