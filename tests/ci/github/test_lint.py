"""What GitHub runs is clean: actionlint with shellcheck, and zizmor, which looks for holes."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tagline.flow.desk.create import create

from tests.ci.components import ROOT, system_tool, tool

FILES = (".github", "action.yml")


def lint(*words: str, cwd: Path = ROOT) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=120, env=os.environ.copy())


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The files that GitHub runs, in a folder of their own."""
    for name in FILES:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    return tmp_path


def test_actionlint_finds_nothing() -> None:
    system_tool("shellcheck")
    done = lint(str(tool("actionlint")), ".github/workflows/tagline.yml")
    assert done.returncode == 0, done.stdout


@pytest.fixture
def called(tmp_path: Path) -> Path:
    """A project whose workflow names a commit of tagline."""
    create(
        tmp_path / "wine", answers={"ci": "github", "ref": "5" * 40, "library": "acme/tagline"}, defaults=True
    )
    return tmp_path / "wine"


def test_the_callers_workflow_is_clean(called: Path) -> None:
    linted = lint(str(tool("actionlint")), cwd=called)
    assert linted.returncode == 0, linted.stdout
    searched = lint(str(tool("zizmor")), "--offline", "--no-progress", ".", cwd=called)
    assert searched.returncode == 0, searched.stdout


def test_zizmor_finds_nothing(copied: Path) -> None:
    done = lint(str(tool("zizmor")), "--offline", "--no-progress", ".", cwd=copied)
    assert done.returncode == 0, done.stdout


def test_zizmor_would_find_an_action_that_is_not_pinned(copied: Path) -> None:
    workflow = copied / ".github/workflows/tagline.yml"
    text = workflow.read_text()
    workflow.write_text(text.replace("@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1", "@v7"))
    done = lint(str(tool("zizmor")), "--offline", "--no-progress", ".", cwd=copied)
    assert done.returncode != 0
    assert "unpinned" in done.stdout
