"""The state on disk, the outcome's error, and what is said between two states."""

import itertools

import msgspec
import pytest
from tagline.errors import Blocked, RolloutInconclusive, StateBroken, Superseded, TakenBack
from tagline.rollout import machine
from tagline.rollout.news import news
from tagline.rollout.state import Phase, State, Verdict, dump, error_of, read
from tagline.rollout.told import Decided, Finished, NoTraffic, Told
from tagline.words import Promotion

from tests.unit.rollout.world import CANARY, PLAN, STABLE, go, platform, state_of

NEW = State(Promotion("prod", "wine", 7), CANARY, STABLE, PLAN)
WATCHING = msgspec.structs.replace(NEW, phase=Phase.WATCHING)


@pytest.mark.parametrize("canary", [0.0, 0.02, 1.0])
def test_a_state_comes_back_as_it_was_saved(canary):
    on = platform(0.01, canary)
    go(on)
    assert dump(state_of(on)) == on.state
    assert read(dump(state_of(on))) == state_of(on)


@pytest.mark.parametrize("saved", [b"", b"{", b"[]", b"null", b'{"phase": "dancing"}'])
def test_a_file_that_is_no_state_is_an_error_with_a_way_out(saved):
    with pytest.raises(StateBroken) as caught:
        read(saved)
    assert "tagline status" in caught.value.fix


@pytest.mark.parametrize(
    ("verdict", "kind"),
    [
        (Verdict.TAKEN_BACK, TakenBack),
        (Verdict.INCONCLUSIVE, RolloutInconclusive),
        (Verdict.SUPERSEDED, Superseded),
        (Verdict.BLOCKED, Blocked),
    ],
)
def test_every_verdict_but_let_in_has_its_own_error(verdict, kind):
    error = error_of(NEW.ended(verdict, "because"))
    assert type(error) is kind
    assert "because" in str(error)


def test_the_dead_man_switch_is_armed_exactly_while_the_canary_is_unproven():
    armed = {phase for phase in Phase if msgspec.structs.replace(NEW, phase=phase).at_risk is not None}
    assert armed == {Phase.MOVING, Phase.WATCHING, Phase.TAKING_BACK}


def test_a_first_promotion_has_nothing_to_fall_back_to_and_arms_nothing():
    assert msgspec.structs.replace(WATCHING, stable=None).at_risk is None


@pytest.mark.parametrize("phase", Phase)
def test_every_phase_has_one_that_follows(phase):
    state = msgspec.structs.replace(NEW, phase=phase)
    assert machine.carried_out(state).phase in set(Phase)


def test_silence_is_told_when_it_reaches_ten_seconds_and_not_again():
    quiet = [msgspec.structs.replace(WATCHING, quiet=seconds) for seconds in (9.0, 10.0, 11.0)]
    heard = [fact for old, new in itertools.pairwise(quiet) for fact in news(old, new, "hint")]
    assert [fact for fact in heard if isinstance(fact, NoTraffic)] == [NoTraffic(10.0, "hint")]


def test_the_verdict_is_told_before_it_is_carried_out_and_once_more_after():
    told: list[Told] = []
    go(platform(canary=1.0), told=told)
    verdicts = [fact for fact in told if isinstance(fact, Decided | Finished)]
    assert [type(fact) for fact in verdicts] == [Decided, Finished]


def test_what_is_told_can_be_written_to_the_ledger():
    told: list[Told] = []
    go(platform(canary=1.0), told=told)
    for fact in told:
        assert msgspec.json.decode(msgspec.json.encode(fact), type=Told) == fact
