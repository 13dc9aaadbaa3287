"""The events of the CI hosts on real checkouts, as each host leaves them: detached, shallow, used before."""

from pathlib import Path

import msgspec
import pytest
from tagline.errors import AmbiguousHead, DirtyTree, NotOnALine
from tagline.git import facts
from tagline.git.occasion import Event, Occasion, as_merged, occasion
from tagline.git.releases import Scope
from tagline.git.repo import Repo
from tagline.git.state import State
from tagline.git.versions import next_version
from tagline.hosts.reading import read_call
from tagline.words import Promotion

from tests.fakes.repositories import Bare, Clone, git, linear
from tests.hosts.table import FILES, environ, load, name

ASKED = Promotion("prod", "wine", 1)
CHECKED_OUT = [file for file in FILES if load(file).workspace]


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bare, dict[str, str]]:
    """A remote with a promotion, a release line, a pull request's branch and its merge; the commits by name."""
    folder = tmp_path_factory.mktemp("remote")
    bare, author = linear(folder, "feat: begin", "fix: one")
    author.tag("v0.1.0")
    commits = {"tagged": author.commit("fix: two", {"a": "2"})}
    author.tag(str(ASKED), message="please")
    commits["release"] = author.head()
    author.git("branch", "release/1.4")
    author.git("checkout", "--quiet", "-b", "topic")
    commits["topic"] = author.commit("feat: topic", {"t": "1"})
    author.git("checkout", "--quiet", "main")
    commits["main"] = author.commit("fix: three", {"a": "3"})
    author.push("main", "release/1.4", "topic")
    author.git("merge", "--quiet", "--no-ff", "-m", "Merge topic", "topic")
    commits["merge"] = author.head()
    author.push("HEAD:refs/pull/7/merge")
    return bare, commits


def checkout(bare: Bare, folder: Path, commit: str, branch: str = "", depth: int = 0) -> Clone:
    """What a host does: an empty folder, one fetch, HEAD on a branch or detached."""
    git(folder, "init", "--quiet", "--initial-branch=main", "job")
    git(folder / "job", "remote", "add", "origin", f"file://{bare.path}")
    job = Clone(folder / "job")
    job.git("fetch", "--quiet", "--no-tags", *([f"--depth={depth}"] if depth else []), "origin", commit)
    job.git("checkout", "--quiet", *(["-B", branch] if branch else ["--detach"]), commit)
    return job


@pytest.mark.parametrize("file", CHECKED_OUT, ids=name)
def test_an_event_on_its_hosts_checkout_is_what_the_table_says(
    file: Path, remote: tuple[Bare, dict[str, str]], tmp_path: Path
) -> None:
    bare, commits = remote
    one = load(file, **commits)
    assert one.workspace and one.call and one.means
    job = checkout(bare, tmp_path, one.workspace.commit, one.workspace.branch, one.workspace.depth)
    repo = Repo.open(job.path)
    found = occasion(repo, facts.read(repo), State(), call=read_call(environ(one, tmp_path)))
    expected = {
        Event.TAG: (str(ASKED), commits["tagged"], ASKED),
        Event.SCHEDULE: ("main", commits["main"], None),
        Event.MERGE: (one.call.ref, one.workspace.commit, None),
        Event.PR: (one.call.ref, one.workspace.commit, None),
    }
    assert found == Occasion(one.means, *expected[one.means], call=one.call)


def at(file: str, commits: dict[str, str], folder: Path, repo: Repo) -> Occasion:
    one = load(next(each for each in FILES if name(each) == file), **commits)
    return occasion(repo, facts.read(repo), State(), call=read_call(environ(one, folder)))


def test_what_the_caller_says_comes_before_what_the_host_says(
    remote: tuple[Bare, dict[str, str]], tmp_path: Path
) -> None:
    bare, commits = remote
    repo = Repo.open(checkout(bare, tmp_path, commits["main"]).path)
    one = load(next(each for each in FILES if name(each) == "github/push-default"), **commits)
    call = read_call(environ(one, tmp_path))
    assert occasion(repo, facts.read(repo), State(), event="schedule", call=call).event is Event.SCHEDULE


@pytest.mark.parametrize("file", ["github/push-default", "gitlab/merge-request", "jenkins/push-declarative"])
def test_a_workspace_with_another_commit_than_the_hosts_is_an_error_and_no_guess(
    file: str, remote: tuple[Bare, dict[str, str]], tmp_path: Path
) -> None:
    bare, commits = remote
    repo = Repo.open(checkout(bare, tmp_path, commits["tagged"]).path)
    with pytest.raises(AmbiguousHead, match=f"HEAD is {commits['tagged'][:10]}") as caught:
        at(file, commits, tmp_path, repo)
    assert "git checkout" in caught.value.fix


def test_a_commit_that_is_on_no_line_is_no_merge_whatever_the_host_says(
    remote: tuple[Bare, dict[str, str]], tmp_path: Path
) -> None:
    bare, commits = remote
    job = checkout(bare, tmp_path, commits["main"])
    job.commit("feat: left here by somebody")
    with pytest.raises(NotOnALine):
        at("jenkins/push-default", commits, tmp_path, Repo.open(job.path))


