"""What comes back after `kill -9`, and what clients notice."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
from tagline.platforms.local.rollouts import LocalRollouts
from tagline.platforms.local.serving import procs, status
from tagline.platforms.local.serving.wire import Phase

from tests.contract.serving.conftest import UP, V1, V2, Place, eventually, under_load

STABLE = "prod/wine/v0-1-0-r1"
CANARY = "prod/wine/v0-2-0-r1"


def comes_back(place: Place, name: str, killed: procs.Identity) -> float:
    """Seconds until another process under this name is ready."""

    def back() -> bool:
        found = [one for one in status(place.home).processes if one.name == name]
        return bool(found) and found[0].phase is Phase.READY and found[0].pid not in (0, killed.pid)

    return eventually(back, limit=60.0)


def kill(identity: procs.Identity) -> procs.Identity:
    os.kill(identity.pid, signal.SIGKILL)
    return identity


def test_a_killed_model_server_comes_back_and_status_counts_it(warm: Place) -> None:
    comes_back(warm, STABLE, kill(warm.identity(STABLE)))
    assert warm.predict() == (200, b'{"predictions":[1.0]}', "0.1.0-r1")
    shown = next(one for one in status(warm.home).processes if one.name == STABLE)
    assert shown.restarts >= 1


def test_a_killed_canary_costs_no_client_an_answer(warm: Place) -> None:
    warm.serving.set_weights("prod", "wine", {V1: 50, V2: 50})
    with under_load(warm) as seen:
        time.sleep(0.2)
        comes_back(warm, CANARY, kill(warm.identity(CANARY)))
    assert (seen.lost, seen.bad()) == ([], [])
    assert warm.serving.counts("prod", "wine").arms[str(V2)].kinds["reset"] > 0


def test_a_killed_router_comes_back_with_its_weights_and_another_generation(warm: Place) -> None:
    warm.serving.set_weights("prod", "wine", {V2: 100})
    before = warm.serving.counts("prod", "wine").generation
    comes_back(warm, "router", kill(warm.identity("router")))
    assert warm.predict()[2] == "0.2.0-r1"
    after = warm.serving.counts("prod", "wine").generation
    assert before.split(".")[0] != after.split(".")[0]
    assert before.split(".")[1] == after.split(".")[1]


def test_a_killed_supervisor_comes_back_by_itself_and_takes_over_what_runs(warm: Place) -> None:
    servers = [warm.identity(name) for name in (STABLE, CANARY, "router")]
    with under_load(warm) as seen:
        comes_back(warm, "supervisor", kill(warm.identity("supervisor")))
        eventually(lambda: warm.serving.route("prod", "wine").arms[0].ready)
    assert [warm.identity(name) for name in (STABLE, CANARY, "router")] == servers
    assert (seen.lost, seen.bad()) == ([], [])


def test_a_command_brings_everything_back_after_router_and_supervisor_were_killed(warm: Place) -> None:
    servers = [warm.identity(name) for name in (STABLE, CANARY)]
    killed = [warm.identity(name) for name in ("supervisor", "router")]
    for one in killed:
        kill(one)
    eventually(lambda: not any(procs.alive(one) for one in killed))
    warm.serving.set_weights("prod", "wine", {V2: 100})
    assert warm.predict()[2] == "0.2.0-r1"
    assert [warm.identity(name) for name in (STABLE, CANARY)] == servers


def test_the_platform_outlives_the_command_that_started_it_and_its_group(place: Place) -> None:
    child = subprocess.Popen([sys.executable, "-c", UP, str(place.home)], start_new_session=True)
    assert child.wait(timeout=60) == 0
    assert status(place.home).up
    with_terminal = [one for one in procs.marked(place.home) if os.getsid(one.pid) == os.getsid(0)]
    assert with_terminal == []
    assert not any(_pipes(one.pid) for one in procs.marked(place.home))


def _pipes(pid: int) -> list[str]:
    """What a process has as stdin, stdout and stderr that is neither a file nor /dev/null."""
    targets = [os.readlink(f"/proc/{pid}/fd/{number}") for number in (0, 1, 2)]
    return [target for target in targets if not target.startswith("/")]


HOLDER = """
import sys, time
from pathlib import Path
from tagline.platforms.local.rollouts import LocalRollouts
from tagline.words import ModelVersion
rollouts = LocalRollouts(Path(sys.argv[1]))
with rollouts.lock("prod", "wine"):
    rollouts.save("prod", "wine", b"step 1", canary=ModelVersion.parse("0.2.0-r1"), ttl=float(sys.argv[2]))
    print("held", flush=True)
    time.sleep(600)
