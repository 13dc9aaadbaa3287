"""What every command of an engine must leave alone: it sees none of it, and changes none of it."""

import subprocess
from pathlib import Path

import pytest
from tagline import config
from tagline.engines import Command
from tagline.engines.process import ProcessEngine
from tagline.flow.opening import open_engine

MOUNT = ["unshare", "-Urm", "mount", "-t", "tmpfs", "none", "/tmp"]
PRIVATE = [
    "rollouts/prod/wine/blocks.json",
    "serving/admin.sock",
    "pipelines.sqlite",
    "locks/a.lock",
    "machine",
]
GATE = """
pipeline: wine
gate: {data: gate/frozen.csv, sha256: %s, id: id, label: t, metrics: {error: {max_drop: 0.1}}}
""" % ("a" * 64)


def mounts_allowed() -> bool:
    tries = (MOUNT, [MOUNT[0], "-m", *MOUNT[2:]])
    return any(subprocess.run(words, capture_output=True, check=False).returncode == 0 for words in tries)


pytestmark = pytest.mark.skipif(
    not mounts_allowed(), reason="not applicable here: this machine allows no mounts of one's own"
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A work tree with git's folder and the gate's data."""
    subprocess.run(["git", "init", "-q", tmp_path / "repo"], check=True)
    (tmp_path / "repo/gate").mkdir()
    (tmp_path / "repo/gate/frozen.csv").write_text("frozen")
    (tmp_path / "repo/tracked").write_text("theirs")
    subprocess.run(["git", "init", "-q", "--bare", tmp_path / "remote.git"], check=True)
    subprocess.run(["git", "-C", tmp_path / "repo", "remote", "add", "origin", "../remote.git"], check=True)
    return tmp_path / "repo"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    for name in [
        *PRIVATE,
        "runs/wine-1/model",
        "runs/wine-2/model",
        "work/abc/tree/a.py",
        "venvs/key/bin/python",
    ]:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("ours")
    return home


@pytest.fixture
def engine(root: Path, home: Path) -> ProcessEngine:
    made = open_engine(home, {}, root, config.parse(GATE, default_name="wine"))
    assert isinstance(made, ProcessEngine)
    return made


def shell(engine: ProcessEngine, script: str, cwd: Path, log: Path) -> tuple[int, str]:
    code = engine.run(Command(["sh", "-c", script], cwd, log, timeout=30.0))
    return code, log.read_text()


@pytest.mark.parametrize("name", PRIVATE)
def test_a_command_sees_nothing_of_the_homes_own_books(
    engine: ProcessEngine, home: Path, tmp_path: Path, name: str
) -> None:
    assert "ours" not in shell(engine, f"cat {home / name}", home / "runs/wine-1", tmp_path / "log")[1]


@pytest.mark.parametrize("name", [".git/config", "gate/frozen.csv"])
def test_a_command_sees_neither_git_nor_the_gates_data(
    engine: ProcessEngine, root: Path, tmp_path: Path, name: str
) -> None:
    said = shell(engine, f"cat {root / name}", tmp_path, tmp_path / "log")[1]
    assert "frozen" not in said and "core" not in said


def test_a_command_can_neither_see_nor_change_a_remote_that_is_a_folder(
    engine: ProcessEngine, root: Path, tmp_path: Path
) -> None:
    remote = root.parent / "remote.git"
    script = f"cat {remote}/HEAD; echo theirs > {remote}/hooks/pre-receive; echo theirs > {remote}/refs/new"
    assert "ref:" not in shell(engine, script, tmp_path, tmp_path / "log")[1]
    assert not (remote / "hooks/pre-receive").exists() and not (remote / "refs/new").exists()


def test_a_command_changes_nothing_of_the_work_tree(
    engine: ProcessEngine, root: Path, home: Path, tmp_path: Path
) -> None:
    script = f"echo ours > {root}/tracked; echo ours > {root}/new"
    shell(engine, script, home / "runs/wine-1", tmp_path / "log")
    assert (root / "tracked").read_text() == "theirs" and not (root / "new").exists()


@pytest.mark.parametrize(
    "name",
    [
        *PRIVATE,
        "new",
        "runs/new",
        "runs/wine-2/model",
        "work/abc/tree/a.py",
        "venvs/key/bin/python",
        "venvs/new",
    ],
)
def test_a_command_changes_nothing_of_the_home_but_its_own_run(
    engine: ProcessEngine, home: Path, tmp_path: Path, name: str
) -> None:
    before = (home / name).read_text() if (home / name).exists() else None
    script = (
        f"rm -f {home / name}; echo theirs > {home / name}; echo theirs > ../../{name}; echo theirs > model"
    )
    shell(engine, script, home / "runs/wine-1", tmp_path / "log")
    assert ((home / name).read_text() if (home / name).exists() else None) == before
    assert (home / "runs/wine-1/model").read_text() == "theirs\n"


def test_an_environment_can_be_written_only_by_its_own_installation(
    engine: ProcessEngine, home: Path, tmp_path: Path
) -> None:
    (home / "venvs/other").mkdir()
    script = "echo new > installed; echo theirs > ../key/bin/python; echo theirs > ../other.lock"
    code, said = shell(engine, script, home / "venvs/other", tmp_path / "log")
    assert (home / "venvs/other/installed").read_text() == "new\n"
    assert (home / "venvs/key/bin/python").read_text() == "ours" and not (home / "venvs/other.lock").exists()
    assert code != 0 and "Read-only file system" in said


def test_what_a_command_must_not_change_stays_so_for_all_that_it_starts(
    engine: ProcessEngine, home: Path, tmp_path: Path
) -> None:
    script = f"mount -o remount,rw,bind {home}; umount -l {home}; echo theirs > {home}/new"
    shell(engine, script, home / "runs/wine-1", tmp_path / "log")
    assert not (home / "new").exists()
