"""What the tests of git share: a remote, a clone of it, and the clone as tagline opens it."""

from pathlib import Path

import pytest
from tagline.git.repo import Repo

from tests.fakes.repositories import Bare, Clone, linear


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No configuration of whoever runs the tests reaches git."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Bare, Clone]:
    return linear(tmp_path)


@pytest.fixture
def bare(pair: tuple[Bare, Clone]) -> Bare:
    return pair[0]


@pytest.fixture
def clone(pair: tuple[Bare, Clone]) -> Clone:
    return pair[1]


@pytest.fixture
def repo(clone: Clone) -> Repo:
    return Repo.open(clone.path)
