"""A shallow clone and a claim over HTTP, as hosts serve git: `git http-backend` on loopback."""

from pathlib import Path

import pytest
from tagline.git import facts, ledger
from tagline.git.repo import Repo
from tagline.git.verify import verify

from tests.fakes.git_http import serving
from tests.fakes.racing import claim
from tests.fakes.repositories import git
from tests.unit.git.test_git_depth import answer, commits, history

COMMIT_SIZE = 2000


def job(url: str, folder: Path) -> Repo:
    git(folder, "clone", "--quiet", "--depth=1", "--no-tags", f"{url}/remote.git", "job")
    git(folder / "job", "checkout", "--quiet", "--detach")
    return Repo.open(folder / "job")


@pytest.mark.parametrize("version", [0, 2])
def test_a_shallow_clone_over_http_is_deepened_to_the_release_and_without_contents(
    version: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bare = history(tmp_path, 400, {20: "v0.1.0", 380: "v0.2.0"})
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "protocol.version")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", str(version))
    git(bare.path, "config", "uploadpack.allowAnySHA1InWant", "true")
    with serving(tmp_path) as (url, sent):
        repo = job(url, tmp_path)
        cloned = sum(sent)
        found = answer(repo)
    assert (str(found.base), str(found.release)) == ("0.2.0", "0.2.1")
    assert 21 <= commits(repo) < 100
    assert sum(sent) - cloned < 50 * COMMIT_SIZE


def test_a_host_that_gives_no_commit_by_its_hash_gives_all_of_its_history(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history(tmp_path, 300, {20: "v0.1.0", 100: "v0.2.0"})
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "protocol.version")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "0")
    with serving(tmp_path) as (url, _):
        repo = job(url, tmp_path)
        git(repo.root, "fetch", "--quiet", "--depth=3", "origin", "main")
        found = answer(repo)
    assert (str(found.base), commits(repo)) == ("0.2.0", 300)


def test_a_claim_from_a_shallow_clone_over_http_is_whole(tmp_path: Path) -> None:
    bare = history(tmp_path, 30, {})
    git(bare.path, "config", "http.receivepack", "true")
    with serving(tmp_path) as (url, _):
        repo = job(url, tmp_path)
        claim(repo.root)
        seen = facts.read(repo)
        assert len(ledger.read(repo, seen).events) == 1
        assert verify(repo, seen) == []
    assert "refs/tags/v0.1.0" in bare.refs()
