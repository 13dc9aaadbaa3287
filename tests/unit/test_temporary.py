"""What a killed process left in the temporary place is swept, and nothing that is not ours, held or young."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from tagline import temporary
from tagline.temporary import OLD, Kind

HOLDER = """
import sys, time
from tagline import temporary
with temporary.folder(temporary.Kind.CHECK) as made:
    (made / "tree").mkdir()
    print(made, flush=True)
    time.sleep(60)
"""

SOURCES = Path(temporary.__file__).parent


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary place of this test's own."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def left(place: Path, name: str = "tagline-check-abcd_123") -> Path:
    made = place / name
    made.mkdir(mode=0o700)
    (made / "file").touch()
    return made


def test_a_folder_of_a_killed_process_is_swept_after_a_day_and_not_while_it_lives(place: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", HOLDER], stdout=subprocess.PIPE, text=True)
    assert child.stdout
    made = Path(child.stdout.readline().strip())
    try:
        temporary.sweep(time.time() + OLD + 60)
        assert (made / "tree").is_dir(), "its process lives"
    finally:
        child.send_signal(signal.SIGKILL)
        child.communicate(timeout=20)
    temporary.sweep(time.time())
    assert made.is_dir(), "it is not a day old"
    temporary.sweep(time.time() + OLD + 60)
    assert list(place.iterdir()) == []


def test_a_link_is_never_followed(place: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    precious = left(tmp_path_factory.mktemp("elsewhere"))
    (place / "tagline-home-abcd_123").symlink_to(precious)
    inside = left(place)
    (inside / "link").symlink_to(precious)
    temporary.sweep(time.time() + OLD + 60)
    assert (precious / "file").exists()
    assert [one.name for one in place.iterdir()] == ["tagline-home-abcd_123"]


@pytest.mark.parametrize(
    "name",
    ["tagline-projects", "tagline-check-mine", "tagline-0", "tagline-crash-abcd_123", "check-abcd_123"],
)
def test_what_a_person_made_is_left_alone_whatever_its_name(place: Path, name: str) -> None:
    made = left(place, name)
    temporary.sweep(time.time() + OLD + 60)
    assert (made / "file").exists()


def test_a_folder_that_others_may_enter_is_none_of_ours(place: Path) -> None:
    made = left(place)
    made.chmod(0o755)
    temporary.sweep(time.time() + OLD + 60)
    assert (made / "file").exists()


def test_another_users_folder_is_left_alone(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, me = left(place), os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: me + 1)
    temporary.sweep(time.time() + OLD + 60)
    assert (made / "file").exists()


@pytest.mark.parametrize("kind", Kind)
def test_what_is_made_is_what_is_swept(place: Path, kind: Kind) -> None:
    with temporary.folder(kind) as made:
        name = made.name
    assert not made.exists()
    made = left(place, name)
    temporary.sweep(time.time() + OLD + 60)
    assert not made.exists()


def test_no_source_makes_such_a_folder_by_itself() -> None:
    sources = [one for one in SOURCES.rglob("*.py") if one != SOURCES / "temporary.py"]
    by_hand = re.compile(r"(TemporaryDirectory|mkdtemp)\(\s*prefix=f?[\"']tagline-")
    assert [one.name for one in sources if by_hand.search(one.read_text())] == []
