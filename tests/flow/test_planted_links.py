"""Links in a pull request, or made by its tests: the command neither tells nor hands on what they name."""

from pathlib import Path

import pytest

from tests.flow.stage import Desk

SECRET = "https://bob:ghp_credential7f3a@example.org"
PLANT = """
import os, unittest

class Planting(unittest.TestCase):
    def test(self):
        log = os.readlink("/proc/self/fd/1").removesuffix(" (deleted)")
        beside = os.path.join(os.path.dirname(os.getcwd()), "tests.log")
        for place in (log, beside):
            if os.path.lexists(place):
                os.unlink(place)
            try:
                os.symlink("TARGET", place)
            except OSError:
                pass
        self.fail("mine")
"""
MOVE = """
import os, unittest

class Moving(unittest.TestCase):
    def test(self):
        here = os.getcwd()
        os.rename(here, here + "-old")
        os.symlink("TARGET", here)
"""


@pytest.fixture
def credential(desk: Desk) -> Path:
    file = desk.folder / "credentials"
    file.write_text(f"{SECRET}\n")
    return file


@pytest.mark.parametrize("command", ["ci", "check", "release"])
def test_requirements_that_lead_to_a_credential_are_refused(
    desk: Desk, credential: Path, command: str
) -> None:
    lock = desk.clone.path / "src/requirements.txt"
    lock.unlink(missing_ok=True)
    lock.symlink_to(credential)
    desk.merge("feat: a lock")
    before = desk.refs()
    found = desk.tagline(command)
    assert found.code != 0
    assert "src/requirements.txt is a link that leads out of the tree" in found.err
    assert "ghp_credential7f3a" not in found.out + found.err
    assert desk.refs() == before


def test_a_log_that_the_tests_replace_by_a_link_is_not_told(desk: Desk, credential: Path) -> None:
    tests = desk.clone.path / "tests/test_planting.py"
    tests.parent.mkdir()
    tests.write_text(PLANT.replace("TARGET", str(credential)))
    found = desk.tagline("check")
    assert found.code == 32
    assert "mine" in found.err
    assert "ghp_credential7f3a" not in found.out + found.err


def test_a_tree_that_its_tests_replace_by_a_link_is_not_trained_in(desk: Desk, credential: Path) -> None:
    """Where mounts are allowed, the tree cannot even be moved: it is where its own code stands."""
    tests = desk.clone.path / "tests/test_moving.py"
    tests.parent.mkdir()
    tests.write_text(MOVE.replace("TARGET", str(credential.parent)))
    found = desk.tagline("check", "--smoke")
    assert found.code == 32
    refused = ("the project's own code put a link in the place of its tree", "OSError: [Errno")
    assert any(why in found.err for why in refused), found
