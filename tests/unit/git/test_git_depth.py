"""A shallow clone answers as a whole one does: it is deepened as far as that needs, without file contents."""

import random
from pathlib import Path

import pytest
from tagline.errors import ShallowClone
from tagline.git import depth, facts
from tagline.git.history import check_on_a_line
from tagline.git.releases import Scope
from tagline.git.repo import Repo
from tagline.git.state import State
from tagline.git.versions import NextVersion, next_version

from tests.fakes.repositories import Bare, git

TYPES = ("fix: a", "feat: b", "docs: c", "feat!: d", "chore: e")


def history(path: Path, commits: int, tags: dict[int, str], *, filtering: bool = True) -> Bare:
    """A remote whose main has so many commits, each rewriting a large file, and these tags."""
    bare = Bare(path / "remote.git")
    git(bare.path, "config", "uploadpack.allowFilter", "true" if filtering else "false")
    stream = []
    for n in range(1, commits + 1):
        parent = f"from :{n - 1}\n" if n > 1 else ""
        text = f"{n} {'x' * 2000}\n"
        stream.append(
            f"commit refs/heads/main\nmark :{n}\ncommitter Ada <ada@example.org> {1_700_000_000 + n} +0000\n"
            f"data 6\nfix: {n % 10}\n{parent}M 100644 inline src/f{n % 3}.py\ndata {len(text)}\n{text}\n"
        )
    stream += [f"reset refs/tags/{tag}\nfrom :{n}\n\n" for n, tag in tags.items()]
    git(bare.path, "fast-import", "--quiet", stdin="".join(stream))
    return bare


def shallow(bare: Bare, path: Path, at: str = "main", keep: int = 1) -> Repo:
    """A clone as hosts make it: one commit, detached."""
    git(path.parent, "init", "--quiet", "--initial-branch=main", str(path))
    git(path, "remote", "add", "origin", f"file://{bare.path}")
    git(path, "fetch", "--quiet", "--no-tags", f"--depth={keep}", "origin", at)
    git(path, "checkout", "--quiet", "--detach", "FETCH_HEAD")
    return Repo.open(path)


def whole(bare: Bare, path: Path, at: str = "main") -> Repo:
    clone = bare.clone(path)
    clone.git("checkout", "--quiet", "--detach", f"origin/{at}" if at == "main" else at)
    return Repo.open(path)


def answer(repo: Repo) -> NextVersion:
    return next_version(repo, facts.read(repo), State(), Scope("wine"))


def commits(repo: Repo) -> int:
    return int(repo.text("rev-list", "--count", "HEAD"))


def contents_left_out(repo: Repo) -> int:
    return repo.text("rev-list", "--objects", "--missing=print", "HEAD").count("?")


def test_a_shallow_clone_is_deepened_to_the_newest_release_and_no_further(tmp_path: Path) -> None:
    bare = history(tmp_path, 400, {20: "v0.1.0", 380: "v0.2.0"})
    repo = shallow(bare, tmp_path / "job")
    assert answer(repo) == answer(whole(bare, tmp_path / "whole"))
    assert 21 <= commits(repo) < 100


def test_no_old_file_contents_are_brought_where_the_remote_can_leave_them_out(tmp_path: Path) -> None:
    bare = history(tmp_path, 60, {1: "v0.1.0"})
    repo = shallow(bare, tmp_path / "job")
    assert answer(repo) == answer(whole(bare, tmp_path / "whole"))
    assert contents_left_out(repo) == 57


def test_a_repository_without_a_release_needs_its_whole_history(tmp_path: Path) -> None:
    bare = history(tmp_path, 300, {})
    repo = shallow(bare, tmp_path / "job")
    assert str(answer(repo).release) == "0.1.0"
    assert commits(repo) == 300


def test_the_newest_promotion_of_a_model_is_connected_however_old_it_is(tmp_path: Path) -> None:
    tags = {10: "promote/prod/wine/1", 30: "promote/prod/wine/2", 390: "v0.2.0"}
    bare = history(tmp_path, 400, tags)
    repo = shallow(bare, tmp_path / "job")
    seen = facts.read(repo)
    check_on_a_line(repo, seen, seen.tags["promote/prod/wine/2"].commit, "the promotion")
    assert sorted(seen.tags) == sorted(tags.values())


