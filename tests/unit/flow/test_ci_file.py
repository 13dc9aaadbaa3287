"""An environment that the CI file forgets would never be promoted to: the check finds it."""

from pathlib import Path

import pytest
from tagline.config import Config
from tagline.errors import ConfigError
from tagline.flow.checking.ci_file import check_ci_file
from tagline.flow.report import Outcome

BOTH = Config(pipeline="wine", environments=["staging", "prod"])
PROD = Config(pipeline="wine")
COMPONENT = "include:\n  - component: $CI_SERVER_FQDN/platform/tagline/tagline@v1\n"
WORKFLOW = "jobs:\n  tagline:\n    uses: platform/tagline/.github/workflows/tagline.yml@v1\n"


def gitlab(folder: Path, text: str) -> Path:
    (folder / ".gitlab-ci.yml").write_text(text)
    return folder


def github(folder: Path, text: str) -> Path:
    (folder / ".github/workflows").mkdir(parents=True)
    (folder / ".github/workflows/anything.yml").write_text(text)
    return folder


def test_without_such_a_file_there_is_nothing_to_compare(tmp_path: Path) -> None:
    assert check_ci_file(tmp_path, BOTH).outcome is Outcome.SKIPPED
    gitlab(tmp_path, "include:\n  - template: Auto.yml\nx: !reference [a, b]\n")
    assert check_ci_file(tmp_path, BOTH).outcome is Outcome.SKIPPED


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (gitlab, f"{COMPONENT}    inputs: {{environments: [prod]}}\n"),
        (gitlab, COMPONENT),
        (github, f"{WORKFLOW}    with: {{environments: '[\"prod\"]'}}\n"),
        (github, WORKFLOW),
    ],
)
def test_an_environment_without_a_job_is_an_error(tmp_path: Path, make, text: str) -> None:
    with pytest.raises(ConfigError, match=r"promotes to staging, which tagline\.yaml declares") as found:
        check_ci_file(make(tmp_path, text), BOTH)
    assert '["staging", "prod"]' in found.value.fix
    assert check_ci_file(tmp_path, PROD).outcome is Outcome.DONE


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (gitlab, f"{COMPONENT}    inputs: {{environments: [staging, prod]}}\nx: !reference [a, b]\n"),
        (github, f'{WORKFLOW}    with: {{environments: \'["staging", "prod"]\'}}\n'),
    ],
)
def test_a_job_without_an_environment_is_an_error_too(tmp_path: Path, make, text: str) -> None:
    with pytest.raises(ConfigError, match=r"has a job for staging, which tagline\.yaml does not"):
        check_ci_file(make(tmp_path, text), PROD)
    assert check_ci_file(tmp_path, BOTH).outcome is Outcome.DONE


def test_one_call_for_each_environment_is_fine(tmp_path: Path) -> None:
    text = COMPONENT + "    inputs: {environments: [prod]}\n" + COMPONENT.removeprefix("include:\n")
    gitlab(tmp_path, text + "    inputs: {environments: [staging]}\n")
    assert check_ci_file(tmp_path, BOTH).outcome is Outcome.DONE
