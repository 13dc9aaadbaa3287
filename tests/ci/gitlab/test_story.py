"""The story under GitLab: a merge releases and trains, a tag asks, a woken pipeline promotes, and the model serves."""

from collections.abc import Iterator

import pytest

from tests.ci.gitlab.world import PUSH, WOKEN, Ended, GitLab, a_gitlab
from tests.ci.person import a_person, of_the_platform
from tests.flow.stage import Desk, predict


@pytest.fixture(scope="module")
def gitlab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitLab]:
    with a_gitlab(tmp_path_factory.mktemp("gitlab")) as made:
        yield made


@pytest.fixture(scope="module")
def desk(gitlab: GitLab) -> Iterator[Desk]:
    with a_person(gitlab.folder, gitlab.bare, f"{gitlab.host.url}/team/tiny.git") as made:
        yield made


@pytest.fixture(scope="module")
def merged(gitlab: GitLab, desk: Desk) -> Ended:
    """The pipeline of the merge to main."""
    return gitlab.pipeline(PUSH, **of_the_platform(desk))


@pytest.fixture(scope="module")
def woken(gitlab: GitLab, desk: Desk, merged: Ended) -> Ended:
    """The pipeline of main that the tag's job woke."""
    asked = desk.tagline("promote", "tiny", "--to", "prod")
    assert asked.code == 0, asked
    return gitlab.pipeline(WOKEN, **of_the_platform(desk))


def test_a_merge_is_checked_released_and_trained(merged: Ended, desk: Desk) -> None:
    assert merged.code == 0, merged.out
    assert "refs/tags/v0.1.0" in desk.refs()
    assert desk.kinds()[:3] == ["released", "uploaded", "trained"]


def test_the_job_that_ran_the_repositorys_code_claimed_nothing(merged: Ended, desk: Desk) -> None:
    lines = merged.out.splitlines()
    checked = [line for line in lines if line.startswith("tagline:check")]
    assert any("needs-agent: platform,push" in line for line in checked), merged.out
    assert any("release: tiny 0.1.0" in line for line in lines if line.startswith("tagline:release"))


def test_the_woken_pipeline_promotes_and_the_model_serves(woken: Ended, desk: Desk) -> None:
    assert woken.code == 0, woken.out
    assert desk.place("prod")["serves"] == "0.1.0-r1"
    assert predict(desk, 80.0) == [1]


def test_the_job_of_another_environment_left_it_alone(woken: Ended, desk: Desk) -> None:
    staging = [line for line in woken.out.splitlines() if line.startswith("tagline:promote: [staging]")]
    assert any("no open promotion" in line for line in staging), woken.out
