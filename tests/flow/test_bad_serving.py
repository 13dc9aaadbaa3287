"""Serving that cannot be, and a rollout that is interrupted: what serves stays, and the next call knows why."""

import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tagline.platforms.local.serving.ports import free_port

from tests.flow.stage import Desk, Result, copied, finish, predict, traffic
from tests.hosts.cancelling import Child, jenkins

SECOND = "promote/prod/tiny/2"
let_in_together = pytest.mark.xdist_group("let in")
ONLY_HERE = """    def load(self, path):
        import sys

        if sys.modules["__main__"].__spec__.name == "tagline_task.serve":
            raise ValueError("these weights need a GPU")
"""


def act(desk: Desk, tag: str) -> Result:
    return desk.tagline("ci", "--event", "tag", "--ref", tag)


@pytest.fixture(scope="module")
def let_in_once(two_once: Desk, tmp_path_factory: pytest.TempPathFactory) -> tuple[Desk, list[Result]]:
    """0.2.0-r1 promoted to prod: interrupted by Ctrl-C and by Jenkins on the way, then let in; the platform
    put down."""
    desk = copied(two_once, tmp_path_factory.mktemp("let-in") / "desk")
    assert desk.tagline("promote", "tiny", "--to", "prod").code == 0
    try:
        assert desk.tagline("local", "up").code == 0
        with traffic(desk, rate=80):
            ends = [interrupted(desk), desk.tagline("status", "--json")]
            ends += [interrupted(desk, jenkins), desk.tagline("status", "--json"), act(desk, SECOND)]
    finally:
        desk.close()
    return desk, ends


def ctrl_c(child: Child) -> None:
    child.send_signal(signal.SIGINT)


def interrupted(desk: Desk, stop: Callable[[Child], None] = ctrl_c) -> Result:
    """The end of a rollout that is stopped once its canary has answered requests."""
    child = desk.start("ci", "--event", "tag", "--ref", SECOND)
    until = time.monotonic() + 120
    while canary_weight(desk) == 0 and child.poll() is None and time.monotonic() < until:
        time.sleep(0.2)
    time.sleep(2)
    stop(child)
    return finish(child, 60)


def canary_weight(desk: Desk) -> int:
    from tagline.platforms.local.serving import LocalServing
    from tagline.words import ModelVersion

    return LocalServing(desk.home).route("prod", "tiny").weight(ModelVersion.parse("0.2.0-r1"))


@pytest.fixture
def let_in(let_in_once: tuple[Desk, list[Result]], tmp_path: Path) -> Iterator[Desk]:
    """0.2.0-r1 serves prod after 0.1.0-r1, as recorded; the platform is down."""
    made = copied(let_in_once[0], tmp_path / "desk")
    yield made
    made.close()


@let_in_together
@pytest.mark.parametrize(("first", "code"), [(0, 130), (2, 143)], ids=["ctrl-c", "jenkins"])
def test_an_interrupt_takes_the_canary_out_and_decides_nothing(
    first: int, code: int, let_in_once: tuple[Desk, list[Result]]
) -> None:
    stopped, between = let_in_once[1][first : first + 2]
    assert stopped.code == code
    assert "interrupted" in stopped.err
    place = next(one for one in between.json()["places"] if one["env"] == "prod")
    assert place["weights"] == {"0.1.0-r1": 100, "0.2.0-r1": 0}
    assert place["asked_open"] is True
    assert place["blocked"] == {}


@let_in_together
def test_the_next_call_goes_on_with_the_evidence_it_had(let_in_once: tuple[Desk, list[Result]]) -> None:
    desk, (*_, ended) = let_in_once
    assert ended.code == 0, ended
    resumed = re.search(r"going on where an earlier call stopped: .*, ([0-9]+) responses known", ended.out)
    assert resumed is not None, ended
    assert int(resumed[1]) > 0
    assert desk.kinds().count("promoted") == 2
    assert desk.kinds()[-1] == "promoted"


@let_in_together
def test_rollback_goes_back_at_once_blocks_and_again_finds_nothing_before(let_in: Desk) -> None:
    assert let_in.tagline("local", "up").code == 0
    assert predict(let_in, 45) == [0]
    back = let_in.tagline("rollback", "tiny", "--env", "prod", "--reason", "complaints")
    assert back.code == 0, back
    assert "0.1.0-r1 serves tiny in prod" in back.out
    assert "0.2.0-r1 was taken back and is blocked there" in back.out
    assert predict(let_in, 45) == [1]
    assert let_in.kinds()[-1] == "rolled back"
    again = let_in.tagline("rollback", "tiny", "--env", "prod")
    assert again.code == 74, again
    blocked = let_in.tagline("promote", "tiny", "--to", "prod", "--version", "0.2.0-r1")
    assert blocked.code == 73
    assert "0.2.0-r1 is blocked in prod: Ada took it back: complaints" in blocked.err
    assert "fix:   tagline unblock tiny 0.2.0-r1 --env prod --reason" in blocked.err
    before = let_in.refs()
    unblock = ["unblock", "tiny", "0.2.0-r1", "--env", "prod", "--reason", "was the network"]
    lifted = let_in.tagline(*unblock)
    assert (lifted.code, lifted.out) == (0, "0.2.0-r1 may be promoted to prod again\n")
    assert let_in.kinds()[-1] == "unblocked"
    assert let_in.tagline(*unblock).out == "nothing to do: 0.2.0-r1 is not blocked in prod\n"
    assert let_in.refs() != before
    asked = let_in.tagline("promote", "tiny", "--to", "prod", "--version", "0.2.0-r1")
    assert asked.code == 0, asked


