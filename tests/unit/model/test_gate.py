"""The gate's judgement as a pure function: exact numbers, properties, and how often it is wrong."""

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from tagline.config import Metric
from tagline.errors import GateError, NotYetSupported
from tagline.model import gate
from tagline.model.gate import Losses, Outcome, Verdict

PAIRS = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=200)
METRICS = st.builds(Metric, max_drop=st.floats(0.01, 0.5), floor=st.floats(0.1, 0.95))

MOST_OF_2000 = 2000 * 0.05 + 3 * math.sqrt(2000 * 0.05 * 0.95)


def model(wrong: list[bool], metric: str = "wrong") -> Losses:
    return gate.losses(
        metric, [(f"r{i}", float(w)) for i, w in enumerate(wrong)], [f"r{i}" for i in range(len(wrong))]
    )


def versus(worse: int, better: int, equal: int, drop: float = 0.10) -> Verdict:
    candidate = [True] * worse + [False] * (better + equal)
    served = [False] * worse + [True] * better + [False] * equal
    return gate.judge(model(candidate), model(served), Metric(max_drop=drop))


def first(wrong: int, rows: int, floor: float) -> Verdict:
    return gate.judge(model([True] * wrong + [False] * (rows - wrong)), None, Metric(floor=floor))


@pytest.mark.parametrize(
    ("worse", "rows", "outcome"),
    [
        (0, 29, Outcome.PASS),
        (0, 28, Outcome.INCONCLUSIVE),
        (1, 46, Outcome.PASS),
        (1, 45, Outcome.INCONCLUSIVE),
        (2, 61, Outcome.PASS),
        (2, 60, Outcome.INCONCLUSIVE),
        (4, 60, Outcome.INCONCLUSIVE),
        (5, 60, Outcome.REFUSED),
    ],
)
def test_the_verdict_turns_where_the_design_says(worse: int, rows: int, outcome: Outcome) -> None:
    assert versus(worse, 0, rows - worse).outcome is outcome


def test_gains_do_not_offset_losses() -> None:
    assert versus(6, 50, 4).outcome is Outcome.INCONCLUSIVE


def test_pass_is_looked_at_before_refused() -> None:
    verdict = versus(5, 0, 995)
    assert verdict.p_worse <= 0.05
    assert verdict.outcome is Outcome.PASS


@pytest.mark.parametrize(
    ("wrong", "rows", "floor", "outcome"),
    [
        (12, 60, 0.65, Outcome.PASS),
        (15, 60, 0.65, Outcome.INCONCLUSIVE),
        (29, 60, 0.65, Outcome.REFUSED),
        (0, 29, 0.90, Outcome.PASS),
        (0, 28, 0.90, Outcome.INCONCLUSIVE),
    ],
)
def test_the_first_model_is_held_to_the_floor(wrong: int, rows: int, floor: float, outcome: Outcome) -> None:
    assert first(wrong, rows, floor).outcome is outcome


def test_a_refusal_at_first_is_the_exact_binomial_test() -> None:
    verdict = first(29, 60, 0.65)
    assert verdict.p_worse == pytest.approx(stats.binomtest(29, 60, 0.35, alternative="greater").pvalue)


def test_an_inconclusive_verdict_says_how_many_rows_it_needs() -> None:
    verdict = versus(2, 0, 30)
    assert verdict.rows_needed == 61
    assert "needs at least 61 rows" in verdict.sentence


def test_an_inconclusive_verdict_says_when_no_rows_will_do() -> None:
    assert "no number will do" in versus(6, 50, 4).sentence
    assert "no number of rows can prove that" in versus(0, 0, 60, drop=0.0).sentence


def test_the_verdict_counts_each_slice() -> None:
    rows = [("a", 1.0), ("b", 0.0), ("c", 0.0)]
    slices = {"a": "red", "b": "red", "c": "white"}
    candidate = gate.losses("wrong", rows, "abc", slices)
    served = gate.losses("wrong", [("a", 0.0), ("b", 1.0), ("c", 0.0)], "abc", slices)
    found = gate.judge(candidate, served, Metric()).slices
    assert found == {"red": gate.Counts(2, 1, 1, 1, 1), "white": gate.Counts(1, 0, 0, 0, 0)}


@given(PAIRS, METRICS)
def test_a_pass_always_means_that_the_bound_holds(pairs: list[tuple[bool, bool]], metric: Metric) -> None:
    verdict = gate.judge(model([c for c, _ in pairs]), model([s for _, s in pairs]), metric)
    worse, n = sum(c and not s for c, s in pairs), len(pairs)
    bound = 1.0 if worse == n else stats.beta.ppf(0.95, worse + 1, n - worse)
    assert (verdict.outcome is Outcome.PASS) == (bound <= metric.max_drop)


