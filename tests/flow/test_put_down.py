"""A person takes the local platform down in the middle of a rollout: nobody starts it again behind their back."""

from tests.flow.stage import Desk, finish, traffic
from tests.flow.test_bad_serving import SECOND, act, canary_weight
from tests.unit.sandbox.test_run import eventually


def test_down_pauses_a_rollout_and_up_lets_it_go_on(two: Desk) -> None:
    assert two.tagline("promote", "tiny", "--to", "prod").code == 0
    assert two.tagline("local", "up").code == 0
    with traffic(two, rate=60):
        child = two.start("ci", "--event", "tag", "--ref", SECOND)
        assert eventually(lambda: canary_weight(two) > 0 or child.poll() is not None, 120)
        assert two.tagline("local", "down").code == 0
        paused = finish(child, 60)
    assert paused.code == 86, paused
    assert "somebody took the local platform down" in paused.err
    assert "tagline local up" in paused.err.partition("fix:")[2]
    assert two.processes() == []
    assert two.kinds().count("promoted") == 1
    assert two.tagline("local", "up").code == 0
    assert canary_weight(two) == 0
    with traffic(two, rate=80):
        ended = act(two, SECOND)
    assert ended.code == 0, ended
    assert two.kinds().count("promoted") == 2
