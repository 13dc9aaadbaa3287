"""From runner to runner under GitHub: the one without a GPU hands its plan and state to the one that has it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ci.github.world import FORK, PULL_REQUEST, GitHub, a_github, caller
from tests.fakes.repositories import git

WANTS_A_GPU = "gpu: 1\nsmoke_when: on-pr\n"


@pytest.fixture
def github(tmp_path: Path) -> Iterator[GitHub]:
    """A project whose smoke training needs a GPU, with the merge commit of a pull request checked out."""
    with a_github(tmp_path, caller(**{"gpu-runs-on": "gpu"})) as made:
        settings = made.clone.path / "tagline.yaml"
        settings.write_text(settings.read_text() + WANTS_A_GPU)
        made.clone.commit("feat: a GPU")
        made.clone.push()
        made.clone.git("switch", "--quiet", "--create", "feature")
        (made.clone.path / "src/note.py").write_text("")
        made.clone.commit("fix: a note")
        made.clone.git("push", "--quiet", "origin", "feature")
        made.clone.git("switch", "--quiet", "--detach", "main")
        made.clone.git("merge", "--quiet", "--no-ff", "-m", "Merge feature into main", "feature")
        yield made


def of_the_branch(github: GitHub, payload: dict[str, Any]) -> dict[str, Any]:
    """The payload with the head commit of the branch."""
    pull = payload["pull_request"]
    head = pull["head"] | {"sha": git(github.bare.path, "rev-parse", "feature")}
    return payload | {"pull_request": pull | {"head": head, "base": {"ref": "main"}}}


def said(out: str, job: str) -> str:
    """What one job of a run said."""
    return "\n".join(line for line in out.splitlines() if f"/{job}" in line.split("]")[0])


def test_the_job_on_the_gpu_runner_goes_on_with_the_artifact_of_the_first(github: GitHub) -> None:
    payload = of_the_branch(github, PULL_REQUEST)
    done = github.act("pull_request", payload, ["-P", "gpu=-self-hosted"])
    assert "needs-agent: gpu" in said(done.out, "check"), done.out
    assert "smoke training: succeeded" in said(done.out, "gpu"), done.out


def test_a_forks_pull_request_that_needs_a_gpu_is_not_called_checked(github: GitHub) -> None:
    done = github.act("pull_request", of_the_branch(github, FORK), ["-P", "gpu=-self-hosted"])
    assert done.code == 1
    assert "needs-agent: gpu" in said(done.out, "check"), done.out
    assert said(done.out, "gpu") == ""
