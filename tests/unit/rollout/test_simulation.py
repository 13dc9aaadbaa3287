"""200 simulated rollouts a case, ten minutes at 20 requests a second: how often the rule errs."""

import random
from collections import Counter
from functools import cache

import pytest
from tagline.rollout.state import Verdict

from tests.soak.rollout.simulation import binomial, case, verdicts

RUNS = 200
FEW = 8


@cache
def count(name: str) -> Counter[Verdict]:
    return Counter(outcome.verdict for outcome in verdicts(case(name), RUNS))


@pytest.mark.parametrize(
    "name",
    [
        "null, 0.2 % on both",
        "null, the base rises with the weights",
        "null, the base falls as the weights rise",
    ],
)
def test_a_canary_that_is_as_good_is_seldom_taken_back(name):
    assert count(name)[Verdict.TAKEN_BACK] <= FEW


@pytest.mark.parametrize(
    "name",
    [
        "2 points worse, 0.2 %",
        "3 points worse, the base rises with the weights",
        "3 points worse, the base falls as the weights rise",
    ],
)
def test_a_canary_that_is_worse_is_seldom_let_in(name):
    assert count(name)[Verdict.LET_IN] <= FEW


def test_one_percent_to_five_is_taken_back():
    seen = count("1 % to 5 %")
    assert seen[Verdict.LET_IN] <= FEW
    assert seen[Verdict.TAKEN_BACK] >= 180


def test_a_changed_signature_is_always_taken_back_after_few_bad_responses():
    outcomes = verdicts(case("changed signature: 4xx always"), RUNS)
    assert {outcome.verdict for outcome in outcomes} == {Verdict.TAKEN_BACK}
    assert max(outcome.tally.canary_bad for outcome in outcomes) <= 12
    assert sorted(outcome.tally.canary_bad for outcome in outcomes)[RUNS // 2] <= 5


def test_most_good_canaries_are_let_in():
    assert count("null, 0.2 % on both")[Verdict.LET_IN] >= 160


def test_the_simulation_draws_what_it_says():
    rng = random.Random(3)
    drawn = Counter(binomial(rng, 20, 0.1) for _ in range(20_000))
    assert sum(k * n for k, n in drawn.items()) / 20_000 == pytest.approx(2.0, abs=0.05)
    assert drawn[0] / 20_000 == pytest.approx(0.9**20, abs=0.01)
    assert (binomial(rng, 7, 1.0), binomial(rng, 7, 0.0)) == (7, 0)
