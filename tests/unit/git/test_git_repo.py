"""A clone on this machine: opening it, its remote, its cleanness, its commits as files."""

import os
from pathlib import Path

import pytest
from tagline.errors import DirtyTree, NoRemote, NoRepository, RepositoryError, ShallowClone
from tagline.git import facts
from tagline.git.repo import Repo

from tests.fakes.repositories import Bare, Clone, git


def test_a_folder_in_no_repository_is_an_error_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(NoRepository) as caught:
        Repo.open(tmp_path)
    assert caught.value.fix.startswith("git init")


def test_a_folder_that_does_not_exist_is_no_repository(tmp_path: Path) -> None:
    with pytest.raises(NoRepository):
        Repo.open(tmp_path / "gone")


def test_a_bare_repository_is_refused_with_clone_as_the_way_out(bare: Bare) -> None:
    with pytest.raises(NoRepository) as caught:
        Repo.open(bare.path)
    assert "git clone" in caught.value.fix


def test_a_subfolder_opens_the_repository_around_it(clone: Clone) -> None:
    assert Repo.open(clone.path / "src").root == clone.path


def test_variables_that_a_hook_sets_do_not_lead_git_elsewhere(
    clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = clone.head()
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    assert Repo.open(clone.path).head() == head


def test_no_remote_prints_the_command_that_adds_one(clone: Clone, repo: Repo) -> None:
    clone.git("remote", "remove", "origin")
    with pytest.raises(NoRemote) as caught:
        repo.remote()
    assert caught.value.fix == "git remote add origin URL"


def test_the_only_remote_is_taken_whatever_its_name(clone: Clone, repo: Repo) -> None:
    clone.git("remote", "rename", "origin", "company")
    assert repo.remote() == "company"


def test_two_remotes_without_origin_are_an_error(clone: Clone, repo: Repo) -> None:
    clone.git("remote", "rename", "origin", "one")
    clone.git("remote", "add", "two", "x")
    with pytest.raises(NoRemote, match="one, two"):
        repo.remote()


def test_a_token_in_the_remotes_address_is_never_shown(clone: Clone, repo: Repo) -> None:
    clone.git("remote", "set-url", "origin", "https://bot:s3cret@host.example/team/wine.git")
    assert repo.url() == "https://***@host.example/team/wine.git"


def test_a_dirty_tree_names_its_files(clone: Clone, repo: Repo) -> None:
    clone.write({"src/train.py": "changed", "new file.py": ""})
    with pytest.raises(DirtyTree, match=r"src/train\.py, new file\.py"):
        repo.require_clean()


def test_files_that_git_does_not_know_can_be_left_out_of_the_question(clone: Clone, repo: Repo) -> None:
    clone.write({"report.xml": ""})
    assert (repo.dirty_files(untracked=False), repo.is_clean()) == ([], False)


def test_a_repository_without_commits_says_so(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "empty")
    with pytest.raises(RepositoryError, match="no commit yet"):
        Repo.open(tmp_path / "empty").head()


def test_a_shallow_clone_that_may_not_ask_its_remote_is_refused_with_the_command_that_deepens_it(
    bare: Bare, clone: Clone
) -> None:
    clone.commit("fix: more", {"a": "1"})
    clone.push()
    git(bare.path.parent, "clone", "--quiet", "--depth=1", f"file://{bare.path}", "shallow")
    with pytest.raises(ShallowClone) as caught:
        facts.read(Repo.open(bare.path.parent / "shallow"), fetch=False)
    assert "git fetch --unshallow" in caught.value.fix


def test_show_gives_a_files_bytes_at_a_commit(clone: Clone, repo: Repo) -> None:
    old = clone.head()
    clone.commit("fix: x", {"src/train.py": "other"})
    assert repo.show(old, "src/train.py") == b"step = 0\n"


@pytest.mark.parametrize("path", ["missing", "src"])
def test_show_of_what_is_no_file_is_none(repo: Repo, path: str) -> None:
    assert repo.show("HEAD", path) is None


def test_export_keeps_every_file_and_mode_whatever_attributes_and_settings_say(
    clone: Clone, repo: Repo, tmp_path: Path
) -> None:
    clone.write({".gitattributes": "tests export-ignore\n*.txt export-subst\n", "run.sh": "#!/bin/sh\n"})
    clone.write({"tests/test_a.py": "1\n", "note.txt": "$Format:%H$\n", "döc ument": "x"})
    (clone.path / "run.sh").chmod(0o755)
    (clone.path / "link").symlink_to("run.sh")
    commit = clone.commit("feat: files")
    clone.git("config", "core.autocrlf", "true")
    clone.write({"run.sh": "dirty"})
    dest = tmp_path / "out"
    repo.export(commit, dest)
    assert sorted(p.relative_to(dest).as_posix() for p in dest.rglob("*") if not p.is_dir()) == [
        ".gitattributes",
        "döc ument",
        "link",
        "note.txt",
        "run.sh",
        "src/train.py",
        "tests/test_a.py",
    ]
    assert (dest / "run.sh").read_bytes() == b"#!/bin/sh\n"
    assert (dest / "note.txt").read_text() == "$Format:%H$\n"
    assert os.access(dest / "run.sh", os.X_OK)
    assert (dest / "link").is_symlink()


def test_export_leaves_out_what_is_excluded_and_nothing_else(
    clone: Clone, repo: Repo, tmp_path: Path
) -> None:
    commit = clone.commit("feat: x", {"docs/a.md": "", "docs2/b.md": ""})
    repo.export(commit, tmp_path / "out", exclude=["docs/"])
    assert not (tmp_path / "out" / "docs").exists()
    assert (tmp_path / "out" / "docs2" / "b.md").exists()


def test_export_does_not_touch_the_index_or_the_work_tree(clone: Clone, repo: Repo, tmp_path: Path) -> None:
    clone.write({"src/train.py": "edited"})
    clone.git("add", "src/train.py")
    before = clone.git("status", "--porcelain")
    repo.export("HEAD", tmp_path / "out")
    assert clone.git("status", "--porcelain") == before


def test_export_refuses_a_folder_that_holds_something(repo: Repo, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "x").touch()
    with pytest.raises(RepositoryError, match="not empty"):
        repo.export("HEAD", tmp_path / "out")


@pytest.mark.parametrize("target", ["/proc/self/environ", "../../.git-credentials"])
def test_export_refuses_a_link_that_leads_out_of_the_tree(
    clone: Clone, repo: Repo, tmp_path: Path, target: str
) -> None:
    (clone.path / "src/requirements.txt").symlink_to(target)
    commit = clone.commit("feat: a link")
    with pytest.raises(RepositoryError, match=r"src/requirements\.txt is a link that leads out of the tree"):
        repo.export(commit, tmp_path / "out")
