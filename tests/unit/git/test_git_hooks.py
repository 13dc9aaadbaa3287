"""Nothing in a work tree's git folder runs when tagline calls git: it may be what the tree's code left there."""

from pathlib import Path

from tagline.git import facts, process
from tagline.git.repo import Repo
from tagline.pipeline.project import copy_tree

from tests.fakes.repositories import Bare, Clone

HOOKS = (
    "reference-transaction",
    "pre-push",
    "post-index-change",
    "pre-commit",
    "commit-msg",
    "prepare-commit-msg",
    "post-commit",
    "post-checkout",
    "post-merge",
    "pre-auto-gc",
    "fsmonitor-watchman",
)


def test_no_hook_of_the_work_tree_runs_when_tagline_calls_git(clone: Clone, tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    for name in HOOKS:
        hook = clone.path / ".git/hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f'#!/bin/sh\necho "{name} $GIT_TOKEN" >> {witness}\n')
        hook.chmod(0o755)
    repo = Repo.open(clone.path)
    facts.read(repo)
    assert process.run(["fetch", "origin"], cwd=clone.path).code == 0
    assert process.run(["update-ref", "refs/tagline/probe", "HEAD"], cwd=clone.path).code == 0
    assert process.run(["push", "origin", "HEAD:refs/heads/other"], cwd=clone.path).code == 0
    assert copy_tree(clone.path, tmp_path / "copy").is_dir()
    assert not witness.exists(), witness.read_text()


def test_the_hooks_of_a_remote_on_this_disk_still_judge_a_push(bare: Bare, clone: Clone) -> None:
    bare.refuse_all()
    said = process.run(["push", "origin", "HEAD:refs/heads/other"], cwd=clone.path)
    assert said.code != 0 and "you need the maintainer role" in said.err


def test_no_program_that_the_work_trees_settings_name_runs_when_its_files_are_listed(
    clone: Clone, tmp_path: Path
) -> None:
    witness, program = tmp_path / "witness", tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {witness}\n")
    program.chmod(0o755)
    clone.git("config", "core.fsmonitor", str(program))
    copy_tree(clone.path, tmp_path / "copy")
    assert not witness.exists()
