"""`tagline build --push` as a person or a CI job types it: what it refuses never reaches the registry."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from tagline.errors import EventNotUsable, SecretExposed
from tagline.hosts.reading import without_host
from tagline.images.reference import Reference
from tagline.images.registry import Repository

from tests.contract.images.conftest import Bench
from tests.fakes.repositories import git

VALUE = "correct-horse-battery"
PULL_REQUEST = {
    "GITLAB_CI": "true",
    "CI_PIPELINE_SOURCE": "merge_request_event",
    "CI_MERGE_REQUEST_IID": "7",
    "CI_PIPELINE_URL": "https://gitlab.example.com/ml/wine/-/pipelines/9",
}
PUSH = {"GITLAB_CI": "true", "CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "main"}


@pytest.fixture
def tree(bench: Bench) -> Path:
    """The bench's project as a git repository that ignores `.env`."""
    text = f"pipeline: wine\nimage: {{repository: {bench.own.image.repository}, dockerfile: Dockerfile}}\n"
    (bench.tree / "tagline.yaml").write_text(text)
    (bench.tree / ".gitignore").write_text("/.env\n")
    git(bench.tree, "init", "--quiet")
    return bench.tree


def push(tree: Path, bench: Bench, more: Mapping[str, str] = {}) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("tagline")), "build", "--push"]
    env = {**without_host(bench.environ), "TAGLINE_HOME": str(bench.logs.parent / "home"), **more}
    return subprocess.run(
        command, cwd=tree, env=env, capture_output=True, text=True, timeout=240, check=False
    )


def there(bench: Bench) -> bool:
    """Whether the registry knows the repository at all."""
    place = Reference.parse(bench.own.image.repository)
    return Repository(place, bench.environ)._send("GET", "tags/list", {}).status == 200


def test_a_layer_with_a_value_of_dotenv_is_not_sent(tree: Path, bench: Bench) -> None:
    (tree / ".env").write_text(f"DATABASE={VALUE}\n")
    (tree / "src/leak.txt").write_text(f"the address is {VALUE}\n")
    refused = push(tree, bench)
    assert refused.returncode == SecretExposed.exit_code, refused.stderr
    assert "DATABASE" in refused.stderr
    assert VALUE not in refused.stdout + refused.stderr
    assert not there(bench)
    (tree / ".env").write_text("DATABASE=another-value\n")
    assert push(tree, bench).returncode == 0  # the same layer passes where the value is nobody's secret
    assert there(bench)


def test_a_pull_request_s_job_may_build_and_not_push(tree: Path, bench: Bench) -> None:
    refused = push(tree, bench, PULL_REQUEST)
    assert refused.returncode == EventNotUsable.exit_code, refused.stderr
    assert "fix:   tagline build, without --push" in refused.stderr
    assert PULL_REQUEST["CI_PIPELINE_URL"] in refused.stderr
    assert not there(bench)
    assert push(tree, bench, PUSH).returncode == 0
    assert there(bench)
