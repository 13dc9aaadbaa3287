"""Rollouts that somebody blocks, overtakes, rolls back or interrupts."""

import pytest
from tagline.errors import (
    Blocked,
    ConfigError,
    Locked,
    ModelDoesNotLoad,
    PlatformError,
    PutDown,
    RemoteUnavailable,
    RolloutError,
    StateBroken,
    Superseded,
)
from tagline.platforms import Block
from tagline.rollout.plan import Plan
from tagline.rollout.state import Phase, Verdict, error_of
from tagline.rollout.told import Decided, Progress, StepEntered, Told, WeightMoved
from tagline.words import ModelVersion, Promotion

from tests.fakes.simulated_platform import ENV, MODEL, SimulatedPlatform
from tests.unit.rollout.world import (
    CANARY,
    NEXT,
    OLDER,
    STABLE,
    changed,
    go,
    go_telling,
    platform,
    rates,
    request,
    state_of,
    weights_of,
)


def test_a_blocked_version_is_refused_before_anything_moves():
    on = platform()
    on.block(ENV, MODEL, Block(str(CANARY), "ann", "it was taken back"))
    on.effects.clear()
    with pytest.raises(Blocked, match="it was taken back"):
        go(on)
    assert on.effects == []


def test_a_block_written_while_it_takes_its_steps_takes_it_out():
    on = platform()

    def at_30_seconds(fact: Told) -> None:
        if isinstance(fact, Progress) and fact.left == 90:
            on.block(ENV, MODEL, Block(str(CANARY), "ann", "looks wrong"))

    outcome = go_telling(on, at_30_seconds)
    assert outcome.verdict is Verdict.BLOCKED
    assert isinstance(error_of(outcome), Blocked)
    assert weights_of(on) == {STABLE: 100}


def test_a_rollback_by_somebody_else_wins_and_nothing_of_it_is_undone():
    on = platform()

    def roll_back(fact: Told) -> None:
        if isinstance(fact, Progress) and fact.left == 90:
            on.set_weights(ENV, MODEL, {OLDER: 100})

    outcome = go_telling(on, roll_back)
    assert outcome.verdict is Verdict.SUPERSEDED
    assert weights_of(on) == {OLDER: 100}


def test_weights_moved_by_hand_are_set_right_again():
    on, done = platform(), []

    def by_hand(fact: Told) -> None:
        if isinstance(fact, Progress) and fact.left == 90 and not done:
            done.append(fact)
            on.set_weights(ENV, MODEL, {STABLE: 20, CANARY: 80})

    assert go_telling(on, by_hand).verdict is Verdict.LET_IN
    at = on.effects.index(f"weights {STABLE}=20 {CANARY}=80")
    assert on.effects[at + 1] == f"weights {STABLE}=90 {CANARY}=10"


def test_a_newer_promotion_takes_the_canary_out_without_a_verdict():
    on = platform()
    asked = request()
    newer = changed(asked, newer=lambda: Promotion(ENV, MODEL, 8) if on.time > 1030 else None)
    outcome = go(on, newer)
    assert isinstance(error_of(outcome), Superseded)
    assert outcome.superseded_by == Promotion(ENV, MODEL, 8)
    assert (weights_of(on), on.blocked) == ({STABLE: 100}, [])


def test_a_remote_that_does_not_answer_ends_no_rollout():
    def silent() -> Promotion | None:
        raise RemoteUnavailable("no answer in 10 s")

    assert go(platform(), changed(request(), newer=silent)).verdict is Verdict.LET_IN


def test_its_own_tag_is_not_newer():
    asked = request()
    assert go(platform(), changed(asked, newer=lambda: asked.promotion)).verdict is Verdict.LET_IN


def test_an_older_promotion_called_after_a_newer_one_touches_nothing():
    on = platform()
    go(on, request(NEXT, n=8))
    effects = list(on.effects)
    outcome = go(on, request(CANARY, n=7))
    assert (outcome.verdict, outcome.candidate) == (Verdict.SUPERSEDED, CANARY)
    assert outcome.superseded_by == Promotion(ENV, MODEL, 8)
    assert on.effects == effects
    assert state_of(on).promotion.n == 8


def test_a_model_that_does_not_load_leaves_nothing_behind():
    on = platform()
    on.does_not_load.add(CANARY)
    with pytest.raises(ModelDoesNotLoad):
        go(on)
    assert set(on.arms) == {OLDER, STABLE}
    assert weights_of(on) == {STABLE: 100}


def test_a_model_that_loads_the_second_time_is_rolled_out():
    on = platform()
    on.does_not_load.add(CANARY)
    with pytest.raises(ModelDoesNotLoad):
        go(on)
    on.does_not_load.clear()
    assert go(on).verdict is Verdict.LET_IN


def test_two_rollouts_of_one_model_at_once_are_refused():
    on = platform()
    with on.lock(ENV, MODEL), pytest.raises(Locked):
        go(on)


def test_split_traffic_that_no_rollout_explains_is_an_error():
    on = platform()
    on.set_weights(ENV, MODEL, {OLDER: 50, STABLE: 50})
    with pytest.raises(RolloutError, match="is split between"):
        go(on)


def test_a_promotion_cannot_change_its_candidate_on_the_way():
    on = interrupted_at(90)
    with pytest.raises(RolloutError, match="cannot go on with"):
        go(on, request(NEXT))


def interrupted_at(left: float, version: ModelVersion = CANARY) -> SimulatedPlatform:
    on = platform()

    def interrupt(fact: Told) -> None:
        if isinstance(fact, Progress) and fact.left == left:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        go_telling(on, interrupt, request(version))
    return on


