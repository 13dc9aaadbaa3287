"""A task on a real Dagger engine: its exit code, words, folder, secrets, time limit and devices."""

import os
import time
import uuid
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest
from tagline.engines.dagger import runner, session
from tagline.engines.dagger.session import Ended, Task
from tagline.errors import TaskTimedOut
from tagline.flow.checking.in_dagger import BASE_VARIABLE

from tests.real import dagger_engine

pytestmark = pytest.mark.timeout(300)
SECRET = "opensesame-opensesame"


@dataclass
class Bench:
    """A run's folder, the empty one beside it, and the way to the engine; `log` is what the engine logged."""

    folder: Path
    back: Path
    environ: dict[str, str]
    base: str
    log: StringIO

    def run(self, script: str, limit: float = 120.0, gpus: int = 0, image: str = "") -> Ended:
        words = (image or self.base, ["/bin/sh", "-c", script], str(self.folder), str(self.back), "1000:1000")
        task = Task(*words, {"PLAIN": "seen"}, {"KEY": SECRET}, ["logs", self.back.name], gpus)
        return session.perform(task, self.environ, log_to=self.log, run_limit=limit)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    reached = dagger_engine.require() | dagger_engine.sources()
    folder = tmp_path / "run"
    (folder / "logs").mkdir(parents=True)
    (folder / "logs/task.log").write_text("ours")
    (folder / "given").write_text("input\n")
    (folder / "back").mkdir()
    environ = runner.require({**os.environ, **reached})
    return Bench(folder, folder / "back", environ, reached[BASE_VARIABLE], StringIO())


@pytest.mark.parametrize("code", [0, 1, 3, 127, 137, 143, 255])
def test_the_exit_code_is_the_task_s_own(bench: Bench, code: int) -> None:
    ended = bench.run(f"echo said; echo wrong >&2; exit {code}")
    assert (ended.code, sorted(ended.said.split())) == (code, ["said", "wrong"])


def test_a_signal_is_128_and_its_number(bench: Bench) -> None:
    assert bench.run("echo last; kill -9 $$").code == 137


def test_the_folder_goes_in_at_its_path_and_comes_back_as_the_task_left_it(bench: Bench) -> None:
    script = f"cd {bench.folder} && cat given && mkdir out && echo made > out/file && rm given && ls; id -u"
    ended = bench.run(script)
    assert (ended.said.split(), ended.folder) == (["input", "out", "1000"], True)
    found = {path.relative_to(bench.back).as_posix() for path in bench.back.rglob("*")}
    assert found == {"out", "out/file"}


def test_a_link_that_a_task_leaves_comes_back_as_a_link(bench: Bench, tmp_path: Path) -> None:
    bench.run(f"ln -s {tmp_path} {bench.folder}/out")
    assert (bench.back / "out").is_symlink()


def test_a_task_has_its_secrets_and_nobody_reads_them_elsewhere(bench: Bench) -> None:
    ended = bench.run('echo "$PLAIN ${#KEY} $KEY"')
    assert ended.said.split()[:2] == ["seen", str(len(SECRET))]
    assert SECRET not in ended.said + bench.log.getvalue()


def test_past_its_limit_the_engine_ends_the_task_too(bench: Bench) -> None:
    mark = f"31{uuid.uuid4().int % 10**6:06d}"
    with pytest.raises(TaskTimedOut):
        bench.run(f"sleep {mark}; true", limit=6.0)
    until = time.monotonic() + 20
    while running(mark) and time.monotonic() < until:
        time.sleep(0.2)
    assert not running(mark)


def running(mark: str) -> bool:
    """Whether a process of this machine, on which the engine may run, has the word in its command line."""
    lines = []
    for entry in Path("/proc").iterdir():
        try:
            lines += [(entry / "cmdline").read_bytes()] if entry.name.isdigit() else []
        except OSError:
            continue  # it ended meanwhile
    return any(b"sleep\0" + mark.encode() in line for line in lines)


def test_a_gpu_that_the_engine_does_not_have_is_said_before_the_task_runs(bench: Bench) -> None:
    ended = bench.run("echo ran", gpus=1)
    assert ended.no_devices or ended.said == "ran\n"
    assert (ended.said == "") is bool(ended.no_devices)


def test_an_image_that_is_nowhere_is_said(bench: Bench) -> None:
    ended = bench.run("echo ran", image="127.0.0.1:9/nobody/nothing:1")
    assert (ended.said, bool(ended.no_image)) == ("", True)
