"""From runner to runner under GitLab: the one without a GPU hands its plan and state to the one that has it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ci.gitlab.world import CALLER, FORK, MERGE_REQUEST, GitLab, a_gitlab

WANTS_A_GPU = "gpu: 1\nsmoke_when: on-pr\n"


@pytest.fixture
def gitlab(tmp_path: Path) -> Iterator[GitLab]:
    """A project whose smoke training needs a GPU, with a branch to merge."""
    with a_gitlab(tmp_path, CALLER.replace("prod]", "prod], gpu: true")) as made:
        settings = made.clone.path / "tagline.yaml"
        settings.write_text(settings.read_text() + WANTS_A_GPU)
        made.clone.commit("feat: a GPU")
        made.clone.push()
        made.clone.git("switch", "--quiet", "--create", "feature")
        (made.clone.path / "src/note.py").write_text("")
        made.clone.commit("fix: a note")
        made.clone.git("push", "--quiet", "origin", "feature")
        yield made


def said(out: str, job: str) -> str:
    """What one job of a pipeline said."""
    return "\n".join(line for line in out.splitlines() if line.startswith(f"{job} "))


def test_the_job_on_the_gpu_runner_goes_on_with_the_artifacts_of_the_first(gitlab: GitLab) -> None:
    done = gitlab.pipeline(MERGE_REQUEST, "tagline:check", "tagline:gpu")
    assert done.code == 0, done.out
    assert "needs-agent: gpu" in said(done.out, "tagline:check"), done.out
    assert "smoke training: succeeded" in said(done.out, "tagline:gpu"), done.out


def test_a_forks_merge_request_that_needs_a_gpu_is_not_called_checked(gitlab: GitLab) -> None:
    done = gitlab.pipeline(FORK)
    assert done.code == 1
    assert "needs-agent: gpu" in said(done.out, "tagline:check"), done.out
    assert said(done.out, "tagline:gpu") == ""
