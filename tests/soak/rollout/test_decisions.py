"""10,000 simulated rollouts a case: at most 1.3 % wrong decisions where 1 % is promised."""

import pytest

from tests.soak.rollout.simulation import CASES, Case, rollout

RUNS = 10_000
AT_MOST = 0.013


@pytest.mark.soak
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_wrong_decisions_stay_under_their_limit(case: Case):
    wrong = sum(rollout(seed, case).verdict is case.wrong for seed in range(RUNS))
    assert wrong / RUNS <= AT_MOST
