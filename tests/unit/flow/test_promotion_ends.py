"""The end of a promotion: written down once, whatever was killed, overtaken or rolled back in between."""

from pathlib import Path
from typing import Any

import pytest
from tagline.errors import (
    Blocked,
    GateRefused,
    LedgerError,
    PlatformError,
    RolloutInconclusive,
    TaglineError,
    TakenBack,
)
from tagline.flow.ci import run_plan
from tagline.flow.known import plan_event
from tagline.flow.promoting.asking import Ask, promote
from tagline.flow.promoting.promotion import promote_step
from tagline.flow.report import Outcome
from tagline.flow.views.status import status
from tagline.git import events as ev
from tagline.git.ledger import Batch
from tagline.git.state import Status
from tagline.words import Promotion

from tests.fakes.simulated_platform import ENV, MODEL
from tests.unit.flow.world import ONE, THREE, TWO, Stage, promoted, stage


def overtaken(tmp_path: Path, canary_bad: float = 0.0) -> tuple[Stage, Promotion]:
    """Promotion 2 has its verdict on the platform, its process was killed, and a newer tag was pushed."""
    on = stage(tmp_path, served=1)
    on.on.bad_rate = lambda version, now: canary_bad if version == TWO else 0.0
    second = on.ask(2, TWO)
    on.roll_out(second, TWO)
    on.clone.tag(f"promote/{ENV}/{MODEL}/3", message=f"x\n\nModel-Version: {THREE}\n")
    on.world.refresh()
    return on, second


def test_a_decided_promotion_that_was_overtaken_is_promoted_not_superseded(tmp_path: Path) -> None:
    on, second = overtaken(tmp_path)
    assert promote_step(on.world, second).outcome is Outcome.DONE
    assert (on.status(2), on.place.serves, on.main) == (Status.PROMOTED, TWO, TWO)


def test_a_promotion_that_was_taken_back_and_overtaken_is_rolled_back_not_superseded(tmp_path: Path) -> None:
    on, second = overtaken(tmp_path, canary_bad=0.5)
    with pytest.raises(TakenBack):
        promote_step(on.world, second)
    assert (on.status(2), on.place.serves, list(on.place.blocks)) == (Status.ROLLED_BACK, ONE, [TWO])


def test_what_was_let_in_and_rolled_back_before_it_was_written_is_never_promoted(tmp_path: Path) -> None:
    on = stage(tmp_path, served=1)
    second = on.ask(2, TWO)
    on.roll_out(second, TWO)
    assert on.rollback().to == str(ONE)
    with pytest.raises(Blocked):
        promote_step(on.world, second)
    assert (on.status(2), on.place.serves, on.main) == (Status.FAILED, ONE, ONE)


def test_the_ledger_refuses_to_promote_what_is_blocked_there(tmp_path: Path) -> None:
    on = stage(tmp_path, served=1)
    on.ask(2, TWO)
    back = ev.RolledBack(
        env=ENV, model=MODEL, n=3, taken_back=str(TWO), to=str(ONE), by=ev.By.PERSON, why="bad"
    )
    on.world.append(lambda state: Batch(events=[back]))
    with pytest.raises(LedgerError, match="blocked"):
        on.world.append(lambda state: Batch(events=[promoted(2, TWO)]))


PLACE: dict[str, Any] = {"env": ENV, "model": MODEL, "n": 2}
REFUSED = ev.Gated(**PLACE, verdict=ev.Verdict.REFUSED, why="3 rows worse")
GOOD = ev.Gated(**PLACE, verdict=ev.Verdict.PASSED, why="good")
BACK = ev.RolledBack(**PLACE, taken_back=str(TWO), to=str(ONE), by=ev.By.CANARY, why="9 bad of 10")
OPEN = ev.Inconclusive(**PLACE, why="needs 90 more requests")


@pytest.mark.parametrize(
    ("ending", "kind", "words"),
    [
        ([REFUSED], GateRefused, "3 rows worse"),
        ([GOOD, BACK], TakenBack, "9 bad of 10"),
        ([GOOD, OPEN], RolloutInconclusive, "needs 90 more"),
    ],
)
def test_the_job_of_a_failed_promotion_stays_red_when_it_is_run_again(
    tmp_path: Path, ending: list[ev.AnyEvent], kind: type[TaglineError], words: str
) -> None:
    on = stage(tmp_path, served=1)
    tag = on.clone.tag(f"promote/{ENV}/{MODEL}/2", message=f"x\n\nModel-Version: {TWO}\n")
    asked = ev.Asked(**PLACE, tag=tag, commit=on.clone.head(), model_version=str(TWO), reason="")
    on.world.refresh()
    on.world.append(lambda state: Batch(events=[asked, *ending]))
    before = on.kinds()
    report = run_plan(on.world, plan_event(on.world, "tag", f"promote/{ENV}/{MODEL}/2"))
    assert report.exit_code == kind.exit_code and words in report.error
    assert on.kinds() == before and on.main == ONE


def test_a_rollback_by_hand_is_no_failure_of_its_tags_job(tmp_path: Path) -> None:
    on = stage(tmp_path)
    tag = on.rollback().tag
    report = run_plan(on.world, plan_event(on.world, "tag", tag))
    assert (report.exit_code, report.nothing_done) == (0, True)


def test_a_malformed_tag_stops_nobody_elses_promotion_and_is_named_by_status(tmp_path: Path) -> None:
    on = stage(tmp_path, served=1)
    bad = f"promote/{ENV}/{MODEL}/test"
    on.clone.tag(bad)
    on.world.refresh()
    assert promote(on.world, Ask(MODEL, ENV, str(TWO))).tag == f"promote/{ENV}/{MODEL}/2"
    assert status(on.world).unreadable == [bad]
    assert plan_event(on.world, "schedule", None).steps
    with pytest.raises(TaglineError, match="test"):
        plan_event(on.world, "tag", bad)


def test_promote_does_not_say_served_already_while_the_platform_serves_something_else(tmp_path: Path) -> None:
    on = stage(tmp_path)
    on.on.set_weights(ENV, MODEL, {ONE: 100})
    with pytest.raises(PlatformError, match=f"the ledger says that {THREE}"):
        promote(on.world, Ask(MODEL, ENV, str(THREE)))


def test_status_never_advises_to_ask_again_for_what_the_gate_refused(tmp_path: Path) -> None:
    on = stage(tmp_path, served=2)
    assert status(on.world).next.endswith(f"--version {THREE}")
    promotion = Promotion(ENV, MODEL, 3)
    place: dict[str, Any] = {"env": ENV, "model": MODEL, "n": 3}
    on.clone.tag(str(promotion), message=f"Promote\n\nModel-Version: {THREE}\n")
    on.world.refresh()
    tag = on.world.facts.tags[str(promotion)].object
    asking = ev.Asked(**place, tag=tag, commit=on.clone.head(), model_version=str(THREE), reason="")
    refused = ev.Gated(**place, verdict=ev.Verdict.REFUSED, why="worse")
    on.world.append(lambda state: Batch(events=[asking, refused]))
    assert status(on.world).next == "tagline history"