def leftovers(job: Clone, main: str) -> None:
    """What earlier builds leave in a persistent workspace: tags and branches moved or gone, a stale HEAD."""
    old = job.commit("fix: of an earlier build", {"a": "old"})
    job.git("checkout", "--quiet", "--detach", main)
    for ref, value in {
        f"tags/{ASKED}": old,
        "tags/promote/prod/wine/9": main,
        "tags/v9.0.0": main,
        "heads/release/9.9": old,
        "heads/main": old,
        "remotes/origin/main": old,
        "remotes/origin/old": old,
        "tagline/origin/tags/v7.0.0": main,
        "tagline/origin/heads/main": old,
    }.items():
        job.git("update-ref", f"refs/{ref}", value)
    job.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/old")
    job.git("symbolic-ref", "refs/tagline/origin/HEAD", "refs/tagline/origin/heads/gone")


@pytest.mark.parametrize("depth", [0, 1])
@pytest.mark.parametrize(
    "file", ["jenkins/push-default", "jenkins/tag", "jenkins/schedule", "jenkins/job-schedule"]
)
def test_what_earlier_builds_left_in_the_workspace_decides_nothing(
    file: str, depth: int, remote: tuple[Bare, dict[str, str]], tmp_path: Path
) -> None:
    bare, commits = remote
    fresh = Repo.open(checkout(bare, tmp_path, commits["main"]).path)
    expected, clean = at(file, commits, tmp_path, fresh), facts.read(fresh)
    (tmp_path / "used").mkdir()
    used = checkout(bare, tmp_path / "used", commits["main"], depth=depth)
    leftovers(used, commits["main"])
    repo = Repo.open(used.path)
    assert at(file, commits, tmp_path, repo) == expected
    seen = facts.read(repo)
    assert (seen.tags, seen.heads, seen.default_branch) == (clean.tags, clean.heads, clean.default_branch)


def test_a_changed_file_that_an_earlier_build_left_is_named_before_a_release(
    remote: tuple[Bare, dict[str, str]], tmp_path: Path
) -> None:
    bare, commits = remote
    job = checkout(bare, tmp_path, commits["main"])
    job.write({"a": "changed"})
    with pytest.raises(DirtyTree, match="differs from HEAD: a"):
        Repo.open(job.path).require_clean(untracked=False)


def test_without_a_host_a_detached_shallow_clone_does_not_guess_its_branch(
    remote: tuple[Bare, dict[str, str]], tmp_path: Path
) -> None:
    bare, commits = remote
    repo = Repo.open(checkout(bare, tmp_path, commits["main"], depth=1).path)
    with pytest.raises(AmbiguousHead, match="topic"):
        occasion(repo, facts.read(repo), State())


def behind_main(folder: Path) -> tuple[Clone, dict[str, str]]:
    """A topic that left main before its last release: the source's head, and the host's merge of it."""
    _, author = linear(folder, "feat: begin")
    author.tag("v0.1.0")
    author.git("checkout", "--quiet", "-b", "topic")
    commits = {"topic": author.commit("feat: topic", {"t": "1"})}
    author.git("checkout", "--quiet", "main")
    commits["main"] = author.commit("feat: two", {"a": "2"})
    author.tag("v0.2.0")
    author.push("main", "topic")
    author.git("checkout", "--quiet", "--detach")
    author.git("merge", "--quiet", "--no-ff", "-m", "Merge topic", "topic")
    commits["merge"] = author.head()
    return author, commits


@pytest.mark.parametrize(
    ("file", "checked_out"),
    [
        ("gitlab/merge-request", "topic"),
        ("gitlab/merge-request-merged", "merge"),
        ("github/pull-request", "merge"),
        ("github/pull-request-head", "topic"),
        ("jenkins/change", "merge"),
        ("jenkins/change-head", "topic"),
    ],
)
def test_a_pull_request_foretells_the_same_release_whether_its_head_or_its_merge_is_checked_out(
    file: str, checked_out: str, tmp_path: Path
) -> None:
    author, commits = behind_main(tmp_path)
    author.git("checkout", "--quiet", "--detach", commits[checked_out])
    repo = Repo.open(author.path)
    now, seen = at(file, commits, tmp_path, repo), facts.read(repo)
    merged = msgspec.structs.replace(seen, head=as_merged(repo, seen, now))
    found = next_version(repo, merged, State(), Scope("wine"))
    assert (str(found.base), str(found.release)) == ("0.2.0", "0.3.0")
    assert found.reason.startswith("a feature since 0.2.0: feat: topic")


def test_without_the_merge_a_topic_behind_main_would_foretell_from_an_old_release(tmp_path: Path) -> None:
    author, commits = behind_main(tmp_path)
    author.git("checkout", "--quiet", "--detach", commits["topic"])
    repo = Repo.open(author.path)
    assert str(next_version(repo, facts.read(repo), State(), Scope("wine")).base) == "0.1.0"
