"""Whoever carries out a plan, or checks a tree, sweeps what killed processes left in the temporary place."""

import contextlib
import os
import tempfile
import time
from pathlib import Path

import pytest
from tagline.errors import TaglineError
from tagline.flow.checking.checks import check_work_tree
from tagline.flow.ci import run_plan
from tagline.flow.steps import Nothing, Plan
from tagline.git.occasion import Event
from tagline.temporary import OLD

from tests.unit.flow.world import stage


@pytest.fixture
def left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of a process that was killed two days ago."""
    place = tmp_path / "temporary"
    made = place / "tagline-compile-abcd_123"
    made.mkdir(parents=True, mode=0o700)
    old = time.time() - 2 * OLD
    os.utime(made, (old, old))
    monkeypatch.setenv("TMPDIR", str(place))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return made


def test_a_plan_that_is_carried_out_sweeps(left: Path, tmp_path: Path) -> None:
    on = stage(tmp_path)
    run_plan(on.world, Plan(Event.SCHEDULE, "main", [Nothing(reason="nothing is open")]))
    assert not left.exists()


def test_a_check_of_the_work_tree_sweeps(left: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAGLINE_HOME", str(tmp_path / "home"))
    on = stage(tmp_path)
    with contextlib.suppress(TaglineError):  # the stage's project is not one that passes
        check_work_tree(on.world.repo.root, smoke=False, fix=False, told=lambda told: None)
    assert not left.exists()
