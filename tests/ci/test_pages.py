"""The pages for GitLab and GitHub say what the templates are: the call, the inputs, the rights."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from tagline.flow.desk.create import create

from tests.ci.components import ROOT

GITLAB = (ROOT / "docs/how-to/gitlab.md").read_text()
GITHUB = (ROOT / "docs/how-to/github.md").read_text()
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/tagline.yml").read_text())
ACTION = yaml.safe_load((ROOT / "action.yml").read_text())
COMPONENT, JOBS = yaml.safe_load_all((ROOT / "templates/tagline/template.yml").read_text())


def first_column(page: str, heading: str) -> list[list[str]]:
    """The words in code of each first cell of the table that follows a heading."""
    table = page[page.index(f"\n| {heading} ") :].lstrip("\n").split("\n\n")[0]
    return [re.findall(r"`([^`]+)`", line.split(" | ")[0]) for line in table.splitlines()[2:]]


def words(page: str, heading: str) -> set[str]:
    return {word for cell in first_column(page, heading) for word in cell}


@pytest.mark.parametrize(
    ("page", "answers", "file"),
    [
        (GITLAB, {"ci": "gitlab"}, ".gitlab-ci.yml"),
        (GITHUB, {"ci": "github", "library": "YOUR-ORG/tagline"}, ".github/workflows/tagline.yml"),
    ],
)
def test_the_call_on_the_page_is_the_one_that_init_writes(
    page: str, answers: dict[str, str], file: str, tmp_path: Path
) -> None:
    create(tmp_path / "wine", answers=answers, defaults=True)
    assert f"```yaml\n{(tmp_path / 'wine' / file).read_text()}```" in page


def test_gitlabs_page_has_every_input_and_its_default() -> None:
    inputs = COMPONENT["spec"]["inputs"]
    assert words(GITLAB, "input") == set(inputs)
    for name, each in inputs.items():
        default = str(each["default"]).lower() if isinstance(each["default"], bool) else each["default"]
        shown = f"[{', '.join(default)}]" if isinstance(default, list) else default
        assert f"| `{name}` | `{shown}` |" in GITLAB


def test_gitlabs_page_has_every_job() -> None:
    jobs = {name for name in JOBS if not name.startswith(".")}
    assert {name for name in jobs if f"`{name}`" not in GITLAB} == set()


def test_githubs_page_has_every_input_and_secret_of_the_workflow() -> None:
    call: dict[str, Any] = WORKFLOW[True]["workflow_call"]
    assert words(GITHUB, "input or secret") == {*call["inputs"], *call["secrets"]}


def test_githubs_page_has_the_rights_of_every_job() -> None:
    table = GITHUB[GITHUB.index("| job | ") :].split("\n\n")[0]
    rows = [re.findall(r"`([^`]+)`", line) for line in table.splitlines()[2:]]
    said = {
        name: next(word for word in row if ": " in word)
        for row in rows
        for name in row
        if name in WORKFLOW["jobs"]
    }
    rights = {name: job["permissions"] for name, job in WORKFLOW["jobs"].items()}
    assert said == {name: ", ".join(f"{k}: {v}" for k, v in one.items()) for name, one in rights.items()}


def test_githubs_page_has_every_input_and_output_of_the_action() -> None:
    page = GITHUB[GITHUB.index("## One command") :]
    assert words(page, "input") == set(ACTION["inputs"])
    assert {name for name in ACTION["outputs"] if f"`{name}`" not in page} == set()


@pytest.mark.parametrize("page", [GITLAB, GITHUB])
def test_a_page_says_that_it_was_not_tried_on_a_real_host(page: str) -> None:
    assert "Not tried on a real" in page.split("\n\n")[1]
