"""The git host is away: the traffic can still be moved back, and what was last seen of it is still shown."""

import pytest

from tests.flow.stage import Desk


@pytest.fixture
def retrained(served: Desk) -> Desk:
    """0.1.0-r1 serves prod, 0.1.0-r2 is registered."""
    done = served.tagline("train", "--release", "0.1.0")
    assert done.code == 0, done
    return served


def test_a_rollback_moves_the_traffic_at_once_and_is_recorded_when_the_remote_is_back(
    retrained: Desk,
) -> None:
    gone = retrained.bare.path.rename(retrained.folder / "gone.git")
    found = retrained.tagline("rollback", "tiny", "--env", "prod", "--to", "0.1.0-r2")
    assert found.code == 16, found
    assert "0.1.0-r2 serves tiny in prod" in found.out
    assert "going on with what was seen at" in found.out
    shown = retrained.tagline("status", "--json")
    assert shown.code == 0, shown
    status = shown.json()
    prod = next(one for one in status["places"] if one["env"] == "prod")
    assert (prod["decided"], prod["serves"], status["offline"]) == ("0.1.0-r1", "0.1.0-r2", True)
    gone.rename(retrained.bare.path)
    assert retrained.tagline("ci", "--event", "schedule").code == 0
    assert retrained.kinds()[-1] == "rolled back"
    assert retrained.place()["decided"] == "0.1.0-r2"


def test_status_and_history_show_what_was_last_seen_and_say_so(released: Desk) -> None:
    assert released.tagline("status").code == 0
    released.bare.path.rename(released.folder / "gone.git")
    shown = released.tagline("status")
    assert shown.code == 0, shown
    assert "going on with what was seen at" in shown.out
    assert "the remote does not answer: this is what was last seen of it" in shown.out
    assert "0.1.0-r1" in shown.out
    assert "trained" in released.tagline("history", "--json").out


def test_a_clone_that_never_saw_the_remote_has_nothing_to_show(desk: Desk) -> None:
    desk.bare.path.rename(desk.folder / "gone.git")
    found = desk.tagline("status")
    assert found.code == 16
    assert "there is no repository at the remote's address" in found.err
