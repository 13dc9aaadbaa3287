"""The wheel by itself: built from this tree, run where the tree is not."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
import tagline

from tests.ci.components import ROOT

PACKED = {"ci/tagline": "tagline", "ci/tagline_task/src/tagline_task": "tagline_task"}


@dataclass(frozen=True)
class Installed:
    """An environment with the wheel, whose requirements are the suite's; `files` are the wheel's."""

    bin: Path
    files: set[str]

    def run(self, folder: Path, *command: str) -> str:
        done = subprocess.run(
            [str(self.bin / command[0]), *command[1:]],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": str(folder)},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    here = folder / "env"
    for command in (
        [*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", str(folder), str(ROOT)],
        [sys.executable, "-m", "venv", "--without-pip", str(here)],
    ):
        subprocess.run(command, check=True, timeout=120)
    (wheel,) = folder.glob("tagline-*.whl")
    install = [*pip, "--python", str(here), "install", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(install, check=True, timeout=120)
    (site,) = here.glob("lib/python*/site-packages")
    # a line of a .pth is a folder and no more: the suite's own link to this tree is not followed
    (site / "requirements.pth").write_text(sysconfig.get_path("purelib"))
    with zipfile.ZipFile(wheel) as content:
        return Installed(here / "bin", set(content.namelist()))


def test_the_wheel_says_its_version_and_is_not_this_tree(installed: Installed, tmp_path: Path) -> None:
    assert installed.run(tmp_path, "tagline", "--version") == f"tagline {tagline.__version__}\n"
    where = installed.run(
        tmp_path, "python", "-c", "import tagline, tagline_task as t; print(tagline.__file__, t.__file__)"
    )
    assert [Path(one).is_relative_to(installed.bin.parent) for one in where.split()] == [True, True]


def test_the_wheel_makes_a_project(installed: Installed, tmp_path: Path) -> None:
    installed.run(tmp_path, "tagline", "init", "wine", "--defaults")
    made = {
        str(one.relative_to(tmp_path / "wine")) for one in (tmp_path / "wine").rglob("*") if one.is_file()
    }
    assert {
        "tagline.yaml",
        "Jenkinsfile",
        "src/pipeline_steps/train_model/task.py",
        "data/holdout.csv",
    } <= made


def test_the_wheel_holds_every_module_of_the_tree(installed: Installed) -> None:
    for folder, package in PACKED.items():
        modules = {f"{package}/{one.relative_to(ROOT / folder)}" for one in (ROOT / folder).rglob("*.py")}
        assert modules - installed.files == set()
