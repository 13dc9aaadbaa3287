"""A remote on this disk is left alone by every command, however git lets it be named."""

import subprocess
from pathlib import Path

import pytest
from tagline.pipeline.project import remote_folders

from .test_guards import mounts_allowed, shell

NAMES = {
    "the folder itself": ("{}/a b/c.git", "{}/a b/c.git"),
    "without .git": ("{}/a b/c", "{}/a b/c.git"),
    "a slash behind it": ("{}/a b/c/", "{}/a b/c.git"),
    "from the work tree": ("../a b/c", "{}/a b/c.git"),
    "a URL": ("file://{}/a%20b/c", "{}/a b/c.git"),
    "a URL with other signs encoded": ("file://{}/a%20b/%63.git", "{}/a b/c.git"),
    "from the user's home": ("~/a b/c", "{}/a b/c.git"),
    "a work tree": ("{}/tree", "{}/tree"),
    "a work tree named .git": ("{}/named", "{}/named.git"),
    "a work tree whose git folder lies elsewhere": ("{}/apart", "{}/elsewhere"),
}


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a work tree `repo` and what its remote could be."""
    disk = tmp_path / "disk"
    (disk / "a b").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(disk))
    git(disk, "init", "-q", "repo")
    git(disk, "init", "-q", "--bare", "a b/c.git")
    git(disk, "init", "-q", "tree")
    git(disk, "init", "-q", "named.git")
    git(disk, "init", "-q", "--separate-git-dir", "elsewhere", "apart")
    return disk


@pytest.mark.parametrize(("url", "folder"), NAMES.values(), ids=NAMES)
def test_a_remote_on_this_disk_is_found_as_git_finds_it(disk: Path, url: str, folder: str) -> None:
    git(disk / "repo", "remote", "add", "origin", url.format(disk))
    git(disk / "repo", "ls-remote", "origin")
    assert Path(folder.format(disk)) in remote_folders(disk / "repo")


@pytest.mark.parametrize("url", ["https://host.example/c", "git@host.example:c", "{}/nowhere", "ssh://h/c"])
def test_a_remote_that_is_no_folder_here_hides_nothing(disk: Path, url: str) -> None:
    git(disk / "repo", "remote", "add", "origin", url.format(disk))
    assert remote_folders(disk / "repo") == []


@pytest.mark.skipif(
    not mounts_allowed(), reason="not applicable here: this machine allows no mounts of one's own"
)
@pytest.mark.parametrize("url", ["{}/a b/c", "file://{}/a%20b/c"])
def test_a_remote_named_without_its_suffix_can_be_neither_seen_nor_changed(
    disk: Path, tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tagline.engines.process import ProcessEngine
    from tagline.flow.opening import open_engine

    monkeypatch.setenv("HOME", str(tmp_path / "user"))
    git(disk / "repo", "remote", "add", "origin", url.format(disk))
    engine = open_engine(tmp_path / "home", {}, disk / "repo")
    assert isinstance(engine, ProcessEngine)
    remote = disk / "a b/c.git"
    script = f"cat '{remote}/HEAD'; echo theirs > '{remote}/hooks/post-receive'"
    assert "ref:" not in shell(engine, script, tmp_path, tmp_path / "log")[1]
    assert not (remote / "hooks/post-receive").exists()
