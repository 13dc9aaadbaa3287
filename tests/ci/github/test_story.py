"""The story under GitHub: a merge releases and trains, a tag asks, a woken run promotes, and the model serves."""

from collections.abc import Iterator

import pytest

from tests.ci.github.world import JOB_TOKEN, PUSH, GitHub, a_github, caller
from tests.ci.gitlab.world import Ended
from tests.ci.person import a_person, of_the_platform
from tests.flow.stage import Desk, predict


@pytest.fixture(scope="module")
def github(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHub]:
    with a_github(tmp_path_factory.mktemp("github"), caller(**{"gpu-runs-on": "gpu"})) as made:
        yield made


@pytest.fixture(scope="module")
def desk(github: GitHub) -> Iterator[Desk]:
    with a_person(github.folder, github.bare, f"{github.host.url}/team/tiny.git") as made:
        yield made


@pytest.fixture(scope="module")
def merged(github: GitHub, desk: Desk) -> Ended:
    """The run of the merge to main."""
    return github.act("push", PUSH, **of_the_platform(desk))


@pytest.fixture(scope="module")
def woken(github: GitHub, desk: Desk, merged: Ended) -> Ended:
    """The run on main that the tag's job dispatched."""
    asked = desk.tagline("promote", "tiny", "--to", "prod")
    assert asked.code == 0, asked
    return github.act("workflow_dispatch", PUSH, **of_the_platform(desk))


def test_a_merge_is_checked_released_and_trained(merged: Ended, desk: Desk) -> None:
    assert merged.code == 0, merged.out
    assert "refs/tags/v0.1.0" in desk.refs()
    assert desk.kinds()[:3] == ["released", "uploaded", "trained"]


def test_the_job_that_ran_the_repositorys_code_claimed_nothing(merged: Ended) -> None:
    said = {
        name: [line for line in merged.out.splitlines() if f"/{name}]" in line]
        for name in ("check", "release")
    }
    assert any("needs-agent: platform,push" in line for line in said["check"]), merged.out
    assert any("release: tiny 0.1.0" in line for line in said["release"]), merged.out


def test_no_gpu_runner_is_started_where_no_step_needs_one(merged: Ended) -> None:
    assert "/gpu]" not in merged.out


def test_the_woken_run_promotes_and_the_model_serves(woken: Ended, desk: Desk) -> None:
    assert woken.code == 0, woken.out
    assert desk.place("prod")["serves"] == "0.1.0-r1"
    assert predict(desk, 80.0) == [1]


def test_the_token_that_pushes_is_in_no_log_and_no_file_that_is_left(github: GitHub, merged: Ended) -> None:
    left = [one for one in github.folder.rglob("*") if one.is_file() and not one.is_symlink()]
    assert [one for one in left if JOB_TOKEN.encode() in one.read_bytes()] == []
    assert JOB_TOKEN not in merged.out
