"""The exact statistics of the gate, against whole numbers, scipy and against the numbers the design promises."""

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from tagline.model import bounds

COUNTS = st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
SHARES = st.floats(0.0005, 0.9995)


@pytest.mark.parametrize(("bad", "rows"), [(0, 29), (1, 46), (2, 61)])
def test_ten_points_need_the_rows_the_design_names(bad: int, rows: int) -> None:
    assert bounds.rows_needed(bad, 0.10) == rows
    assert bounds.upper_bound(bad, rows) <= 0.10 < bounds.upper_bound(bad, rows - 1)


def tail(numbers: range, n: int, p: float) -> float:
    """The chance of these numbers of successes in n tries, summed in whole numbers: no rounding but the last."""
    share = Fraction(p)
    good, all_of = share.numerator, share.denominator
    total = sum(comb(n, k) * good**k * (all_of - good) ** (n - k) for k in numbers)
    return float(Fraction(total, all_of**n))


@given(COUNTS, SHARES)
@settings(deadline=None)
def test_the_lower_tail_is_exact(count: tuple[int, int], p: float) -> None:
    k, n = count
    assert bounds.at_most(k, n, p) == pytest.approx(tail(range(k + 1), n, p), rel=1e-9, abs=1e-300)


@given(COUNTS, SHARES)
@settings(deadline=None)
def test_the_upper_tail_is_exact(count: tuple[int, int], p: float) -> None:
    k, n = count
    assert bounds.at_least(k, n, p) == pytest.approx(tail(range(k, n + 1), n, p), rel=1e-9, abs=1e-300)


@given(COUNTS)
def test_the_bound_is_the_quantile_of_the_beta_distribution(count: tuple[int, int]) -> None:
    k, n = count
    expected = 1.0 if k == n else stats.beta.ppf(0.95, k + 1, n - k)
    assert bounds.upper_bound(k, n) == pytest.approx(expected, rel=1e-9)


@given(st.integers(0, 300), st.integers(0, 300))
def test_the_sign_test_is_scipys_exact_binomial_test(worse: int, better: int) -> None:
    differ = worse + better
    expected = stats.binomtest(worse, differ, 0.5, alternative="greater").pvalue if differ else 1.0
    assert bounds.sign_test(worse, better) == pytest.approx(expected, rel=1e-9)


@given(st.integers(0, 30), st.floats(0.02, 0.9))
def test_the_rows_needed_prove_and_one_fewer_does_not(bad: int, allowed: float) -> None:
    rows = bounds.rows_needed(bad, allowed)
    assert rows is not None
    assert bounds.at_most(bad, rows, allowed) <= 0.05
    assert rows == max(bad, 1) or bounds.at_most(bad, rows - 1, allowed) > 0.05


@settings(max_examples=30)
@given(st.floats(0.01, 0.3), st.floats(0.02, 0.3))
def test_rows_at_a_share_prove_where_the_share_is_below_what_is_allowed(share: float, extra: float) -> None:
    rows = bounds.rows_needed_at(share, share + extra)
    assert rows is not None
    assert stats.binom.cdf(int(share * rows), rows, share + extra) <= 0.05


@pytest.mark.parametrize(("share", "allowed"), [(0.1, 0.1), (0.2, 0.1)])
def test_no_number_of_rows_proves_a_share_that_is_already_too_large(share: float, allowed: float) -> None:
    assert bounds.rows_needed_at(share, allowed) is None


def test_no_number_of_rows_proves_that_nothing_is_lost() -> None:
    assert bounds.rows_needed(0, 0.0) is None


@pytest.mark.parametrize(("k", "n"), [(-1, 5), (6, 5), (0, 0)])
def test_counts_that_cannot_be_are_errors(k: int, n: int) -> None:
    with pytest.raises(ValueError, match="not a count"):
        bounds.upper_bound(k, n)


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_the_tails_hold_at_both_ends_of_the_shares(p: float) -> None:
    assert bounds.at_most(3, 10, p) == stats.binom.cdf(3, 10, p)
    assert bounds.at_least(3, 10, p) == stats.binom.sf(2, 10, p)
