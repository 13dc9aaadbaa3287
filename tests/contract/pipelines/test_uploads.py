"""Uploaded versions: the same again is nothing, other content is an error, a kill in between is mended."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tagline.errors import ContentDiffers, StateBroken
from tagline.platforms import UploadedVersion
from tagline.words import Release

from . import projects
from .conftest import World

FIRST = Release(0, 1, 0)


def upload(world: World, release: Release = FIRST) -> UploadedVersion:
    compiled = projects.compile_to(projects.one, world.folder / "one.yaml")
    return world.pipelines.upload("wine", release, "c0ffee", compiled, world.source)


def test_an_upload_keeps_the_compiled_file_and_the_tree(world: World) -> None:
    version = upload(world)
    assert version.compiled.read_bytes() == (world.folder / "one.yaml").read_bytes()
    assert (version.source / "src/step.py").read_text() == projects.STEP
    assert version.identity.startswith("env:sha256:")
    assert world.pipelines.version("wine", FIRST) == version
    assert world.pipelines.version("wine", Release(0, 2, 0)) is None


def test_the_same_content_again_is_the_same_version(world: World) -> None:
    assert upload(world) == upload(world)


def test_other_content_is_refused_and_the_difference_shown(world: World) -> None:
    version = upload(world)
    (world.source / "src/step.py").write_text("print('other')")
    (world.source / "src/new.py").write_text("")
    with pytest.raises(ContentDiffers) as caught:
        upload(world)
    assert "added: src/new.py\n  changed: src/step.py" in str(caught.value)
    assert (version.source / "src/step.py").read_text() == projects.STEP


def test_a_file_that_became_executable_is_other_content(world: World) -> None:
    upload(world)
    (world.source / "src/step.py").chmod(0o755)
    with pytest.raises(ContentDiffers, match=r"changed: src/step\.py"):
        upload(world)


def test_versions_are_ordered_by_release_and_not_by_letters(world: World) -> None:
    for release in (Release(0, 10, 0), Release(0, 9, 0), Release(0, 9, 0, "rc.1")):
        upload(world, release)
    assert [str(each.release) for each in world.pipelines.versions("wine")] == [
        "0.9.0-rc.1",
        "0.9.0",
        "0.10.0",
    ]
    assert world.pipelines.versions("beer") == []


KILLER = """
import os, sys
from pathlib import Path
from tagline.engines.process import ProcessEngine
from tagline.platforms.local.pipelines import LocalPipelines
from tagline.words import Release
folder, stop, seen = Path(sys.argv[1]), int(sys.argv[2]), 0
CALLS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.copytree", "sqlite3.connect"}
def hook(name, arguments):
    global seen
    if name in CALLS and str(folder / "home") in str(arguments):
        seen += 1
        if seen == stop:
            os.kill(os.getpid(), 9)
pipelines = LocalPipelines(folder / "home", ProcessEngine(folder / "venvs", {}), {})
sys.addaudithook(hook)
pipelines.upload("wine", Release(0, 1, 0), "c0ffee", folder / "one.yaml", folder / "source")
"""


def test_killed_before_any_call_and_repeated_it_is_the_same_version(world: World, tmp_path: Path) -> None:
    wanted = upload(world)
    points = 0
    while True:
        points += 1
        world.home.rename(tmp_path / f"home-{points}")
        world.home.mkdir()
        words = [sys.executable, "-c", KILLER, str(world.folder), str(points)]
        killed = subprocess.run(words, timeout=60, check=False)
        assert upload(world) == wanted
        left = [name for name in os.listdir(world.home / "versions/wine") if name.startswith(".")]
        assert left == []
        if killed.returncode == 0:
            break
    assert points > 10


def test_a_database_that_cannot_be_read_is_an_error_that_names_it(world: World) -> None:
    (world.home / "pipelines.sqlite").write_bytes(b"this is no database " * 100)
    with pytest.raises(StateBroken, match="cannot be read"):
        world.pipelines.versions("wine")