@let_in_together
def test_a_rollback_whose_push_is_refused_moves_the_weights_all_the_same(let_in: Desk) -> None:
    assert let_in.tagline("local", "up").code == 0
    let_in.bare.refuse_all()
    before = let_in.refs()
    back = let_in.tagline("rollback", "tiny", "--env", "prod")
    assert back.code == 17, back
    assert "not in git yet: the remote refused the push" in back.out
    assert predict(let_in, 45) == [1]
    assert let_in.refs() == before
    (let_in.bare.path / "hooks/pre-receive").unlink()
    again = let_in.tagline("rollback", "tiny", "--env", "prod", "--to", "0.1.0-r1")
    assert again.code == 0, again
    assert "recorded as promote/prod/tiny/3" in again.out
    assert let_in.place()["disagree"] == []


def test_a_model_that_the_server_cannot_load_ends_its_promotion_and_nothing_moves(served: Desk) -> None:
    served.change("src/serve.py", "    def load(self, path):\n", ONLY_HERE)
    served.merge("feat: another way to load")
    assert served.tagline("ci").code == 0
    assert served.tagline("local", "up").code == 0  # what serves is ready before the other one fails
    assert served.tagline("promote", "tiny", "--to", "prod").code == 0
    found = act(served, SECOND)
    assert found.code == 82, found
    assert "prod/tiny/v0-2-0-r1 does not load" in found.err
    assert "fix:   mend the model or its predictor" in found.err
    assert served.kinds()[-1] == "failed"
    place = served.place()
    assert place["serves"] == place["decided"] == "0.1.0-r1"
    assert place["weights"] == {"0.1.0-r1": 100}
    assert place["asked_open"] is False
    before = served.refs()
    again = served.tagline("ci", "--event", "schedule")
    assert again.code == 0
    assert "nothing to do" in again.out
    assert served.refs() == before
    assert predict(served, 45) == [1]


def test_a_model_that_the_gate_cannot_load_is_no_verdict_and_nothing_moves(released: Desk) -> None:
    released.change("src/serve.py", '["threshold"]', '["treshold"]')
    released.merge("feat: misspelt")
    assert released.tagline("ci").code == 0
    assert released.tagline("promote", "tiny", "--to", "prod").code == 0
    found = act(released, "promote/prod/tiny/1")
    assert found.code == 60
    assert "the candidate model's predictor (tiny 0.2.0-r1)" in found.err
    assert "KeyError" in found.err or "treshold" in found.err
    assert released.kinds()[-1] == "asked"
    assert not (released.home / "serving/processes.json").exists()


def test_a_port_that_is_taken_is_named_with_the_variable_that_changes_it(served: Desk) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        found = served.tagline("local", "up", TAGLINE_PORT=str(port))
        assert found.code == 81, found
        assert str(port) in found.err
        assert "TAGLINE_PORT" in found.err.partition("fix:")[2]
    assert served.processes() == []
    up = served.tagline("local", "up", TAGLINE_PORT=str(free_port()))
    assert up.code == 0, up


def test_a_promotion_whose_port_is_taken_stays_open_and_goes_on_later(released: Desk) -> None:
    assert released.tagline("promote", "tiny", "--to", "prod").code == 0
    with socket.socket() as other:
        other.bind(("127.0.0.1", released.port))
        other.listen()
        found = act(released, "promote/prod/tiny/1")
        assert found.code == 81, found
        assert "TAGLINE_PORT" in found.err.partition("fix:")[2]
    assert released.kinds()[-1] == "gated"
    assert act(released, "promote/prod/tiny/1").code == 0
    assert released.kinds().count("gated") == 1
    assert released.kinds()[-1] == "promoted"
    assert predict(released, 45) == [1]


def test_two_calls_at_once_on_one_tag_act_once(released: Desk) -> None:
    tag = "promote/prod/tiny/1"
    assert released.tagline("promote", "tiny", "--to", "prod").code == 0
    calls: list[subprocess.Popen[str]] = [
        released.start("ci", "--event", "tag", "--ref", tag) for _ in range(2)
    ]
    first, second = sorted((finish(call) for call in calls), key=lambda one: (one.code, "nothing" in one.out))
    assert first.code == 0, first
    assert second.code in {0, 75}, second
    if second.code == 75:
        assert "prod" in second.err
    else:
        assert f"{tag} ended before: promoted" in second.out
    assert [released.kinds().count(kind) for kind in ("asked", "gated", "promoted")] == [1, 1, 1]
