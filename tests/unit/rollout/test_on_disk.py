"""The same rollouts with the local platform's memory on disk."""

import msgspec
import pytest
from tagline.errors import Locked
from tagline.platforms.local.rollouts import LocalRollouts
from tagline.rollout.run import roll_out, saved
from tagline.rollout.state import Phase, Verdict
from tagline.rollout.told import Progress, Told

from tests.fakes.simulated_platform import ENV, MODEL, Killed, SimulatedPlatform
from tests.unit.rollout.world import CANARY, STABLE, platform, request, weights_of


def once(left: float, act):
    done: list[Told] = []

    def listen(fact: Told) -> None:
        if isinstance(fact, Progress) and fact.left == left and not done:
            done.append(fact)
            act()

    return listen


def killed(on: SimulatedPlatform, rollouts: LocalRollouts) -> None:
    """Killed while the canary has half of the traffic: the serving side hears nothing more of it."""

    def die() -> None:
        def dead(call: str) -> None:
            raise Killed(call)

        on.tripwire = dead
        raise Killed

    with pytest.raises(Killed):
        roll_out(on, rollouts, request(), on, once(30, die))
    on.tripwire = lambda call: None


def test_a_rollout_comes_to_its_end_and_its_state_lies_on_disk(tmp_path):
    on = platform()
    outcome = roll_out(on, LocalRollouts(tmp_path), request(), on, lambda fact: None)
    state = saved(LocalRollouts(tmp_path), ENV, MODEL)
    assert state is not None
    assert (state.phase, state.outcome) == (Phase.DONE, outcome)


def test_a_killed_rollout_goes_on_from_disk_with_the_same_bits(tmp_path):
    on = platform()
    killed(on, LocalRollouts(tmp_path))
    assert weights_of(on)[CANARY] == 50
    before = saved(LocalRollouts(tmp_path), ENV, MODEL)
    assert before is not None
    assert (
        msgspec.json.decode(msgspec.json.encode(before.evidence), type=type(before.evidence))
        == before.evidence
    )
    assert roll_out(on, LocalRollouts(tmp_path), request(), on, lambda fact: None).verdict is Verdict.LET_IN
    after = saved(LocalRollouts(tmp_path), ENV, MODEL)
    assert after is not None
    assert after.evidence.canary > before.evidence.canary > 0


def test_the_block_is_on_disk_when_the_call_returns(tmp_path):
    on = platform(canary=1.0)
    roll_out(on, LocalRollouts(tmp_path), request(), on, lambda fact: None)
    assert [block.version for block in LocalRollouts(tmp_path).blocks(ENV, MODEL)] == [str(CANARY)]
    assert weights_of(on) == {STABLE: 100}


def test_a_second_process_is_refused_while_the_first_rolls_out(tmp_path):
    on = platform()
    refused: list[Locked] = []

    def try_too() -> None:
        with pytest.raises(Locked) as caught:
            roll_out(on, LocalRollouts(tmp_path), request(), on, lambda fact: None)
        refused.append(caught.value)

    assert roll_out(on, LocalRollouts(tmp_path), request(), on, once(30, try_too)).verdict is Verdict.LET_IN
    assert len(refused) == 1
