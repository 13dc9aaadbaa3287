"""Up, down, status and logs of the whole platform."""

import http.server
import os
import shutil
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tagline.errors import PortTaken, PutDown, StateBroken, UnknownName
from tagline.platforms.local.rollouts import LocalRollouts
from tagline.platforms.local.serving import LocalServing, down, logs, ports, procs, status, up
from tagline.platforms.local.serving.paths import Paths

from tests.contract.serving.conftest import UP, V1, V2, Place, eventually


def test_down_leaves_no_process_port_socket_or_lock_and_up_restores_what_served(place: Place) -> None:
    place.serve(V1)
    running = procs.marked(place.home)
    assert len(running) == 3
    down(place.home)
    assert not any(procs.alive(one) for one in running)
    assert ports.is_free(place.port)
    assert sorted(os.listdir(place.home / "serving")) == ["logs", "state.json"]
    route = place.serving.route("prod", "wine")
    assert (route.up, route.main, route.arms[0].ready) == (False, V1, False)
    assert up(place.home).up
    assert place.predict() == (200, b'{"predictions":[1.0]}', "0.1.0-r1")


def test_who_needs_the_platform_all_along_does_not_start_it_again_after_down(place: Place) -> None:
    serving = place.serving
    place.serve(V1)
    serving.counts("prod", "wine")
    down(place.home)
    with pytest.raises(PutDown) as caught:
        serving.counts("prod", "wine")
    assert caught.value.fix.startswith("tagline local up")
    assert procs.marked(place.home) == []
    assert place.serving.counts("prod", "wine").requests == 0  # a new command may start it


def test_a_canary_left_behind_by_down_takes_no_request_after_up(place: Place) -> None:
    place.serve(V1)
    place.serving.deploy("prod", place.spec(V2))
    place.serving.set_weights("prod", "wine", {V1: 50, V2: 50})
    rollouts = LocalRollouts(place.home)
    down(place.home)
    rollouts.save("prod", "wine", b"{}", canary=V2, ttl=0.0)
    up(place.home)
    assert place.serving.route("prod", "wine").weight(V2) == 0
    assert {place.predict()[2] for _ in range(20)} == {str(V1)}
    assert str(V2) not in [
        version for version, arm in place.serving.counts("prod", "wine").arms.items() if arm.served
    ]


def test_down_again_or_of_a_home_that_never_was_does_nothing(place: Place) -> None:
    down(place.home)
    assert not place.home.exists()
    up(place.home)
    down(place.home)
    down(place.home)
    assert not status(place.home).up


def test_down_ends_what_is_left_when_the_supervisor_was_killed(place: Place) -> None:
    up(place.home)
    for one in (place.identity("supervisor"), place.identity("router")):
        os.kill(one.pid, 9)
    down(place.home)
    assert procs.marked(place.home) == []
    assert ports.is_free(place.port)


def test_a_platform_whose_home_was_deleted_ends_by_itself_and_makes_no_new_one(place: Place) -> None:
    place.serve(V1)
    running = procs.marked(place.home)
    shutil.rmtree(place.home)
    eventually(lambda: not any(procs.alive(one) for one in running))
    assert ports.is_free(place.port)
    assert not place.home.exists()


def test_a_platform_whose_home_was_deleted_leaves_the_next_one_of_that_name_alone(place: Place) -> None:
    up(place.home)
    running = procs.marked(place.home)
    shutil.rmtree(place.home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TAGLINE_PORT", str(ports.free_port()))
        up(place.home)
        eventually(lambda: not any(procs.alive(one) for one in running))
        assert status(place.home).up
        assert len(procs.marked(place.home)) == 2


def test_up_twice_at_once_gives_one_platform(place: Place) -> None:
    commands = [subprocess.Popen([sys.executable, "-c", UP, str(place.home)]) for _ in range(3)]
    assert [command.wait(timeout=60) for command in commands] == [0, 0, 0]
    eventually(lambda: len(procs.marked(place.home)) == 2)


@contextmanager
def another_program() -> Iterator[int]:
    """A program that listens on a port: this one."""
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_port_that_another_program_has_is_named_with_the_program_and_nothing_is_left(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    with another_program() as port:
        monkeypatch.setenv("TAGLINE_PORT", str(port))
        with pytest.raises(PortTaken) as caught:
            place.serving.set_weights("prod", "wine", {})
    assert f"port {port} is taken by pid {os.getpid()} (" in caught.value.what
    assert "TAGLINE_PORT" in caught.value.fix
    assert caught.value.exit_code == 81
    assert procs.marked(place.home) == []


def test_a_home_too_deep_for_a_socket_gets_a_short_private_one(place: Place) -> None:
    place.home = place.home / ("deep" * 30)
    up(place.home)
    sockets = [Paths(place.home).admin, Paths(place.home).control]
    assert all(str(path).startswith(f"/tmp/tagline-{os.getuid()}/") for path in sockets)
    assert stat.S_IMODE(sockets[0].parent.stat().st_mode) == 0o700
    down(place.home)
    assert not any(path.exists() for path in sockets)


def test_sockets_are_for_their_owner_alone(place: Place) -> None:
    up(place.home)
    paths = Paths(place.home)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (paths.admin, paths.control)] == [0o600, 0o600]


def test_a_broken_state_file_is_named_and_kept(place: Place) -> None:
    file = place.home / "serving/state.json"
    file.parent.mkdir(parents=True)
    file.write_text('{"schema": 1, "rou')
    for call in (lambda: up(place.home), place.serving.routes):
        with pytest.raises(StateBroken, match="not readable") as caught:
            call()
        assert caught.value.where == str(file)
    assert file.read_text() == '{"schema": 1, "rou'
    assert procs.marked(place.home) == []


def test_a_state_of_a_newer_layout_is_refused(place: Place) -> None:
    file = place.home / "serving/state.json"
    file.parent.mkdir(parents=True)
    file.write_text('{"schema": 99}')
    with pytest.raises(StateBroken, match="layout 99"):
        up(place.home)


def test_a_supervisor_of_another_version_is_replaced_and_the_router_with_it(
    place: Place, tmp_path: Path
) -> None:
    other = tmp_path / "other/sitecustomize.py"
    other.parent.mkdir()
    other.write_text("import tagline\ntagline.__version__ = '0.0.9'\n")
    env = {**os.environ, "PYTHONPATH": str(other.parent)}
    subprocess.run([sys.executable, "-c", UP, str(place.home)], env=env, timeout=90, check=True)
    old = [place.identity("supervisor"), place.identity("router")]
    assert status(place.home).version == "0.0.9"
    up(place.home)
    assert status(place.home).version != "0.0.9"
    assert not any(procs.alive(one) for one in old)


def test_logs_are_found_by_the_names_that_status_shows(place: Place) -> None:
    up(place.home)
    assert [tail.name for tail in logs(place.home)] == ["router", "supervisor"]
    assert "router" in logs(place.home, "supervisor")[0].text
    with pytest.raises(UnknownName, match="unknown log 'rooter'"):
        logs(place.home, "rooter")


def test_reading_starts_nothing(place: Place) -> None:
    assert LocalServing(place.home).routes() == []
    assert not status(place.home).up
    assert procs.marked(place.home) == []
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", place.port)) != 0