@given(PAIRS, METRICS, st.data())
def test_one_more_worse_row_never_helps(
    pairs: list[tuple[bool, bool]], metric: Metric, data: st.DataObject
) -> None:
    order = [Outcome.REFUSED, Outcome.INCONCLUSIVE, Outcome.PASS]
    row = data.draw(st.integers(0, len(pairs) - 1))
    candidate, served = [c for c, _ in pairs], [s for _, s in pairs]
    before = gate.judge(model(candidate), model(served), metric)
    candidate[row], served[row] = True, False
    after = gate.judge(model(candidate), model(served), metric)
    assert order.index(after.outcome) <= order.index(before.outcome)


@given(PAIRS, METRICS, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(
    pairs: list[tuple[bool, bool]], metric: Metric, shuffler: random.Random
) -> None:
    rows = [(f"r{i}", float(c), float(s)) for i, (c, s) in enumerate(pairs)]
    mixed = rows.copy()
    shuffler.shuffle(mixed)
    names = [row for row, _, _ in rows]

    def verdict(some: list[tuple[str, float, float]]) -> Verdict:
        ours = gate.losses("wrong", [(r, c) for r, c, _ in some], names)
        theirs = gate.losses("wrong", [(r, s) for r, _, s in rows], names)
        return gate.judge(ours, theirs, metric)

    assert verdict(mixed) == verdict(rows)


@given(PAIRS, METRICS)
def test_a_model_against_itself_is_never_refused(pairs: list[tuple[bool, bool]], metric: Metric) -> None:
    same = model([c for c, _ in pairs])
    assert gate.judge(same, same, metric).outcome is not Outcome.REFUSED


@pytest.mark.parametrize("rows", [29, 60, 61, 150])
def test_a_model_that_loses_what_is_allowed_passes_at_most_one_time_in_twenty(rows: int) -> None:
    chance = sum(
        stats.binom.pmf(k, rows, 0.10) for k in range(rows + 1) if versus(k, 0, rows - k).bound <= 0.10
    )
    assert chance <= 0.05


def test_in_simulation_a_model_that_loses_what_is_allowed_rarely_passes() -> None:
    dice, passed = random.Random(20261123), 0
    for _ in range(2000):
        draws = [dice.random() for _ in range(61)]
        candidate, served = [d < 0.40 for d in draws], [0.10 <= d < 0.60 for d in draws]
        passed += gate.judge(model(candidate), model(served), Metric()).outcome is Outcome.PASS
    assert passed <= MOST_OF_2000


def test_in_simulation_a_model_that_is_equally_good_is_rarely_refused() -> None:
    dice, refused = random.Random(7), 0
    for _ in range(2000):
        candidate, served = [dice.random() < 0.2 for _ in range(61)], [dice.random() < 0.2 for _ in range(61)]
        refused += gate.judge(model(candidate), model(served), Metric()).outcome is Outcome.REFUSED
    assert refused <= MOST_OF_2000


def test_in_simulation_a_first_model_at_the_floor_rarely_passes() -> None:
    dice, passed = random.Random(11), 0
    for _ in range(2000):
        passed += first(sum(dice.random() < 0.35 for _ in range(60)), 60, 0.65).outcome is Outcome.PASS
    assert passed <= MOST_OF_2000


ROWS = [("a", 0.0), ("b", 1.0)]


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([("a", 0.0)], "lack row 'b'"),
        ([*ROWS, ("c", 0.0)], "unknown row 'c'"),
        ([*ROWS, ("a", 0.0)], "row 'a' has two losses"),
        ([("a", math.nan), ("b", 1.0)], "not a number"),
        ([("a", math.inf), ("b", 1.0)], "not a number"),
        ([], "lack row"),
    ],
)
def test_rows_that_are_not_the_frozen_ones_are_errors(pairs: list[tuple[str, float]], message: str) -> None:
    with pytest.raises(GateError, match=message):
        gate.losses("wrong", pairs, "ab")


def test_an_empty_set_is_an_error() -> None:
    with pytest.raises(GateError, match="no rows"):
        gate.losses("wrong", [], [])


@pytest.mark.parametrize("loss", [-1.0, 0.5, 2.0, 1e-9])
def test_other_losses_are_refused_by_name(loss: float) -> None:
    with pytest.raises(NotYetSupported, match="only 0 and 1"):
        gate.losses("wrong", [("a", loss), ("b", 1.0)], "ab")


@settings(max_examples=50)
@given(st.floats().filter(lambda loss: loss not in (0.0, 1.0)))
def test_no_other_number_is_ever_judged(loss: float) -> None:
    with pytest.raises((GateError, NotYetSupported)):
        gate.judge(Losses("wrong", {"a": loss}), None, Metric(floor=0.0))


def test_models_judged_on_different_rows_are_an_error() -> None:
    with pytest.raises(GateError, match="lack row"):
        gate.judge(model([False] * 60), model([True] * 59), Metric())


def test_models_judged_by_different_metrics_are_an_error() -> None:
    with pytest.raises(GateError, match="'wrong' and by 'other'"):
        gate.judge(model([False] * 60), model([True] * 60, "other"), Metric())


def test_an_empty_candidate_is_an_error() -> None:
    with pytest.raises(GateError, match="no rows"):
        gate.judge(Losses("wrong", {}), None, Metric(floor=0.0))
