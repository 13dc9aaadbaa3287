"""A rollback killed anywhere, or kept from git, is completed by whoever comes next, and never undone."""

from pathlib import Path

import pytest
from tagline.errors import DidNotAnswer, NothingToRollBackTo, PlatformError, PushRefused
from tagline.flow.ci import run_plan
from tagline.flow.known import plan_event
from tagline.flow.promoting import answering, resolve
from tagline.flow.views.status import status

from tests.fakes.simulated_platform import ENV, MODEL, Killed
from tests.unit.flow.world import ONE, THREE, TWO, Stage, stage


def killed_at(on: Stage, number: int, to: str = "") -> bool:
    """Run a rollback that dies at this touch of the platform; False where it made fewer."""
    touched = 0

    def trip(call: str) -> None:
        nonlocal touched
        touched += 1
        if touched == number:
            raise Killed

    on.on.tripwire = trip
    try:
        on.rollback(to)
    except Killed:
        return True
    finally:
        on.on.tripwire = lambda call: None
    return False


@pytest.mark.timeout(300)
def test_a_rollback_killed_anywhere_is_completed_by_the_same_command(tmp_path: Path) -> None:
    number = 0
    while True:
        number += 1
        folder = tmp_path / str(number)
        folder.mkdir()
        on = stage(folder)
        if not killed_at(on, number):
            break
        on.rollback()
        assert (on.main, on.place.serves) == (TWO, TWO), number
        assert list(on.place.blocks) == [THREE]
        assert on.kinds().count("RolledBack") == 1
    assert number > 8


def test_a_rollback_killed_before_its_weights_goes_where_the_next_command_says(tmp_path: Path) -> None:
    on = stage(tmp_path)
    on.on.tripwire = lambda call: (_ for _ in ()).throw(Killed) if call == "set_weights" else None
    with pytest.raises(Killed):
        on.rollback(str(ONE))
    on.on.tripwire = lambda call: None
    on.rollback(str(ONE))
    assert (on.main, on.place.serves, list(on.place.blocks)) == (ONE, ONE, [THREE])


def test_a_rollback_under_a_canary_takes_back_the_canary_however_often_it_is_called(tmp_path: Path) -> None:
    on = stage(tmp_path)
    on.on.set_weights(ENV, MODEL, {TWO: 10, THREE: 90})
    on.on.tripwire = lambda call: (_ for _ in ()).throw(Killed) if call == "set_weights" else None
    with pytest.raises(Killed):
        on.rollback()
    on.on.tripwire = lambda call: None
    on.rollback()
    assert (on.main, on.place.serves, list(on.place.blocks)) == (THREE, THREE, [TWO])


def test_a_second_rollback_goes_one_version_further_and_a_third_has_nowhere_to_go(tmp_path: Path) -> None:
    on = stage(tmp_path)
    assert (on.rollback().to, on.rollback().to) == (str(TWO), str(ONE))
    with pytest.raises(NothingToRollBackTo):
        on.rollback()
    assert on.main == ONE


def unpushed(on: Stage) -> None:
    """A rollback while the remote takes nothing; from then on it takes everything again."""
    on.bare.refuse_all()
    done = on.rollback()
    assert (done.to, done.tag, done.exit_code) == (str(TWO), "", PushRefused.exit_code)
    (on.bare.path / "hooks/pre-receive").unlink()


def test_advice_after_an_unpushed_rollback_never_leads_back_to_the_bad_model(tmp_path: Path) -> None:
    on = stage(tmp_path)
    unpushed(on)
    fix = f"tagline rollback {MODEL} --env {ENV} --to {TWO}"
    with pytest.raises(PlatformError) as caught:
        resolve.agreed(on.world, on.world.state(), ENV, MODEL)
    assert caught.value.fix == fix
    assert status(on.world).next == fix
    on.rollback(str(TWO))
    assert (on.main, on.place.serves, list(on.place.blocks)) == (TWO, TWO, [THREE])


@pytest.mark.parametrize("event", ["schedule", "merge"])
def test_an_unpushed_rollback_is_recorded_by_the_next_ci(tmp_path: Path, event: str) -> None:
    on = stage(tmp_path)
    unpushed(on)
    plan = plan_event(on.world, event, None)
    first = [step for step in plan.steps if type(step).__name__ == "FinishRollback"]
    assert len(first) == 1 and plan.steps[0] == first[0]
    report = run_plan(on.world, type(plan)(plan.event, plan.ref, plan.steps[:1]))
    assert report.exit_code == 0, report.error
    assert (on.main, on.place.serves, list(on.place.blocks)) == (TWO, TWO, [THREE])
    assert all(type(step).__name__ != "FinishRollback" for step in plan_event(on.world, event, None).steps)


def test_a_second_unpushed_rollback_by_name_is_recorded_with_the_first(tmp_path: Path) -> None:
    on = stage(tmp_path)
    unpushed(on)
    assert on.rollback(str(ONE)).taken_back == str(TWO)
    assert (on.main, on.place.serves) == (ONE, ONE)
    assert set(on.place.blocks) == {TWO, THREE}
    assert on.kinds().count("RolledBack") == 2


def test_a_rollback_whose_target_does_not_answer_moves_the_traffic_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "LIMIT", 0.0)
    on = stage(tmp_path)
    on.on.mute = {TWO}
    with pytest.raises(
        DidNotAnswer, match=f"{TWO} did not answer .* nothing answers; all traffic is set to {TWO}"
    ):
        on.rollback()
    assert (on.main, on.place.serves, list(on.place.blocks)) == (TWO, TWO, [THREE])
    assert on.kinds().count("RolledBack") == 1


def test_a_rollback_asks_for_an_answer_after_it_has_moved_the_traffic(tmp_path: Path) -> None:
    on = stage(tmp_path)
    calls: list[str] = []
    on.on.tripwire = calls.append
    on.rollback()
    assert calls.index("set_weights") < calls.index("answers")


def test_an_answer_is_waited_for_no_longer_than_the_limit(tmp_path: Path) -> None:
    on = stage(tmp_path)
    serves = on.main
    assert serves
    began = on.on.now()
    on.on.unavailable_until = began + answering.LIMIT / 2
    assert answering.see_answer(on.world, ENV, MODEL, serves, on.on) is None
    assert on.on.now() - began < answering.LIMIT
    on.on.mute = {serves}
    began = on.on.now()
    assert isinstance(answering.see_answer(on.world, ENV, MODEL, serves, on.on), DidNotAnswer)
    assert answering.LIMIT <= on.on.now() - began < answering.LIMIT + 2


def test_an_interrupted_rollback_to_a_version_that_does_not_answer_ends_with_the_same_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "LIMIT", 0.0)
    on = stage(tmp_path)
    unpushed(on)
    on.on.mute = {TWO}
    plan = plan_event(on.world, "schedule", None)
    report = run_plan(on.world, type(plan)(plan.event, plan.ref, plan.steps[:1]))
    assert report.exit_code == DidNotAnswer.exit_code
    assert (on.main, on.place.serves, list(on.place.blocks)) == (TWO, TWO, [THREE])
