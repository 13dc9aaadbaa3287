"""Exact statements about shares of rows: a binomial bound, a sign test, and how many rows they need.

Sources: C. J. Clopper and E. S. Pearson, "The use of confidence or fiducial limits illustrated in the case of
the binomial", Biometrika 26 (1934) 404–413, here one-sided: the bound is the p at which P(X <= k | n, p) is
1 - 0.95. The sign test: J. Arbuthnot 1710; W. J. Conover, Practical Nonparametric Statistics, 3.4.
"""

import math
from collections.abc import Callable

ALPHA = 0.05
_STEPS = 60
_NEGLIGIBLE = 1e-18
MOST_ROWS = 1_000_000


def _log_term(i: int, n: int, p: float) -> float:
    """log P(X = i) for X ~ Binomial(n, p), 0 < p < 1."""
    ways = math.lgamma(n + 1) - math.lgamma(i + 1) - math.lgamma(n - i + 1)
    return ways + i * math.log(p) + (n - i) * math.log1p(-p)


def _check(k: int, n: int) -> None:
    if not 0 <= k <= n or n < 1:
        raise ValueError(f"{k} of {n} rows is not a count")


def at_most(k: int, n: int, p: float) -> float:
    """P(X <= k) for X ~ Binomial(n, p): the sum of the exact terms. `p` in 0..1, 0 <= k <= n, n >= 1."""
    _check(k, n)
    if k == n or p <= 0.0:
        return 1.0
    if p >= 1.0:
        return 0.0
    if k > n * p:
        return max(0.0, 1.0 - _falling(n - k - 1, n, 1.0 - p))
    return min(1.0, _falling(k, n, p))


def _falling(k: int, n: int, p: float) -> float:
    """The lower tail below the mean: the terms fall from k down, so it ends once they no longer count."""
    term = total = math.exp(_log_term(k, n, p))
    for i in range(k, 0, -1):
        term *= i * (1.0 - p) / ((n - i + 1) * p)
        total += term
        if term < total * _NEGLIGIBLE:
            break
    return total


def at_least(k: int, n: int, p: float) -> float:
    """P(X >= k) for X ~ Binomial(n, p), summed as the lower tail of the other outcome."""
    return at_most(n - k, n, 1.0 - p)


def upper_bound(k: int, n: int) -> float:
    """The 95 % one-sided Clopper–Pearson upper bound, in 0..1, on a share of which k of n rows were seen.

    The upper end of the last bisection interval, so rounding errs against the model that is judged.
    """
    _check(k, n)
    if k == n:
        return 1.0
    low, high = k / n, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if at_most(k, n, middle) > ALPHA:
            low = middle
        else:
            high = middle
    return high


def sign_test(worse: int, better: int) -> float:
    """The one-sided p-value of "worse and better are equally likely" against "worse is likelier".

    Counts of the rows on which two models differ; 1.0 where there is none.
    """
    if worse < 0 or better < 0:
        raise ValueError(f"{worse} worse and {better} better are not counts")
    differ = worse + better
    return at_least(worse, differ, 0.5) if differ else 1.0


def rows_needed(k: int, allowed: float) -> int | None:
    """The smallest number of rows in which k bad ones prove, at 95 %, a share of at most `allowed` (0..1).

    None where no set of up to a million rows does.
    """
    if k < 0:
        raise ValueError(f"{k} is not a count")
    return _smallest(max(k, 1), lambda n: k, allowed)


def rows_needed_at(share: float, allowed: float) -> int | None:
    """The same where bad rows keep coming at `share` (0..1); None where that is not below `allowed`.

    About right, not exact: rounding up makes the answer jump by a row or two.
    """
    return _smallest(1, lambda n: math.ceil(share * n), allowed) if share < allowed else None


def _smallest(first: int, bad: Callable[[int], int], allowed: float) -> int | None:
    """The smallest n >= first at which bad(n) of n rows prove `allowed`, by doubling and bisection."""

    def proves(n: int) -> bool:
        return at_most(bad(n), n, allowed) <= ALPHA or allowed >= 1.0

    low, high = first - 1, first
    while not proves(high):
        if high >= MOST_ROWS:
            return None
        low, high = high, min(2 * high, MOST_ROWS)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if proves(middle) else (middle, high)
    return high
