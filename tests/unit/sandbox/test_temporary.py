"""The machine's temporary folders are a command's own: no other command, and nothing outside, meets it there."""

import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from tagline.engines import Command, gaps, places, sandbox

from .test_guards import mounts_allowed

pytestmark = pytest.mark.skipif(
    not mounts_allowed(), reason="not applicable here: this machine allows no mounts of one's own"
)
SHARED = [folder for folder in ("/tmp", "/var/tmp", "/dev/shm") if Path(folder).is_dir()]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    (tmp_path / "own").mkdir()
    return tmp_path / "own"


@pytest.fixture(params=SHARED)
def shared(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A folder that another program made in a temporary folder of the machine."""
    with tempfile.TemporaryDirectory(prefix="other-", dir=request.param) as folder:
        Path(folder, "file").write_text("theirs")
        yield Path(folder)


def shell(script: str, cwd: Path, log: Path, see: list[Path] | None = None) -> str:
    sandbox.run(Command(["sh", "-c", script], cwd, log, timeout=30.0, see=see or []))
    return log.read_text()


def test_a_command_reads_and_writes_nothing_of_another_program_there(
    shared: Path, own: Path, tmp_path: Path
) -> None:
    script = f"cat {shared}/file; echo planted > {shared}/file; mv {shared} {shared}-moved; echo end"
    said = shell(script, own, tmp_path / "log")
    assert "theirs" not in said and said.endswith("end\n")
    assert (shared / "file").read_text() == "theirs"


def test_what_a_command_leaves_there_no_later_one_sees_and_it_is_gone(
    shared: Path, own: Path, tmp_path: Path
) -> None:
    left = shared.parent / uuid.uuid4().hex
    assert shell(f"echo mine > {left} && cat {left}", own, tmp_path / "one") == "mine\n"
    assert not left.exists()
    assert "mine" not in shell(f"cat {left}", own, tmp_path / "two")


def test_what_a_command_runs_in_is_told_of_or_needs_is_seen_there(
    shared: Path, own: Path, tmp_path: Path
) -> None:
    said = shell(
        f"cat {shared}/file; echo more > {shared}/made; pwd; echo x > here", own, tmp_path / "log", [shared]
    )
    assert said == f"theirs{own}\n"
    assert (shared / "made").read_text() == "more\n" and (own / "here").exists()
    argv = [
        sys.executable,
        "-I",
        "-S",
        "-c",
        "import sys; print(open(sys.argv[1]).read())",
        str(shared / "file"),
    ]
    sandbox.run(Command(argv, own, tmp_path / "told", timeout=30.0))
    assert (tmp_path / "told").read_text() == "theirs\n"


def test_a_command_cannot_put_another_folder_in_the_place_of_its_own(own: Path, tmp_path: Path) -> None:
    said = shell(f"mv {own} {own}-moved && mkdir {own}; echo end", own, tmp_path / "log")
    assert "busy" in said and said.endswith("end\n")
    assert not (tmp_path / "own-moved").exists()


def test_folders_that_are_shared_all_the_same_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "is shared" not in " ".join(gaps.gaps())
    monkeypatch.setattr(places, "temporary", list)
    said = gaps.gaps()
    assert all(f"{folder} is shared with every other program" in said for folder in SHARED)
