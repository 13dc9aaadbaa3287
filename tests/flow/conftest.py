"""Desks for the tests of the flow: a new one, one with a release, one with a served model."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flow.stage import ROOT, Desk, copied, new_desk


@pytest.fixture(scope="session", autouse=True)
def shared_environments() -> None:
    """One folder of environments for the whole run, and for `make demo`: an environment takes a minute."""
    os.environ.setdefault("TAGLINE_VENVS", str(ROOT / ".demo/venvs"))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A tiny project on main, nothing released."""
    made = new_desk(tmp_path / "desk")
    yield made
    made.close()


@pytest.fixture(scope="session")
def released_once(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Release 0.1.0 with its model 0.1.0-r1; tests get copies of it."""
    made = new_desk(tmp_path_factory.mktemp("released") / "desk")
    done = made.tagline("ci")
    assert done.code == 0, done
    return made


@pytest.fixture
def released(released_once: Desk, tmp_path: Path) -> Iterator[Desk]:
    """Release 0.1.0 with its model 0.1.0-r1, not promoted."""
    made = copied(released_once, tmp_path / "desk")
    yield made
    made.close()


@pytest.fixture(scope="session")
def served_once(released_once: Desk, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """0.1.0-r1 promoted to prod by its tag, and the platform put down; tests get copies of it."""
    made = copied(released_once, tmp_path_factory.mktemp("served") / "desk")
    try:
        asked = made.tagline("promote", "tiny", "--to", "prod")
        assert asked.code == 0, asked
        done = made.tagline("ci", "--event", "tag", "--ref", "promote/prod/tiny/1")
        assert done.code == 0, done
    finally:
        made.close()
    return made


@pytest.fixture
def served(served_once: Desk, tmp_path: Path) -> Iterator[Desk]:
    """0.1.0-r1 serves prod, as recorded; the platform is down."""
    made = copied(served_once, tmp_path / "desk")
    yield made
    made.close()


@pytest.fixture(scope="session")
def two_once(served_once: Desk, tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """0.1.0-r1 serves prod, and a better 0.2.0-r1 is trained."""
    made = copied(served_once, tmp_path_factory.mktemp("two") / "desk")
    made.change("src/pipeline_steps/train_model/task.py", "THRESHOLD = 40", "THRESHOLD = 50")
    made.merge("feat: a better threshold")
    done = made.tagline("ci")
    assert done.code == 0, done
    return made


@pytest.fixture
def two(two_once: Desk, tmp_path: Path) -> Iterator[Desk]:
    """0.1.0-r1 serves prod, as recorded; 0.2.0-r1 is trained; the platform is down."""
    made = copied(two_once, tmp_path / "desk")
    yield made
    made.close()
