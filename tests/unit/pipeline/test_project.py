"""The conventional tree: where the pipeline lies, how a tree is copied, and when a lock is none."""

import subprocess
from pathlib import Path

import pytest
from tagline.errors import LockMissing, PipelineError
from tagline.pipeline.project import Project, check_lock, copy_tree, git_folders

HASH = f"--hash=sha256:{'0' * 64}"


def write(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


def names(root: Path) -> list[str]:
    return sorted(
        str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir() or path.is_symlink()
    )


def git(root: Path, *words: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"]
    subprocess.run(["git", *identity, *words], cwd=root, check=True, capture_output=True)


def repository(root: Path) -> Path:
    write(root, "kept.py", "removed.py", "data/holdout.csv", ".gitignore", "src/ä b.py")
    (root / ".gitignore").write_text("ignored.csv\n")
    git(root, "init", "-q")
    git(root, "add", ".")
    git(root, "commit", "-qm", "x")
    (root / "removed.py").unlink()
    return write(root, "new.py", "ignored.csv")


def test_the_conventional_pipeline_comes_first(tmp_path: Path) -> None:
    write(tmp_path, "docker/kubeflow_pipeline/pipeline.py", "pipeline.py", "tests/test_x.py")
    project = Project.find(tmp_path)
    assert project.pipeline == tmp_path / "docker/kubeflow_pipeline/pipeline.py"
    assert project.committed == tmp_path / "docker/kubeflow_pipeline/pipeline.yaml"
    assert project.tests == tmp_path / "tests"


def test_a_pipeline_in_the_root_is_found(tmp_path: Path) -> None:
    project = Project.find(write(tmp_path, "pipeline.py"))
    assert project.pipeline == tmp_path / "pipeline.py"
    assert project.tests is None


def test_a_folder_without_a_pipeline_is_told_both_places(tmp_path: Path) -> None:
    with pytest.raises(PipelineError) as caught:
        Project.find(tmp_path)
    assert "neither docker/kubeflow_pipeline/pipeline.py nor pipeline.py" in caught.value.what
    assert caught.value.where == str(tmp_path)


def test_a_conventional_file_belongs_to_its_projects_root(tmp_path: Path) -> None:
    write(tmp_path, "docker/kubeflow_pipeline/pipeline.py", "flows/other.py")
    assert Project.of_file(tmp_path / "docker/kubeflow_pipeline/pipeline.py").root == tmp_path
    assert Project.of_file(tmp_path / "flows/other.py").root == tmp_path / "flows"


def test_a_copy_holds_what_git_tracks_or_would_track(tmp_path: Path) -> None:
    tree = repository(tmp_path / "tree")
    copy = copy_tree(tree, tmp_path / "copy")
    assert names(copy) == [".gitignore", "data/holdout.csv", "kept.py", "new.py", "src/ä b.py"]


def test_a_copy_of_a_folder_inside_a_repository_holds_that_folder(tmp_path: Path) -> None:
    copy = copy_tree(repository(tmp_path / "tree") / "src", tmp_path / "copy")
    assert names(copy) == ["ä b.py"]


def test_a_copy_leaves_out_what_it_is_told(tmp_path: Path) -> None:
    tree = write(repository(tmp_path / "tree"), "data/more/x.csv", "data2/x.csv")
    copy = copy_tree(tree, tmp_path / "copy", exclude=["data", "kept.py"])
    assert names(copy) == [".gitignore", "data2/x.csv", "new.py", "src/ä b.py"]


def test_a_copy_of_a_plain_folder_leaves_out_caches(tmp_path: Path) -> None:
    write(tmp_path / "tree", "a.py", "src/b.py", "src/__pycache__/b.pyc", ".venv/bin/python")
    assert names(copy_tree(tmp_path / "tree", tmp_path / "copy")) == ["a.py", "src/b.py"]


def test_a_folder_that_git_ignores_is_copied_whole(tmp_path: Path) -> None:
    tree = write(repository(tmp_path / "tree"), "out/a.py")
    (tree / ".gitignore").write_text("out/\n")
    assert names(copy_tree(tree / "out", tmp_path / "copy")) == ["a.py"]


def test_a_copy_keeps_modes_and_links(tmp_path: Path) -> None:
    tree = write(tmp_path / "tree", "run.sh", "lib/x")
    (tree / "run.sh").chmod(0o755)
    (tree / "link").symlink_to("lib")
    (tree / "dangling").symlink_to("nowhere")
    copy = copy_tree(tree, tmp_path / "copy")
    assert (copy / "run.sh").stat().st_mode & 0o777 == 0o755
    assert (copy / "link").readlink() == Path("lib")
    assert (copy / "dangling").readlink() == Path("nowhere")


@pytest.mark.parametrize("target", ["OUTSIDE", "../outside", "lib/../../outside", "step/../../outside"])
def test_a_copy_is_refused_where_a_link_leads_out_of_the_tree(tmp_path: Path, target: str) -> None:
    (tmp_path / "outside").write_text("credential")
    tree = write(tmp_path / "tree", "lib/x")
    (tree / "step").symlink_to("lib")
    (tree / "link").symlink_to(target.replace("OUTSIDE", str(tmp_path / "outside")))
    with pytest.raises(PipelineError, match="link is a link that leads out of the tree"):
        copy_tree(tree, tmp_path / "copy")


@pytest.mark.parametrize("name", ["src/requirements.txt", "tests/requirements.txt"])
@pytest.mark.parametrize("folder", [False, True])
def test_a_lock_that_leads_out_of_the_tree_is_refused_and_not_repeated(
    tmp_path: Path, name: str, folder: bool
) -> None:
    write(tmp_path / "home", "requirements.txt")
    (tmp_path / "home/requirements.txt").write_text("credential>=1\n")
    link = write(tmp_path / "tree", "x") / (Path(name).parent if folder else name)
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(tmp_path / "home" if folder else tmp_path / "home/requirements.txt")
    with pytest.raises(LockMissing, match="cannot be read: it is a link that leaves the tree") as caught:
        check_lock(tmp_path / "tree")
    assert "credential" not in str(caught.value)


def test_a_lock_may_be_a_link_inside_the_tree(tmp_path: Path) -> None:
    write(tmp_path, "src/x", "locks/main.txt")
    (tmp_path / "locks/main.txt").write_text(f"a==1.0 {HASH}\n")
    (tmp_path / "src/requirements.txt").symlink_to("../locks/main.txt")
    check_lock(tmp_path)


def test_a_submodule_is_copied_without_its_git_file(tmp_path: Path) -> None:
    inner = repository(tmp_path / "inner")
    tree = repository(tmp_path / "tree")
    git(tree, "-c", "protocol.file.allow=always", "submodule", "add", str(inner), "vendor")
    copy = copy_tree(tree, tmp_path / "copy")
    assert (copy / "vendor/kept.py").is_file()
    assert not list(copy.rglob(".git"))


def test_a_copy_of_an_empty_folder_is_an_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    assert names(copy_tree(tmp_path / "tree", tmp_path / "copy")) == []


@pytest.mark.parametrize("text", ["", "# nothing\n", f"a==1.0 {HASH}\n", f"a==1.0 \\\n    {HASH}\n"])
def test_a_locked_requirements_file_passes(tmp_path: Path, text: str) -> None:
    write(tmp_path, "src/requirements.txt")
    (tmp_path / "src/requirements.txt").write_text(text)
    check_lock(tmp_path)


@pytest.mark.parametrize("name", ["src/requirements.txt", "tests/requirements.txt"])
@pytest.mark.parametrize("line", ["a", "a>=1", "a==1.0", f"a>=1 {HASH}", "git+https://example.com/a.git"])
def test_a_line_that_is_not_locked_is_named_with_the_command_to_lock(
    tmp_path: Path, name: str, line: str
) -> None:
    write(tmp_path, name)
    (tmp_path / name).write_text(f"b==1 {HASH}\n{line}\n")
    with pytest.raises(LockMissing) as caught:
        check_lock(tmp_path)
    assert caught.value.where == f"{name}:2"
    assert "--generate-hashes" in caught.value.fix


def test_a_project_without_requirements_needs_no_lock(tmp_path: Path) -> None:
    check_lock(tmp_path)


def test_the_git_folders_of_a_linked_work_tree_are_both_its_own_and_the_common_one(tmp_path: Path) -> None:
    main = repository(tmp_path / "main")
    git(main, "worktree", "add", "-q", str(tmp_path / "linked"))
    common = main / ".git"
    assert git_folders(main / "src") == [common]
    assert git_folders(tmp_path / "linked") == [common, common / "worktrees/linked"]


def test_a_folder_outside_any_repository_has_no_git_folder(tmp_path: Path) -> None:
    assert git_folders(tmp_path) == []
