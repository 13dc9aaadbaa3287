"""The GitLab component through its real include line: which jobs each pipeline has, and what they may reach."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import tagline
import yaml
from tagline.flow.desk.create import create

from tests.ci.components import ROOT
from tests.ci.gitlab.world import (
    CALLER,
    FORK,
    MERGE_REQUEST,
    PUSH,
    SCHEDULE,
    WOKEN,
    GitLab,
    a_gitlab,
    tagged,
)

MINE = '\nmine:\n  extends: .tagline\n  script: ["\\"$tagline\\" --version"]\n'
WITH_GPU = CALLER.replace("prod]", "prod], gpu: true")
PROMOTIONS = {"tagline:promote: [staging]", "tagline:promote: [prod]"}


# gitlab-ci-local clones a component's repository by itself, before any job runs
BY_THE_INCLUDE_LINE = 1


def fetches_of_the_library(made: GitLab) -> int:
    """How often git asked the host for the library, a clone or fetch each."""
    return sum("/platform/tagline.git/info/refs" in line for line in made.host.asked)


@pytest.fixture(scope="module")
def gitlab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitLab]:
    with a_gitlab(tmp_path_factory.mktemp("gitlab")) as made:
        yield made


@pytest.mark.parametrize(
    ("variables", "jobs"),
    [
        (MERGE_REQUEST, {"tagline:check", "tagline:comment"}),
        (FORK, {"tagline:check"}),
        (PUSH, {"tagline:check", "tagline:release"} | PROMOTIONS),
        (SCHEDULE, PROMOTIONS),
        (WOKEN, PROMOTIONS),
        (PUSH | {"CI_COMMIT_BRANCH": "feature"}, set()),
        (WOKEN | {"CI_COMMIT_BRANCH": "feature"}, set()),
        (tagged("promote/prod/tiny/1"), {"tagline:wake"}),
        (tagged("approve/prod/tiny/1/1"), {"tagline:wake"}),
        (tagged("tiny#prod#1"), {"tagline:wake"}),
        (tagged("v0.1.0"), set()),
    ],
)
def test_a_pipeline_has_the_jobs_of_its_event(
    gitlab: GitLab, variables: dict[str, str | None], jobs: set[str]
) -> None:
    assert gitlab.jobs(variables) == jobs


def test_a_gpu_job_goes_on_where_asked_for_and_never_for_a_fork(tmp_path: Path) -> None:
    with a_gitlab(tmp_path, WITH_GPU) as made:
        assert "tagline:gpu" in made.jobs(MERGE_REQUEST)
        assert "tagline:gpu" in made.jobs(PUSH)
        assert "tagline:gpu" not in made.jobs(FORK)
        assert "tagline:gpu" not in made.jobs(SCHEDULE)


def test_the_three_lines_of_init_are_a_whole_call(tmp_path: Path) -> None:
    create(tmp_path / "wine", answers={"ci": "gitlab"}, defaults=True)
    with a_gitlab(tmp_path / "gitlab", (tmp_path / "wine/.gitlab-ci.yml").read_text()) as made:
        assert made.jobs(PUSH) == {"tagline:check", "tagline:release", "tagline:promote: [prod]"}


def test_the_include_line_fetches_the_component_from_the_host(gitlab: GitLab) -> None:
    gitlab.jobs(PUSH)
    assert "GET /platform/tagline/-/raw/v1/templates/tagline/template.yml" in gitlab.host.asked


def test_a_job_installs_tagline_from_the_library_that_the_host_serves(tmp_path: Path) -> None:
    with a_gitlab(tmp_path, CALLER + MINE) as made:
        bare_agent = {"TAGLINE_BIN": ""}
        refused = made.pipeline(PUSH, "mine", **bare_agent)
        fetched = fetches_of_the_library(made)
    assert refused.code != 0
    assert "set TAGLINE_WHEELHOUSE or TAGLINE_INDEX" in refused.out
    assert fetched == BY_THE_INCLUDE_LINE + 1


def test_a_tagline_that_the_agent_has_is_taken(tmp_path: Path) -> None:
    with a_gitlab(tmp_path, CALLER + MINE) as made:
        done = made.pipeline(PUSH, "mine")
    assert done.code == 0, done.out
    assert f"tagline {tagline.__version__}" in done.out


def test_nothing_is_fetched_or_installed_where_the_image_brings_its_tagline(tmp_path: Path) -> None:
    with a_gitlab(tmp_path, CALLER + MINE) as made:
        done = made.pipeline(PUSH, "mine", TAGLINE_VERSION=tagline.__version__)
        fetched = fetches_of_the_library(made)
    assert done.code == 0, done.out
    assert fetched == BY_THE_INCLUDE_LINE


def test_the_images_tagline_of_another_version_than_asked_for_is_refused(tmp_path: Path) -> None:
    with a_gitlab(tmp_path, CALLER + MINE) as made:
        refused = made.pipeline(PUSH, "mine", TAGLINE_VERSION="99.0.0")
    assert refused.code != 0
    assert "TAGLINE_VERSION asks for 99.0.0" in refused.out


def jobs_of_the_template() -> dict[str, dict[str, object]]:
    _, body = yaml.safe_load_all((ROOT / "templates/tagline/template.yml").read_text())
    return {name: job for name, job in body.items() if not name.startswith(".")}


def test_only_the_job_of_an_environment_may_use_its_credentials() -> None:
    with_environment = {name for name, job in jobs_of_the_template().items() if "environment" in job}
    assert with_environment == {"tagline:promote"}


def test_jobs_that_hold_a_token_of_the_api_check_nothing_out() -> None:
    jobs = jobs_of_the_template()
    assert [jobs[name].get("variables") for name in ("tagline:comment", "tagline:wake")] == [
        {"GIT_STRATEGY": "none"}
    ] * 2


def test_jobs_of_one_environment_run_one_after_the_other() -> None:
    assert jobs_of_the_template()["tagline:promote"]["resource_group"] == "tagline-$TAGLINE_ENV"


def test_every_input_has_a_description_and_a_default() -> None:
    head, _ = yaml.safe_load_all((ROOT / "templates/tagline/template.yml").read_text())
    inputs = head["spec"]["inputs"]
    assert [name for name, each in inputs.items() if not {"default", "description"} <= set(each)] == []
