"""An environment that the CI file forgets would never be promoted to: the check finds it."""

import shutil
from pathlib import Path

import pytest
from tagline.config import Config
from tagline.errors import ConfigError
from tagline.flow.checking.checks import check_work_tree
from tagline.flow.checking.ci_file import check_ci_file, jenkins_credentials
from tagline.flow.report import Outcome

from tests.fakes.repositories import git

TINY = Path(__file__).parents[2] / "projects/tiny"
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


def jenkins(folder: Path, credentials: str) -> Path:
    (folder / "Jenkinsfile").write_text(f"@Library('tagline@v1') _\ntagline(git: 'push', {credentials})\n")
    return folder


STAGING = "staging: [file(credentialsId: 'kube: [x', variable: 'KUBECONFIG')]"
PRODUCTION = """'prod': [
    usernamePassword(credentialsId: 'a', usernameVariable: 'U', passwordVariable: 'P'), // not: [this: one]
    string(credentialsId: "b, other: 'c'", variable: 'V')]"""


def test_a_jenkinsfiles_credentials_are_for_declared_environments(tmp_path: Path) -> None:
    jenkins(tmp_path, f"credentials: [\n  {STAGING}, /* , gone: [] */\n  {PRODUCTION},\n], job: 'x'")
    assert jenkins_credentials(tmp_path / "Jenkinsfile") == ["staging", "prod"]
    done = check_ci_file(tmp_path, BOTH)
    assert (done.outcome, "credentials for staging, prod" in done.why) == (Outcome.DONE, True)
    with pytest.raises(
        ConfigError, match=r"has credentials for staging, which tagline\.yaml does not"
    ) as found:
        check_ci_file(tmp_path, PROD)
    assert '["prod"]' in found.value.fix


@pytest.mark.parametrize("credentials", ["credentials: [:]", "credentials: ours()", "read: 'r'"])
def test_a_jenkinsfile_that_names_no_environment_is_no_list_of_them(tmp_path: Path, credentials: str) -> None:
    assert check_ci_file(jenkins(tmp_path, credentials), BOTH).outcome is Outcome.SKIPPED


def test_the_example_of_the_jenkins_page_is_read(tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs/how-to/jenkins.md").read_text()
    (example,) = [one for one in page.split("```groovy\n")[1:] if "credentials: [" in one]
    (tmp_path / "Jenkinsfile").write_text(example.split("```")[0])
    assert jenkins_credentials(tmp_path / "Jenkinsfile") == ["staging", "prod"]


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (gitlab, COMPONENT + "    inputs: {environments: [staging, prod, stagin]}\n"),
        (github, WORKFLOW + '    with: {environments: \'["staging", "prod", "stagin"]\'}\n'),
        (jenkins, "credentials: [stagin: [], prod: []]"),
    ],
    ids=["gitlab", "github", "jenkins"],
)
def test_tagline_check_stops_at_a_misspelt_environment_of_each_host(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make, text: str
) -> None:
    project = tmp_path / "project"
    shutil.copytree(TINY, project, ignore=shutil.ignore_patterns("__pycache__"))
    make(project, text)
    git(project, "init", "--quiet")
    monkeypatch.setenv("TAGLINE_HOME", str(tmp_path / "home"))
    report = check_work_tree(project, smoke=False, fix=False, told=lambda told: None)
    assert [step.step for step in report.steps] == ["lock", "CI file"]
    assert "stagin, which tagline.yaml does not declare" in report.error


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
