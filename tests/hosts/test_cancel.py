"""A cancelled command ends in good order within the time that each CI host leaves it, and says which signal."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from tagline.errors import RemoteUnavailable
from tagline.flow.promoting.scribe import Scribe
from tagline.git.ledger import Appended
from tagline.platforms.local.serving import procs
from tagline.rollout.told import WeightMoved
from tagline.words import ModelVersion, Promotion

from tests.fakes.repositories import linear
from tests.hosts.cancelling import Child, as_a_shell_says, children, github, gitlab, impatient, jenkins

ROOT = Path(__file__).parents[2]
TAGLINE = Path(sys.executable).with_name("tagline")
GOOD_ORDER = 5.0


HOSTS = [(jenkins, 143), (gitlab, 143), (github, 130), (impatient, 130)]


def rollout(file: Path, slow: float, how: str = "careful") -> Child:
    """A rollout that watches its canary, in a process group of its own."""
    argv = [sys.executable, "-m", "tests.hosts.cancelled", str(file), str(slow), how]
    child = subprocess.Popen(argv, cwd=ROOT, text=True, start_new_session=True, stderr=subprocess.PIPE)
    until = time.monotonic() + 60
    while not file.exists() and time.monotonic() < until and child.poll() is None:
        time.sleep(0.02)
    assert file.exists(), child.communicate()[1]
    return child


def end(child: Child) -> None:
    child.kill()
    child.communicate()


@pytest.mark.parametrize(("host", "code"), HOSTS, ids=lambda one: getattr(one, "__name__", ""))
def test_a_cancelled_rollout_is_at_weight_0_and_paused_in_time(
    host: Callable[[Child], None], code: int, tmp_path: Path
) -> None:
    child = rollout(tmp_path / "said", slow=0.5)
    begun = time.monotonic()
    host(child)
    took = time.monotonic() - begun
    end(child)
    assert (child.returncode, (tmp_path / "said").read_text()) == (code, "paused 2.0.0-r1=100")
    assert took < GOOD_ORDER


def test_without_care_for_the_second_signal_the_canary_would_keep_its_traffic(tmp_path: Path) -> None:
    child = rollout(tmp_path / "said", slow=0.5, how="careless")
    impatient(child)
    end(child)
    assert (tmp_path / "said").read_text() != "paused 2.0.0-r1=100"


@pytest.mark.parametrize(("host", "code"), HOSTS, ids=lambda one: getattr(one, "__name__", ""))
def test_a_call_that_waits_for_a_remote_ends_in_time_and_leaves_no_git(
    host: Callable[[Child], None], code: int, tmp_path: Path
) -> None:
    bare, clone = linear(tmp_path)
    clone.git("remote", "set-url", "origin", f"ext::sleep 6{os.getpid()}")
    before = bare.refs()
    env = os.environ | {"GIT_ALLOW_PROTOCOL": "ext:file", "TAGLINE_HOME": str(tmp_path / "home")}
    pipe = subprocess.PIPE
    child = subprocess.Popen(
        [TAGLINE, "ci"], cwd=clone.path, env=env, text=True, start_new_session=True, stdout=pipe, stderr=pipe
    )
    until = time.monotonic() + 60
    while not children(child.pid) and time.monotonic() < until:
        time.sleep(0.02)
    begun = time.monotonic()
    host(child)
    took = time.monotonic() - begun
    _, error = child.communicate(timeout=30)
    assert (as_a_shell_says(child.returncode), took < GOOD_ORDER) == (code, True), error
    assert bare.refs() == before
    assert [line for line in command_lines() if f"sleep 6{os.getpid()}" in line] == []


def command_lines() -> list[str]:
    """The command line of every process of this machine."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended meanwhile
            found.append(file.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return found


class Deaf:
    """A world whose remote gives no answer for as long as the test lasts."""

    def __init__(self) -> None:
        self.over = threading.Event()

    def told(self, _fact: object) -> None:
        pass

    def append(self, _make: object) -> Appended:
        self.over.wait(60)
        raise RemoteUnavailable("the remote does not answer")


def test_a_ledger_that_cannot_be_reached_does_not_hold_up_a_cancelled_rollout() -> None:
    version = ModelVersion.parse("1.0.0-r1")
    begun, world = time.monotonic(), Deaf()
    with pytest.raises(KeyboardInterrupt), Scribe(world, Promotion("prod", "wine", 1), version) as scribe:  # type: ignore[arg-type]
        scribe.told(WeightMoved({str(version): 10}))
        raise KeyboardInterrupt
    took = time.monotonic() - begun
    world.over.set()
    assert took < GOOD_ORDER


@pytest.mark.parametrize(
    "mark", ["JENKINS_NODE_COOKIE", "BUILD_ID", "JENKINS_SERVER_COOKIE", "RUNNER_TRACKING_ID"]
)
def test_what_a_host_finds_leftover_processes_by_does_not_reach_the_platform(
    mark: str, tmp_path: Path
) -> None:
    assert mark not in procs.own_environment(tmp_path, {mark: "1", "PATH": "/bin"})


# its deepest process is ended, and we 0.3 s later
DEEPEST_FIRST = """
import os, signal, sys, threading
from pathlib import Path
from tagline.cli.cancel import Cancel
from tagline.engines import Command, sandbox
from tagline.git import process
process._CANCEL_LAG = sandbox._CANCEL_LAG = float(sys.argv[3])
here, cancel = Path(sys.argv[2]), Cancel()
cancel.install()
threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM)).start()
try:
    if sys.argv[1] == "git":
        print(process.run(("version",), cwd=here).code)
    else:
        print(sandbox.run(Command(["/bin/sh", "-c", "kill -TERM $$"], here / "tree", here / "log", timeout=20)))
except KeyboardInterrupt:
    print("interrupted", cancel.exit_code)
"""


def deepest_first(which: str, folder: Path, lag: float) -> str:
    """What a command says whose git, or whose task, a host ended before it."""
    (folder / "bin").mkdir()
    (folder / "tree").mkdir()
    git = folder / "bin/git"
    git.write_text("#!/bin/sh\nkill -TERM $$\n")
    git.chmod(0o755)
    env = os.environ | {"PATH": f"{git.parent}:{os.environ['PATH']}"}
    argv = [sys.executable, "-c", DEEPEST_FIRST, which, str(folder), str(lag)]
    return subprocess.run(argv, env=env, capture_output=True, text=True, timeout=60).stdout.strip()


@pytest.mark.parametrize("which", ["git", "task"])
def test_a_part_that_a_host_ended_first_is_no_failure_of_the_part(which: str, tmp_path: Path) -> None:
    assert deepest_first(which, tmp_path, lag=5.0) == "interrupted 143"


def test_without_waiting_for_our_own_signal_the_part_would_have_failed(tmp_path: Path) -> None:
    assert deepest_first("git", tmp_path, lag=0.0) == "-15"
