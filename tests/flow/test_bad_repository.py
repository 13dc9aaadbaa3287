"""A repository that cannot be released from: each case says what, where and the way out, and loses nothing."""

import shutil
from pathlib import Path

import pytest

from tests.fakes.repositories import Bare, Clone, git
from tests.flow.stage import LEDGER, TINY, Desk


@pytest.fixture
def bare_folder(desk: Desk) -> Path:
    folder = desk.folder / "elsewhere"
    shutil.copytree(TINY, folder)
    return folder


@pytest.mark.parametrize("command", [["ci"], ["release"], ["promote", "tiny", "--to", "prod"], ["status"]])
def test_no_repository_is_said_with_the_command_that_makes_one(
    desk: Desk, bare_folder: Path, command: list[str]
) -> None:
    found = desk.tagline(*command, cwd=bare_folder)
    assert found.code == 11
    assert f"error: {bare_folder} is in no git repository" in found.err
    assert "fix:   git init" in found.err


def test_no_commit_is_said_with_the_command_that_makes_one(desk: Desk, bare_folder: Path) -> None:
    git(bare_folder, "init", "--quiet")
    found = desk.tagline("ci", cwd=bare_folder)
    assert found.code == 10
    assert "the repository has no commit yet" in found.err
    assert "fix:   git add . && git commit" in found.err


def test_no_remote_is_said_with_the_command_that_adds_one(desk: Desk) -> None:
    desk.clone.git("remote", "remove", "origin")
    found = desk.tagline("ci")
    assert found.code == 12
    assert "the repository has no remote" in found.err
    assert "fix:   git remote add origin URL" in found.err


def test_a_remote_that_nobody_pushed_to_is_said_with_the_push(desk: Desk) -> None:
    empty = Bare(desk.folder / "empty.git")
    desk.clone.git("remote", "set-url", "origin", str(empty.path))
    found = desk.tagline("ci")
    assert found.code == 10
    assert "the remote has no branch yet" in found.err
    assert "fix:   git push -u origin main" in found.err


def test_a_remote_that_vanished_is_told_apart_from_a_bad_answer(released: Desk) -> None:
    before = released.refs()
    released.bare.path.rename(released.folder / "moved.git")
    found = released.tagline("promote", "tiny", "--to", "prod")
    assert found.code == 16
    assert "there is no repository at the remote's address" in found.err
    assert "fix:   git remote set-url origin URL" in found.err
    (released.folder / "moved.git").rename(released.bare.path)
    assert released.refs() == before
    assert released.tagline("promote", "tiny", "--to", "prod").code == 0


@pytest.mark.parametrize("command", ["ci", "release"])
def test_a_dirty_tree_is_not_released_and_its_files_are_named(desk: Desk, command: str) -> None:
    before = desk.refs()
    desk.change("src/serve.py", "int(", "float(")
    found = desk.tagline(command)
    assert found.code == 13
    assert "the work tree differs from HEAD: src/serve.py" in found.err
    assert "fix:   git commit -a, or git stash -u" in found.err
    assert desk.refs() == before


def test_a_detached_head_in_two_branches_is_ambiguous(desk: Desk) -> None:
    desk.clone.push("HEAD:refs/heads/topic")
    desk.clone.git("checkout", "--quiet", "--detach")
    before = desk.refs()
    found = desk.tagline("ci")
    assert found.code == 14
    assert "HEAD is detached" in found.err
    assert "2 branches of the remote: main, topic" in found.err
    assert "fix:   tagline ci --event merge --ref main" in found.err
    assert desk.refs() == before


def test_a_detached_head_on_two_open_promotions_is_ambiguous(released: Desk) -> None:
    for env in ("prod", "staging"):
        assert released.tagline("promote", "tiny", "--to", env).code == 0
    released.clone.git("checkout", "--quiet", "--detach")
    found = released.tagline("ci")
    assert found.code == 14
    assert "2 open promotions: promote/prod/tiny/1, promote/staging/tiny/1" in found.err
    assert "fix:   tagline ci --event tag --ref promote/staging/tiny/1" in found.err
    assert "asked" not in released.kinds()


def test_a_commit_that_nobody_merged_is_no_merge(desk: Desk) -> None:
    desk.clone.commit("feat: not pushed", {"src/new.py": "x = 1\n"})
    before = desk.refs()
    found = desk.tagline("ci")
    assert found.code == 46
    assert "is not on the remote's main: nobody has merged it" in found.err
    assert "fix:   git push origin HEAD:main" in found.err
    assert desk.refs() == before


def test_a_shallow_clone_gives_the_plan_of_a_whole_one(desk: Desk) -> None:
    desk.merge("fix: another")
    git(desk.folder, "clone", "--quiet", "--depth", "1", f"file://{desk.bare.path}", "shallow")
    found = desk.tagline("ci", "--dry-run", "--json", cwd=desk.folder / "shallow")
    assert found.code == 0, found
    assert found.json() == desk.tagline("ci", "--dry-run", "--json").json()


def test_a_refused_release_leaves_no_tag_here_or_there_and_goes_on_later(desk: Desk) -> None:
    before = desk.refs(), desk.clone.refs()
    desk.bare.refuse_all()
    found = desk.tagline("release")
    assert found.code == 17
    assert "the remote refused the push of" in found.err
    assert "refs/tags/v0.1.0" in found.err
    assert "protected: you need the maintainer role" in found.err
    assert "fix:   give this machine's user the right" in found.err
    assert (desk.refs(), desk.clone.refs()) == before
    (desk.bare.path / "hooks/pre-receive").unlink()
    assert desk.tagline("release").code == 0
    assert desk.kinds() == ["released", "uploaded", "trained"]


def test_a_refused_promotion_leaves_no_tag_here_or_there(released: Desk) -> None:
    before = released.refs(), released.clone.refs()
    released.bare.refuse_all()
    found = released.tagline("promote", "tiny", "--to", "prod")
    assert found.code == 17
    assert "refs/tags/promote/prod/tiny/1" in found.err
    assert (released.refs(), released.clone.refs()) == before


def test_a_host_that_lets_tags_pass_and_not_the_ledger_gets_neither(desk: Desk) -> None:
    desk.bare.hook(f'[ "$1" != {LEDGER} ] || {{ echo "refs/tagline is reserved" >&2; exit 1; }}', "update")
    before = desk.refs()
    found = desk.tagline("release")
    assert found.code == 17
    assert "refs/tagline is reserved" in found.err
    assert desk.refs() == before


def test_another_clone_sees_the_same(released: Desk) -> None:
    other = Clone(released.bare.clone(released.folder / "other").path)
    found = released.tagline("ci", cwd=other.path)
    assert found.code == 0
    assert "merge: nothing to do: already released as 0.1.0" in found.out
