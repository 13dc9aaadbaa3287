"""Processes, ports, files and logs of the platform."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tagline.errors import PlatformError
from tagline.platforms.local.serving import logfiles, paths, ports, procs
from tagline.platforms.local.serving.paths import Paths


def test_a_process_is_itself_and_no_other() -> None:
    identity = procs.identify(os.getpid())
    assert identity is not None
    assert procs.alive(identity)
    assert not procs.alive(procs.Identity(identity.pid, identity.start + 1))
    assert not procs.alive(None)


def test_a_zombie_is_not_alive() -> None:
    child = subprocess.Popen(["true"])
    identity = procs.identify(child.pid)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not procs.alive(identity)
    child.wait()


def test_a_name_with_brackets_and_spaces_does_not_hide_the_start_time(tmp_path: Path) -> None:
    strange = tmp_path / "a) R (b"
    strange.symlink_to("/bin/sleep")
    child = subprocess.Popen([str(strange), "60"])
    try:
        assert procs.alive(procs.identify(child.pid))
    finally:
        child.kill()
        child.wait()


def test_all_processes_of_a_home_are_found_and_ended_also_those_that_do_not_listen(tmp_path: Path) -> None:
    stubborn = (
        "import signal as s, time; s.signal(s.SIGTERM, s.SIG_IGN); print(1, flush=True); time.sleep(99)"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", stubborn],
        env={procs.MARK: str(tmp_path)},
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert child.stdout is not None
    child.stdout.readline()
    assert [one.pid for one in procs.marked(tmp_path)] == [child.pid]
    procs.end_all(tmp_path, grace=0.2)
    assert child.wait(timeout=5) == -signal.SIGKILL
    assert procs.marked(tmp_path) == []


def test_a_process_with_a_home_of_its_own_runs_in_the_sandbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET", "x")
    print_all = "import json, os; print(json.dumps(dict(os.environ)), open('/proc/self/status').read())"
    env = {procs.MARK: str(tmp_path)}
    launch = procs.Launch(
        [sys.executable, "-c", print_all], tmp_path, env, tmp_path / "log", tmp_path / "own"
    )
    assert procs.start(launch).wait(timeout=20) == 0
    seen = (tmp_path / "log").read_text()
    assert '"AWS_SECRET"' not in seen
    assert f'"HOME": "{tmp_path / "own"}"' in seen
    assert f'"{procs.MARK}": "{tmp_path}"' in seen
    assert "NoNewPrivs:\t1" in seen


def test_a_process_of_ours_is_found_by_its_command_line_where_its_environment_is_shut(tmp_path: Path) -> None:
    argv = [sys.executable, "-c", "import time; time.sleep(60)", "-m", f"{procs.PACKAGE}.router", "--home"]
    children = [subprocess.Popen([*argv, str(home)], env={}) for home in (tmp_path, tmp_path / "other")]
    try:
        assert [one.pid for one in procs.marked(tmp_path)] == [children[0].pid]
    finally:
        for child in children:
            child.kill()
            child.wait()


def test_a_port_that_is_taken_names_its_holder() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        assert not ports.is_free(port)
        assert ports.holder(port) == os.getpid()
        assert f"pid {os.getpid()}" in ports.taken(port).what
    assert ports.is_free(port)
    assert ports.holder(port) is None


def test_a_folder_for_sockets_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    open_to_all = tmp_path / "open"
    open_to_all.mkdir(mode=0o777)
    open_to_all.chmod(0o777)
    with pytest.raises(PlatformError, match="not yours alone"):
        paths.make_private(open_to_all)
    linked = tmp_path / "link"
    linked.symlink_to(tmp_path)
    with pytest.raises(PlatformError, match="not yours alone"):
        paths.make_private(linked)


def test_every_socket_path_fits_however_deep_the_home() -> None:
    for depth in (1, 60, 80, 90, 200):
        home = Paths(Path("/" + "h" * depth))
        assert all(len(os.fsencode(path)) <= 107 for path in (home.admin, home.control))
    assert Paths(Path("/" + "a" * 200)).admin != Paths(Path("/" + "b" * 200)).admin


def test_a_log_that_grew_is_cut_and_its_writer_goes_on_at_the_start(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    with open(log, "ab") as writer:
        writer.write(b"old line\n" * 1000)
        writer.flush()
        logfiles.bound(tmp_path, limit=100)
        writer.write(b"new line\n")
    assert log.read_bytes() == b"new line\n"
    assert (tmp_path / "x.log.1").stat().st_size == 9000


def test_the_end_of_a_log_is_its_last_lines(tmp_path: Path) -> None:
    (tmp_path / "x.log").write_text("".join(f"line {n}\n" for n in range(100)))
    assert logfiles.tail(tmp_path / "x.log", 2) == "line 98\nline 99"
    assert logfiles.tail(tmp_path / "none.log") == ""
