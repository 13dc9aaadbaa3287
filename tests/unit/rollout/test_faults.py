"""Platforms that fall silent, forget, lie or stand still: never a promotion, never an abandoned canary."""

import math

import msgspec
import pytest
from tagline.errors import PlatformUnavailable
from tagline.platforms import Counts
from tagline.rollout.state import Phase, Verdict
from tagline.rollout.told import Blind, Paused, Progress, StepEntered, Told

from tests.fakes.simulated_platform import Killed, SimulatedPlatform
from tests.unit.rollout.world import (
    CANARY,
    PLAN,
    STABLE,
    go,
    go_telling,
    platform,
    state_of,
    weights_of,
)


def when(left: float, act):
    """A listener that acts once, when `left` seconds of the steps are left."""
    done: list[Told] = []

    def listen(fact: Told) -> None:
        if isinstance(fact, Progress) and fact.left == left and not done:
            done.append(fact)
            act()

    return listen


def silent_for(on: SimulatedPlatform, seconds: float):
    def fall_silent() -> None:
        on.unavailable_until = on.time + seconds

    return fall_silent


def test_a_short_silence_is_told_and_its_time_does_not_count():
    on, told = platform(), []
    listen = when(90, silent_for(on, 15))

    def both(fact: Told) -> None:
        told.append(fact)
        listen(fact)

    start = on.time
    outcome = go_telling(on, both)
    assert outcome.verdict is Verdict.LET_IN
    assert any(isinstance(fact, Blind) for fact in told)
    assert on.time - start - outcome.seconds >= 10


def test_a_silence_longer_than_the_ttl_ends_in_an_error_with_the_canary_at_zero():
    on = platform()
    with pytest.raises(PlatformUnavailable):
        go_telling(on, when(90, silent_for(on, 300)))
    on.sleep(PLAN.ttl)
    assert weights_of(on) == {STABLE: 100}
    assert on.blocked == []


def test_after_a_long_silence_the_next_call_begins_at_the_first_step_with_its_evidence():
    on = platform()
    with pytest.raises(PlatformUnavailable):
        go_telling(on, when(30, silent_for(on, 300)))
    gathered = state_of(on).evidence.canary
    on.sleep(300)
    told: list[Told] = []
    assert go(on, told=told).verdict is Verdict.LET_IN
    assert [fact.weight for fact in told if isinstance(fact, StepEntered)] == [10, 25, 50]
    assert state_of(on).evidence.canary > gathered > 0


@pytest.mark.parametrize("at", [1000.0, math.nan, math.inf])
def test_readings_that_stand_still_or_have_no_time_are_no_readings(at):
    on = platform()

    def freeze() -> None:
        on.frozen = msgspec.structs.replace(on.reading(), at=at)

    with pytest.raises(PlatformUnavailable, match="not newer"):
        go_telling(on, when(90, freeze))
    assert weights_of(on) == {STABLE: 100}


def test_frozen_counters_full_of_good_responses_never_promote():
    on = platform(canary=1.0, rate=100.0)
    on.frozen = Counts("1.9", 2000.0, {}, requests=10**6)
    with pytest.raises(PlatformUnavailable):
        go(on)
    assert weights_of(on) == {STABLE: 100}


def test_a_router_that_starts_again_costs_its_interval_and_nothing_else():
    on = platform(rate=100.0)
    outcome = go_telling(on, when(90, on.restart))
    assert outcome.verdict is Verdict.LET_IN
    assert state_of(on).evidence.canary + state_of(on).evidence.stable < on_tally(outcome)


def on_tally(outcome) -> int:
    return outcome.tally.canary + outcome.tally.stable


def test_counters_that_fall_without_a_word_enter_no_test():
    on = platform(canary=0.0, rate=100.0)

    def forget() -> None:
        on.restart()
        on.boot -= 1

    assert go_telling(on, when(90, forget)).verdict is Verdict.LET_IN


def test_a_router_that_starts_again_at_every_look_leaves_only_the_intervals_after_a_move():
    on = platform()
    outcome = go_telling(on, lambda fact: on.restart() if isinstance(fact, Progress) else None)
    assert outcome.verdict is Verdict.INCONCLUSIVE
    assert state_of(on).evidence.canary + state_of(on).evidence.stable <= 3 * 20


def test_a_canary_that_is_missing_from_the_counters_is_never_let_in():
    on = platform()

    class Blinkered(SimulatedPlatform):
        def reading(self) -> Counts:
            whole = super().reading()
            arms = {version: arm for version, arm in whole.arms.items() if version != str(CANARY)}
            return msgspec.structs.replace(whole, arms=arms)

    on.__class__ = Blinkered
    assert go(on).verdict is Verdict.INCONCLUSIVE


def test_a_laptop_that_slept_past_the_ttl_finds_the_canary_at_zero_and_begins_again():
    on, told = platform(), []

    def both(fact: Told) -> None:
        told.append(fact)
        listen(fact)

    listen = when(90, lambda: on.sleep(3600))
    outcome = go_telling(on, both)
    assert outcome.verdict is Verdict.LET_IN
    assert f"watchdog {CANARY}" in on.effects
    assert [fact.weight for fact in told if isinstance(fact, StepEntered)] == [10, 10, 25, 50]
    assert any(isinstance(fact, Paused) for fact in told)
    assert outcome.seconds < 200


def killed(on: SimulatedPlatform, left: float) -> None:
    def die() -> None:
        def dead(call: str) -> None:
            raise Killed(call)

        on.tripwire = dead

    with pytest.raises(Killed):
        go_telling(on, when(left, die))
    on.tripwire = lambda call: None


def test_killed_and_called_again_within_the_ttl_it_goes_on_in_its_step():
    on, told = platform(), []
    killed(on, 30)
    assert weights_of(on)[CANARY] == 50
    on.sleep(5)
    outcome = go(on, told=told)
    assert outcome.verdict is Verdict.LET_IN
    assert not any(isinstance(fact, StepEntered) for fact in told)
    assert outcome.seconds < 130


def test_what_was_served_while_nobody_looked_is_counted_too():
    on = platform()
    killed(on, 30)
    before = state_of(on).evidence
    on.sleep(20)
    go(on)
    assert state_of(on).evidence.canary > before.canary + 150


def test_killed_and_left_alone_the_watchdog_takes_the_canary_to_zero():
    on = platform()
    killed(on, 30)
    on.sleep(31)
    assert weights_of(on) == {STABLE: 100}
    assert (state_of(on).phase, go(on).verdict) == (Phase.WATCHING, Verdict.LET_IN)
    assert on.effects.count(f"weights {STABLE}=90 {CANARY}=10") == 2


def test_sabotage_without_the_dead_man_switch_a_killed_rollout_would_leave_its_canary():
    on = platform()
    killed(on, 30)
    on.switch = None
    on.sleep(3600)
    assert weights_of(on)[CANARY] == 50