def test_ctrl_c_sets_weight_zero_and_pauses_without_a_verdict():
    on = interrupted_at(30)
    assert weights_of(on) == {STABLE: 100}
    assert (state_of(on).phase, on.blocked, on.switch) == (Phase.PAUSED, [], None)


def test_after_ctrl_c_the_next_call_begins_at_the_first_step_and_keeps_the_evidence():
    on, told = interrupted_at(30), []
    before = state_of(on).evidence
    assert before.canary > 100
    outcome = go(on, told=told)
    assert outcome.verdict is Verdict.LET_IN
    assert [fact.weight for fact in told if isinstance(fact, StepEntered)] == [10, 25, 50]
    assert state_of(on).evidence.canary > before.canary


def test_a_blocked_version_does_not_come_back_after_a_pause():
    on = interrupted_at(30)
    on.block(ENV, MODEL, Block(str(CANARY), "ann", "looks wrong"))
    on.effects.clear()
    assert go(on).verdict is Verdict.BLOCKED
    assert on.effects == [f"remove {CANARY}"]


def test_a_newer_promotion_clears_a_paused_one_away():
    on = interrupted_at(30)
    told: list[Told] = []
    assert go(on, request(NEXT, n=8), told).verdict is Verdict.LET_IN
    verdicts = [fact.outcome.verdict for fact in told if isinstance(fact, Decided)]
    assert verdicts[-1] is Verdict.LET_IN
    assert set(on.arms) == {NEXT, STABLE}


def test_what_serves_changed_while_it_was_paused_so_it_starts_anew_against_that():
    on = interrupted_at(30)
    on.set_weights(ENV, MODEL, {OLDER: 100})
    outcome = go(on, request(serves=OLDER))
    assert (outcome.verdict, outcome.stable) == (Verdict.LET_IN, OLDER)


def test_a_platform_that_lost_its_state_is_no_place_where_nothing_ever_served():
    on = SimulatedPlatform(rates(0.0, 0.0), rate=20.0)
    with pytest.raises(PlatformError, match=f"says that {STABLE} serves .*, the platform says nothing"):
        go(on, request(serves=STABLE))
    assert (weights_of(on), on.effects) == ({}, [])


def test_a_platform_that_lost_its_state_while_a_rollout_was_paused_lets_nothing_in():
    on = interrupted_at(30)
    on.arms.clear()
    with pytest.raises(PlatformError, match="the platform says nothing"):
        go(on)
    assert weights_of(on) == {}


def test_what_serves_beside_the_ledger_is_no_stable_arm():
    on = interrupted_at(30)
    on.set_weights(ENV, MODEL, {OLDER: 100})
    with pytest.raises(PlatformError, match=f"the platform says {OLDER}"):
        go(on)
    assert weights_of(on) == {OLDER: 100}


def test_traffic_that_does_not_follow_its_weights_is_an_error_and_the_verdict_stands():
    on = platform(canary=1.0)
    on.ignores_weights = True
    with pytest.raises(PlatformError, match="still answers requests"):
        go(on)
    assert [block.version for block in on.blocked] == [str(CANARY)]
    on.ignores_weights = False
    assert go(on).verdict is Verdict.TAKEN_BACK


def test_a_saved_state_that_cannot_be_read_is_an_error_and_nothing_moves():
    on = platform()
    on.state = b'{"promotion": 3}'
    with pytest.raises(StateBroken):
        go(on)
    assert on.effects == []


def test_a_dead_man_switch_shorter_than_three_looks_is_refused():
    plan = Plan(steps=(10,), step_time=10.0, max_duration=60.0, ttl=2.0)
    with pytest.raises(ConfigError, match="three ticks"):
        go(platform(), request(plan=plan))


def test_the_warm_previous_version_can_be_promoted_again():
    on = platform()
    go(on)
    outcome = go(on, request(STABLE, n=8, serves=CANARY))
    assert (outcome.verdict, outcome.stable) == (Verdict.LET_IN, CANARY)
    assert "deploy" not in " ".join(on.effects[on.effects.index(f"weights {CANARY}=100") :])


def put_down_at_30_seconds(on: SimulatedPlatform) -> None:
    """A rollout under way when somebody takes the platform down."""

    def put_down(fact: Told) -> None:
        if isinstance(fact, Progress) and fact.left == 90:
            on.put_down = True

    with pytest.raises(PutDown):
        go_telling(on, put_down)


def test_a_platform_that_was_put_down_pauses_the_rollout_at_once_with_the_switch_due():
    on = platform()
    put_down_at_30_seconds(on)
    assert state_of(on).phase is Phase.PAUSED
    assert on.switch == (CANARY, on.time)


def test_after_the_platform_is_up_again_the_rollout_goes_on_with_its_evidence():
    on = platform()
    put_down_at_30_seconds(on)
    before = state_of(on).evidence
    on.put_down = False
    on.restart()
    on.sleep(1)
    assert weights_of(on) == {STABLE: 100}
    assert go(on).verdict is Verdict.LET_IN
    assert state_of(on).evidence.canary > before.canary > 0


def test_no_weight_moves_before_what_serves_is_ready():
    on = platform()
    on.ready_at[STABLE] = on.time + 50
    began, moved = on.time, []

    def weights(fact: Told) -> None:
        if isinstance(fact, WeightMoved):
            moved.append(on.time - began)

    assert go_telling(on, weights).verdict is Verdict.LET_IN
    assert 50 <= moved[0] < 53
