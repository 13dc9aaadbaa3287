"""The gate's world as a fixture."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .gate_world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    yield World(tmp_path)
    assert not list((tmp_path / "work").glob("*")), "the gate left something behind"
