"""A command in the sandbox: its real exit code, its log, and nothing left of it whatever happens."""

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from tagline import foreign
from tagline.engines import Command, sandbox
from tagline.errors import TaskTimedOut

# Starts a daemon (two forks, a session of its own), then waits; MARK makes every process findable.
DAEMON = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(300)
    os._exit(0)
open(sys.argv[1] + ".up", "w").close()
time.sleep(float(sys.argv[2]))
"""
PARENT = """
import sys
from pathlib import Path
from tagline.engines import Command, sandbox
folder = Path(sys.argv[1])
sandbox.run(Command(sys.argv[2:], folder, folder / "log", timeout=300.0))
"""


def processes(mark: str) -> list[int]:
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = Path("/proc", name, "cmdline").read_bytes()
        except OSError:
            continue
        if mark.encode() in words and int(name) != os.getpid():
            found.append(int(name))
    return found


def eventually(true: Callable[[], bool], seconds: float = 20.0) -> bool:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def daemon(mark: Path, seconds: float) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", DAEMON, str(mark), str(seconds)]


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    return tmp_path / uuid.uuid4().hex


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("exit 0", 0),
        ("exit 7", 7),
        ("exit 255", 255),
        ("kill -9 $$", -9),
        ("kill -TERM $$", -15),
        ("kill -SEGV $$", -11),
    ],
)
def test_the_exit_code_is_the_commands_own(tmp_path: Path, script: str, code: int) -> None:
    assert sandbox.run(Command(["sh", "-c", script], tmp_path, tmp_path / "log")) == code


def test_a_program_that_does_not_exist_ends_with_127_and_says_so(tmp_path: Path) -> None:
    assert sandbox.run(Command(["no-such-program"], tmp_path, tmp_path / "log")) == 127
    assert "cannot start no-such-program" in (tmp_path / "log").read_text()


def test_both_outputs_are_appended_to_the_log(tmp_path: Path) -> None:
    log = tmp_path / "logs/log"
    for word in ("one", "two"):
        sandbox.run(Command(["sh", "-c", f"echo {word}; echo {word} >&2"], tmp_path, log))
    assert log.read_text() == "one\none\ntwo\ntwo\n"


def test_only_the_allow_list_and_the_commands_own_variables_reach_the_child(tmp_path: Path) -> None:
    outer = {"PATH": os.environ["PATH"], "TOKEN": "x", "LC_ALL": "C", "HTTPS_PROXY": "http://me:secret@proxy"}
    log = tmp_path / "log"
    sandbox.run(Command(["env"], tmp_path, log, env={"TASK_TOKEN": "given"}), outer=outer)
    names = {line.partition("=")[0] for line in log.read_text().splitlines()}
    assert names == {"PATH", "LANG", "LC_ALL", "HOME", "TMPDIR", "PYTHONUNBUFFERED", "TASK_TOKEN"}


def test_a_proxy_without_a_password_reaches_the_child(tmp_path: Path) -> None:
    inner = sandbox.environment({"https_proxy": "http://proxy:3128"}, {}, tmp_path)
    assert inner["https_proxy"] == "http://proxy:3128"


def test_a_work_tree_is_not_accepted_as_the_commands_folder(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    with pytest.raises(ValueError, match=r"copy without \.git"):
        sandbox.run(Command(["true"], tmp_path, tmp_path / "log"))


def test_an_argument_of_120_kib_arrives_whole(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert sandbox.run(Command(["sh", "-c", 'echo "${#1}"', "sh", "x" * 120 * 1024], tmp_path, log)) == 0
    assert log.read_text() == f"{120 * 1024}\n"


def test_a_broken_pipe_ends_a_child_as_it_does_in_a_shell(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert sandbox.run(Command(["sh", "-c", "yes | head -1"], tmp_path, log)) == 0
    assert log.read_text() == "y\n"


def test_a_command_past_its_limit_is_stopped_with_all_that_it_started(tmp_path: Path, mark: Path) -> None:
    with pytest.raises(TaskTimedOut, match="ran longer than 2 s") as caught:
        sandbox.run(Command(daemon(mark, 300), tmp_path, tmp_path / "log", timeout=2.0))
    assert caught.value.where == str(tmp_path / "log")
    assert Path(f"{mark}.up").exists()
    assert processes(mark.name) == []


def test_a_command_that_ends_leaves_no_daemon_behind(tmp_path: Path, mark: Path) -> None:
    assert sandbox.run(Command(daemon(mark, 0), tmp_path, tmp_path / "log")) == 0
    assert processes(mark.name) == []


def test_without_the_sandbox_the_daemon_stays(tmp_path: Path, mark: Path) -> None:
    subprocess.run(daemon(mark, 0), check=True)
    stayed = eventually(lambda: len(processes(mark.name)) == 1)
    for pid in processes(mark.name):
        os.kill(pid, signal.SIGKILL)
    assert stayed


def test_when_the_parent_is_killed_nothing_is_left(tmp_path: Path, mark: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, str(tmp_path), *daemon(mark, 300)])
    assert eventually(Path(f"{mark}.up").exists)
    assert len(processes(mark.name)) >= 3
    parent.kill()
    parent.wait()
    assert eventually(lambda: processes(mark.name) == [])


def test_when_the_keeper_is_killed_the_command_ends(tmp_path: Path, mark: Path) -> None:
    command = [sys.executable, "-I", "-S", "-c", "import time; time.sleep(300)", str(mark)]
    with sandbox.running(Command(command, tmp_path, tmp_path / "log")) as child:
        assert eventually(lambda: len(processes(mark.name)) == 2)
        os.kill(min(processes(mark.name)), signal.SIGKILL)
        assert child.wait(20.0) == -signal.SIGKILL
        assert eventually(lambda: processes(mark.name) == [])


def test_a_command_outlives_the_thread_that_started_it(tmp_path: Path) -> None:
    held = sandbox.running(Command(["sleep", "0.5"], tmp_path, tmp_path / "log"))
    children: list[sandbox.Child] = []
    thread = threading.Thread(target=lambda: children.append(held.__enter__()))
    thread.start()
    thread.join()
    try:
        assert children[0].wait(20.0) == 0
    finally:
        held.__exit__(None, None, None)


def test_a_server_outlives_the_process_that_started_it_behind_the_same_doors(tmp_path: Path) -> None:
    script = 'echo "$TOKEN" >out; grep NoNewPrivs /proc/self/status >>out; echo $$ >pid; exec sleep 300'
    server = (
        "from pathlib import Path; from tagline.engines import Command, sandbox; f = Path('.').resolve();"
        f"print(sandbox.start(Command(['sh', '-c', {script!r}], f, f / 'log'), f / 'home').pid)"
    )
    done = subprocess.run(
        [sys.executable, "-c", server],
        cwd=tmp_path,
        env={**os.environ, "TOKEN": "x"},
        capture_output=True,
        check=True,
    )
    try:
        assert eventually((tmp_path / "pid").exists) and eventually(
            lambda: (tmp_path / "pid").read_text() != ""
        )
        assert int((tmp_path / "pid").read_text()) == int(done.stdout)
        assert (tmp_path / "out").read_text() == "\nNoNewPrivs:\t1\n"
    finally:
        os.kill(int(done.stdout), signal.SIGKILL)
    assert eventually(lambda: not Path("/proc", str(int(done.stdout)), "cmdline").exists())


def test_a_link_in_the_place_of_the_log_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "profile").write_text("mine")
    (tmp_path / "log").symlink_to("profile")
    with pytest.raises(OSError):
        sandbox.run(Command(["echo", "PWNED"], tmp_path, tmp_path / "log"))
    assert (tmp_path / "profile").read_text() == "mine"


def test_a_log_without_a_name_is_read_back_whatever_the_command_does_to_its_output(tmp_path: Path) -> None:
    script = "echo one; echo two > /dev/stdout; echo three"
    with foreign.nameless() as log:
        assert sandbox.run(Command(["sh", "-c", script], tmp_path, foreign.named(log))) == 0
        assert foreign.end_of(log) == "two\nthree\n"
    assert list(tmp_path.iterdir()) == []
