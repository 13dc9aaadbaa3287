"""What a killed process leaves in the home is swept by the next one, and nothing that is in use."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tagline.platforms.local import locks, work

HOLD = """
import sys, time
from pathlib import Path
from tagline.platforms.local import locks, work
home = Path(sys.argv[1])
with work.folder(home) as folder, locks.try_lock(locks.lock_file(home, "run", "a")):
    (folder / "deep").mkdir()
    (folder / "deep/file").write_text("x")
    print(folder, flush=True)
    time.sleep(60)
"""


def holder(home: Path) -> tuple["subprocess.Popen[str]", Path]:
    """A process with a work folder and a run's lock, in the middle of its step."""
    child = subprocess.Popen([sys.executable, "-c", HOLD, str(home)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    return child, Path(child.stdout.readline().strip())


def test_what_a_killed_process_left_is_gone_after_the_next_sweep(tmp_path: Path) -> None:
    child, folder = holder(tmp_path)
    child.send_signal(signal.SIGKILL)
    child.communicate()
    assert folder.exists() and os.listdir(tmp_path / "locks") != []
    work.sweep(tmp_path)
    assert os.listdir(tmp_path / "work") == os.listdir(tmp_path / "locks") == []


def test_what_is_in_use_is_left_alone(tmp_path: Path) -> None:
    child, folder = holder(tmp_path)
    work.sweep(tmp_path)
    assert (folder / "deep/file").read_text() == "x"
    with locks.try_lock(locks.lock_file(tmp_path, "run", "a")) as lock:
        assert lock is None
    child.kill()
    child.communicate()


def test_a_home_without_anything_is_swept_too(tmp_path: Path) -> None:
    work.sweep(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_folder_and_a_lock_leave_nothing_when_their_work_is_done(tmp_path: Path) -> None:
    with work.folder(tmp_path), locks.try_lock(locks.lock_file(tmp_path, "run", "a")) as lock:
        assert lock is not None
    assert os.listdir(tmp_path / "work") == os.listdir(tmp_path / "locks") == []


@pytest.mark.parametrize("together", [8])
def test_a_lock_whose_file_goes_with_it_is_still_held_by_one_at_a_time(tmp_path: Path, together: int) -> None:
    file, inside, most = locks.lock_file(tmp_path, "run", "a"), [0], [0]

    def often() -> None:
        for _ in range(100):
            with locks.try_lock(file) as lock:
                if lock:
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                    inside[0] -= 1

    threads = [threading.Thread(target=often) for _ in range(together)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (most, inside) == ([1], [0])


def test_a_folder_is_its_makers_alone_while_others_sweep(tmp_path: Path) -> None:
    stop = threading.Event()

    def sweep() -> None:
        while not stop.is_set():
            work.sweep(tmp_path)

    sweeper = threading.Thread(target=sweep)
    sweeper.start()
    try:
        for n in range(200):
            with work.folder(tmp_path) as folder:
                (folder / "mine").write_text(str(n))
                assert (folder / "mine").read_text() == str(n)
    finally:
        stop.set()
        sweeper.join()
