"""A rollout from its first call to its outcome, under virtual time."""

import pytest
from tagline.errors import (
    RolloutInconclusive,
    TakenBack,
)
from tagline.rollout.state import Verdict, error_of
from tagline.rollout.told import NoTraffic, Progress, StepEntered, Told, WeightMoved

from tests.fakes.simulated_platform import SimulatedPlatform
from tests.unit.rollout.world import (
    CANARY,
    OLDER,
    STABLE,
    go,
    platform,
    rates,
    request,
    weights_of,
)


def test_a_good_canary_takes_its_steps_and_is_let_in():
    on, told = platform(), []
    outcome = go(on, told=told)
    assert outcome.verdict is Verdict.LET_IN
    assert [fact.weight for fact in told if isinstance(fact, StepEntered)] == [10, 25, 50]
    assert weights_of(on) == {CANARY: 100}
    assert error_of(outcome) is None


def test_the_previous_version_stays_warm_and_the_one_before_it_goes():
    on = platform()
    go(on)
    assert set(on.arms) == {CANARY, STABLE}


def test_a_failing_canary_is_taken_back_blocked_and_removed():
    on = platform(canary=1.0)
    outcome = go(on)
    assert outcome.verdict is Verdict.TAKEN_BACK
    assert isinstance(error_of(outcome), TakenBack)
    assert weights_of(on) == {STABLE: 100}
    assert [block.version for block in on.blocked] == [str(CANARY)]
    assert set(on.arms) == {OLDER, STABLE}


@pytest.mark.parametrize("seed", range(10))
def test_a_failing_canary_gives_few_bad_responses_and_no_client_sees_one(seed):
    outcome = go(platform(canary=1.0, seed=seed))
    assert outcome.tally.canary_bad <= 10
    assert outcome.tally.client_bad == 0
    assert outcome.reaction is not None
    assert outcome.reaction <= 8


def test_weight_zero_comes_before_the_block_and_the_block_before_the_removal():
    on = platform(canary=1.0)
    go(on)
    assert on.effects[-3:] == [f"weights {STABLE}=100", f"block {CANARY}", f"remove {CANARY}"]


def test_a_canary_that_is_a_little_worse_is_never_let_in():
    for seed in range(10):
        assert go(platform(0.01, 0.04, seed=seed)).verdict is not Verdict.LET_IN


def test_too_little_traffic_is_inconclusive_says_how_much_is_missing_and_blocks_nothing():
    on = platform(rate=0.5)
    outcome = go(on)
    assert outcome.verdict is Verdict.INCONCLUSIVE
    assert outcome.needs is not None
    assert f"needs {outcome.needs} more requests" in str(error_of(outcome))
    assert isinstance(error_of(outcome), RolloutInconclusive)
    assert (on.blocked, weights_of(on)) == ([], {STABLE: 100})


def test_no_traffic_is_said_once_after_ten_seconds_with_the_command_and_never_a_promotion():
    on, told = platform(rate=0.0), []
    outcome = go(on, told=told)
    assert [fact for fact in told if isinstance(fact, NoTraffic)] == [
        NoTraffic(10.0, "tagline local traffic wine")
    ]
    assert outcome.verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize("rate", [0.0, 0.05])
def test_no_step_ends_before_the_canary_could_be_seen_to_fail(rate: float):
    on, told = platform(rate=rate), []
    assert go(on, told=told).verdict is Verdict.INCONCLUSIVE
    assert [fact.weight for fact in told if isinstance(fact, StepEntered)] == [10]


def test_low_traffic_still_gathers_evidence():
    outcome = go(platform(canary=1.0, rate=1.0))
    assert outcome.verdict is Verdict.TAKEN_BACK


def test_a_little_evidence_at_the_end_of_the_steps_stretches_the_last_one():
    outcome = go(platform(rate=5.0))
    assert outcome.verdict is Verdict.LET_IN
    assert outcome.seconds > 120


def test_the_first_promotion_takes_all_traffic():
    on = SimulatedPlatform(rates(0.0, 0.0))
    outcome = go(on, request(serves=None))
    assert (outcome.verdict, outcome.stable) == (Verdict.LET_IN, None)
    assert weights_of(on) == {CANARY: 100}


def test_a_version_that_serves_already_is_left_alone():
    on = platform()
    assert go(on, request(STABLE)).verdict is Verdict.LET_IN
    assert on.effects == []


def test_a_finished_promotion_called_again_gives_the_same_outcome_and_does_nothing():
    on = platform(canary=1.0)
    first, effects = go(on), list(on.effects)
    assert go(on) == first
    assert on.effects == effects


def test_every_change_of_weights_is_told():
    told: list[Told] = []
    go(platform(), told=told)
    moves = [fact.weights[str(CANARY)] for fact in told if isinstance(fact, WeightMoved)]
    assert moves == [10, 25, 50, 100]


def test_progress_says_what_each_test_has_and_needs():
    told: list[Told] = []
    go(platform(), told=told)
    seen = [fact for fact in told if isinstance(fact, Progress)]
    assert seen[0].needs is not None
    assert seen[0].needs > 400
    assert seen[-1].needs == 0
    assert seen[-1].e_not_worse >= seen[-1].let_in_at == 100
    assert seen[-1].e_worse == 1.0
