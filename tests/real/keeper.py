"""Keeps a Docker engine for as long as somebody holds its folder's lock: a script, standard library only.

    python keeper.py FOLDER COMMAND…

It holds FOLDER/keeper while it lives, and starts COMMAND: the engine, in its own namespaces, so that nothing of it
is left after its end. It ends it when the last holder of FOLDER/users is gone, whatever ended that one, and then
removes its control groups.
"""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

STEP = 0.3
GRACE = 20.0


def main() -> None:
    folder = Path(sys.argv[1])
    alive = (folder / "keeper").open("a")
    fcntl.flock(alive, fcntl.LOCK_EX)
    with (folder / "engine.log").open("wb") as log:
        engine = subprocess.Popen(
            sys.argv[2:], stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    with (folder / "users").open("a") as users:
        while engine.poll() is None:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
                stop(engine)  # whoever comes now waits for this lock, and then starts another engine
                break
            time.sleep(STEP)
        for name in ("docker.sock", "docker.pid"):
            (folder / name).unlink(missing_ok=True)
        for group in sorted(Path("/sys/fs/cgroup").glob(f"**/tagline-{folder.stat().st_ino}*"), reverse=True):
            for inner in sorted(group.glob("**/"), reverse=True):
                with contextlib.suppress(OSError):
                    inner.rmdir()


def stop(engine: "subprocess.Popen[bytes]") -> None:
    """SIGTERM to the engine inside its namespaces; SIGKILL to all of it if that takes too long."""
    for pid in children(engine.pid):
        os.kill(pid, signal.SIGTERM)
    try:
        engine.wait(GRACE)
    except subprocess.TimeoutExpired:
        os.killpg(engine.pid, signal.SIGKILL)
        engine.wait()


def children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


if __name__ == "__main__":
    main()