"""


def killed_holder(home: Path, ttl: float) -> None:
    """A command that held the rollout, armed the switch, and was killed."""
    argv = [sys.executable, "-c", HOLDER, str(home), str(ttl)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        child.kill()


def test_the_watchdog_takes_the_canary_of_a_killed_holder_to_0_after_its_ttl(warm: Place) -> None:
    warm.serving.set_weights("prod", "wine", {V1: 75, V2: 25})
    rollouts = LocalRollouts(warm.home)
    with under_load(warm) as seen:
        killed_holder(warm.home, ttl=2.0)
        time.sleep(1.0)
        assert warm.serving.route("prod", "wine").weight(V2) == 25
        eventually(lambda: warm.serving.route("prod", "wine").weight(V2) == 0, limit=5.0)
    assert warm.serving.route("prod", "wine").weight(V1) == 100
    assert warm.predict()[2] == "0.1.0-r1"
    assert "nobody continued the rollout of 0.2.0-r1" in (rollouts.paused("prod", "wine") or "")
    assert rollouts.load("prod", "wine") == b"step 1"
    assert (seen.lost, seen.bad()) == ([], [])


def test_the_watchdog_fires_even_when_the_supervisor_was_killed_too(warm: Place) -> None:
    warm.serving.set_weights("prod", "wine", {V1: 90, V2: 10})
    killed_holder(warm.home, ttl=1.0)
    kill(warm.identity("supervisor"))
    eventually(lambda: warm.serving.route("prod", "wine").weight(V2) == 0, limit=15.0)
    assert warm.predict()[2] == "0.1.0-r1"


def test_the_watchdog_leaves_a_rollout_alone_that_is_saved_in_time_or_disarmed(warm: Place) -> None:
    warm.serving.set_weights("prod", "wine", {V1: 90, V2: 10})
    rollouts = LocalRollouts(warm.home)
    with rollouts.lock("prod", "wine"):
        for _ in range(5):
            rollouts.save("prod", "wine", b"going on", canary=V2, ttl=1.0)
            time.sleep(0.4)
        rollouts.save("prod", "wine", b"done", canary=None, ttl=0.0)
    time.sleep(1.5)
    assert warm.serving.route("prod", "wine").weight(V2) == 10
    assert rollouts.paused("prod", "wine") is None


def test_a_process_that_no_record_names_is_ended_by_the_next_supervisor(warm: Place) -> None:
    stray = subprocess.Popen(
        ["sleep", "600"], env={"TAGLINE_PLATFORM": str(warm.home)}, start_new_session=True
    )
    killed = kill(warm.identity("supervisor"))
    comes_back(warm, "supervisor", killed)
    assert stray.wait(timeout=10) == -signal.SIGKILL
    assert msgspec.json.decode((warm.home / "serving/processes.json").read_bytes())["schema"] == 1


def test_a_server_that_keeps_dying_is_started_ever_later_and_status_says_so(place: Place) -> None:
    place.serve(V1)
    model = place.spec(V1).model
    model.write_text("broken")
    kill(place.identity(STABLE))

    def waits() -> bool:
        shown = next((one for one in status(place.home).processes if one.name == STABLE), None)
        return shown is not None and shown.restarts >= 2 and "starts again in" in shown.note

    eventually(waits, limit=60.0)
    assert place.predict()[0] == 502
    place.spec(V1)
    place.serving.deploy("prod", place.spec(V1))
    assert place.predict()[0] == 200
