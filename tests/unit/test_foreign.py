"""Files that strangers wrote are opened through no link, and written in nobody else's place."""

import os
from pathlib import Path

import pytest
from tagline import foreign

SECRET = "credential-7f3a"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A folder that a stranger may write to, beside a home with a credential."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home/credential").write_text(SECRET)
    (tmp_path / "run").mkdir()
    return tmp_path / "run"


def test_a_plain_file_below_is_read_appended_to_and_replaced(run: Path) -> None:
    foreign.replace(run / "a/b/file", b"one", run)
    with foreign.append(run / "a/b/file", run) as file:
        file.write(b" two")
    assert foreign.read(run / "a/b/file", 7, run) == b"one two"
    assert os.listdir(run / "a/b") == ["file"]
    with pytest.raises(ValueError, match="larger"):
        foreign.read(run / "a/b/file", 6, run)


def test_a_link_is_neither_read_nor_appended_to_and_a_new_file_takes_its_place(run: Path) -> None:
    (run / "link").symlink_to("../home/credential")
    with pytest.raises(OSError):
        foreign.read(run / "link", 100, run)
    with pytest.raises(OSError):
        foreign.append(run / "link", run)
    foreign.replace(run / "link", b"x", run)
    assert (run / "link").read_text() == "x" and not (run / "link").is_symlink()
    assert (run.parent / "home/credential").read_text() == SECRET


def test_a_folder_on_the_way_that_is_a_link_is_not_passed(run: Path) -> None:
    (run / "logs").symlink_to("../home")
    with pytest.raises(OSError):
        foreign.read(run / "logs/credential", 100, run)
    with pytest.raises(OSError):
        foreign.append(run / "logs/new", run)
    with pytest.raises(OSError):
        foreign.replace(run / "logs/credential", b"x", run)
    with pytest.raises(OSError):
        foreign.make_folder(run / "logs/inner", run)
    assert os.listdir(run.parent / "home") == ["credential"]
    with pytest.raises(ValueError):
        foreign.read(run / "../home/credential", 100, run)


def test_a_pipe_is_not_waited_for(run: Path) -> None:
    os.mkfifo(run / "pipe")
    with pytest.raises(ValueError, match="no plain file"):
        foreign.read(run / "pipe", 100, run)
    with pytest.raises(ValueError, match="no plain file"):
        foreign.append(run / "pipe", run)
    assert foreign.astray(run) == run / "pipe"


def test_a_link_out_of_a_folder_is_found_and_those_inside_are_not(run: Path) -> None:
    (run / "inner").mkdir()
    (run / "inner/up").symlink_to("..")
    (run / "absolute").symlink_to(run / "inner")
    (run / "nowhere").symlink_to("missing")
    assert foreign.astray(run) is None
    (run / "inner/out").symlink_to("up/../home")
    assert foreign.astray(run) == run / "inner/out"


def test_a_file_itself_is_astray_where_it_is_a_link(run: Path) -> None:
    (run / "plain").touch()
    (run / "link").symlink_to("plain")
    assert foreign.astray(run / "plain") is None
    assert foreign.astray(run / "link") == run / "link"