def test_a_remote_that_sends_no_less_than_everything_is_enough(tmp_path: Path) -> None:
    bare = history(tmp_path, 100, {90: "v0.1.0"}, filtering=False)
    assert answer(shallow(bare, tmp_path / "job")) == answer(whole(bare, tmp_path / "whole"))


def test_a_remote_that_is_shallow_itself_is_an_error_and_no_guess(tmp_path: Path) -> None:
    bare = history(tmp_path, 400, {20: "v0.1.0"})
    git(tmp_path, "clone", "--quiet", "--bare", "--depth=5", f"file://{bare.path}", "mirror.git")
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{tmp_path}/mirror.git", "job")
    with pytest.raises(ShallowClone, match="the remote does not give the history"):
        facts.read(Repo.open(tmp_path / "job"))


def test_without_the_check_for_enough_a_shallow_clone_would_answer_wrongly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = history(tmp_path, 400, {20: "v0.1.0", 200: "v0.2.0"})
    right = answer(whole(bare, tmp_path / "whole"))
    monkeypatch.setattr(depth, "_enough", lambda *args: True)
    repo = shallow(bare, tmp_path / "job")
    git(repo.root, "fetch", "--quiet", "--depth=1", "origin", "+refs/heads/*:refs/tagline/origin/heads/*")
    assert answer(repo) != right


def test_looked_at_again_a_deepened_clone_fetches_nothing_more(tmp_path: Path) -> None:
    bare = history(tmp_path, 400, {380: "v0.2.0"})
    repo = shallow(bare, tmp_path / "job")
    first, held = facts.read(repo), commits(repo)
    assert facts.read(repo).tags == first.tags
    assert commits(repo) == held


def test_another_commits_files_are_brought_when_they_are_exported(tmp_path: Path) -> None:
    bare = history(tmp_path, 100, {40: "v0.1.0"})
    repo = shallow(bare, tmp_path / "job")
    seen = facts.read(repo)
    repo.export(seen.tags["v0.1.0"].commit, tmp_path / "tree")
    assert len(list((tmp_path / "tree/src").iterdir())) == 3


def tangled(path: Path, seed: int) -> tuple[Bare, str]:
    """A remote with merges, a line of release and releases at random; and the commit to look from."""
    chance = random.Random(seed)
    bare = Bare(path / "remote.git")
    clone = bare.clone(path / "author")
    clone.commit("feat: begin", {"f": "0"})
    version = 0
    for n in range(1, chance.randint(14, 28)):
        if chance.random() < 0.3 and n > 2:
            clone.git("checkout", "--quiet", "-b", f"topic{n}", f"HEAD~{chance.randint(1, 2)}")
            clone.commit(chance.choice(TYPES), {f"t{n}": str(n)})
            clone.git("checkout", "--quiet", "main")
            clone.git("merge", "--quiet", "--no-ff", "-m", f"Merge topic{n}", f"topic{n}")
        else:
            clone.commit(chance.choice(TYPES), {"f": str(n)})
        if chance.random() < 0.2:
            version += 1
            clone.tag(f"v0.{version}.0", push=False)
            if chance.random() < 0.4:
                clone.git("branch", f"release/0.{version}")
    clone.git(
        "push", "--quiet", "origin", "main", "--tags", "refs/heads/release/*:refs/heads/release/*"
    ) if any(name.startswith("refs/heads/release/") for name in clone.refs()) else clone.git(
        "push", "--quiet", "origin", "main", "--tags"
    )
    seen_from = chance.choice([clone.head(), *clone.git("rev-list", "HEAD").split()[:6]])
    git(bare.path, "config", "uploadpack.allowAnySHA1InWant", "true")
    git(bare.path, "config", "uploadpack.allowFilter", "true")
    return bare, seen_from


def said(repo: Repo) -> str:
    try:
        return repr(answer(repo))
    except Exception as error:  # the same error is the same answer
        return repr(error)


@pytest.mark.parametrize("seed", range(8))
def test_whatever_the_history_a_shallow_clone_answers_as_a_whole_one(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(depth, "DEPTHS", (2, 4, 8))
    bare, commit = tangled(tmp_path, seed)
    assert said(shallow(bare, tmp_path / "job", commit)) == said(whole(bare, tmp_path / "whole", commit))
