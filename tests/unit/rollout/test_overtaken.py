"""A rollback in the moment of letting in wins; a rollout that nobody can watch ends some day."""

from collections.abc import Callable

import msgspec
import pytest
from tagline.errors import RemoteUnavailable, RepositoryError
from tagline.platforms import Block
from tagline.rollout.state import Phase, Verdict
from tagline.words import Promotion

from tests.fakes.simulated_platform import ENV, MODEL, SimulatedPlatform
from tests.unit.rollout.world import (
    CANARY,
    OLDER,
    PLAN,
    STABLE,
    changed,
    go,
    platform,
    request,
    state_of,
    weights_of,
)


def at_touch(on: SimulatedPlatform, number: int, act: Callable[[], None]) -> None:
    """Act at this touch of the platform since it began to let in."""
    touched = 0

    def trip(call: str) -> None:
        nonlocal touched
        if on.state and state_of(on).phase is Phase.LETTING_IN:
            touched += 1
            if touched == number:
                act()

    on.tripwire = trip


@pytest.mark.parametrize("number", range(1, 9))
def test_a_rollback_while_the_candidate_is_let_in_wins_at_any_moment(number: int) -> None:
    on = platform(rate=100.0)

    def roll_back() -> None:
        on.blocked.append(Block(str(CANARY), "Ada", "complaints"))
        on._weigh({STABLE: 100})

    at_touch(on, number, roll_back)
    outcome = go(on)
    assert len(on.blocked) == 1
    if outcome.verdict is Verdict.BLOCKED:
        assert weights_of(on) == {STABLE: 100}
    else:
        assert number >= 7, "a rollback after the last look at the blocks undoes what stands"
        assert weights_of(on) == {STABLE: 100}


def test_a_rollback_to_an_older_version_before_letting_in_is_left_alone() -> None:
    on = platform(rate=100.0)

    def roll_back() -> None:
        on.blocked.append(Block(str(CANARY), "Ada", "complaints"))
        on._weigh({OLDER: 100})

    at_touch(on, 1, roll_back)
    assert go(on).verdict is Verdict.SUPERSEDED
    assert weights_of(on) == {OLDER: 100}


def test_a_rollout_that_nobody_can_watch_for_long_ends_inconclusive() -> None:
    on, last, begun = platform(), 0.0, 0.0
    begun = on.time

    def newer() -> Promotion | None:
        nonlocal last
        if on.time - last >= 10:
            on.sleep(182)
            last = on.time
            raise RemoteUnavailable("it hangs")
        return None

    long = msgspec.structs.replace(PLAN, step_time=120.0, max_duration=1800.0)
    outcome = go(on, changed(request(plan=long), newer=newer))
    assert outcome.verdict is Verdict.INCONCLUSIVE
    assert on.time - begun < 8 * 1800
    assert weights_of(on) == {STABLE: 100}


def test_a_remote_that_answers_with_nonsense_ends_nothing() -> None:
    def newer() -> Promotion | None:
        raise RepositoryError("the remote could not be read")

    on = platform(rate=100.0)
    assert go(on, changed(request(), newer=newer)).verdict is Verdict.LET_IN
    assert on.blocks(ENV, MODEL) == []
