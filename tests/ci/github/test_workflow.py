"""The reusable workflow and the composite action under act: which jobs each event has, and what the action does."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tagline
import yaml

from tests.ci.components import ROOT
from tests.ci.github.world import BRANCH, FORK, PULL_REQUEST, PUSH, TAG, WORKFLOW, GitHub, a_github

USES_THE_ACTION = """on: push
jobs:
  mine:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v7
      - id: tagline
        uses: ./library
        with: {command: "WORDS"}
      - run: '"${{ steps.tagline.outputs.bin }}" --version'
"""


@pytest.fixture(scope="module")
def github(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHub]:
    with a_github(tmp_path_factory.mktemp("github")) as made:
        yield made


@pytest.mark.parametrize(
    ("event", "payload", "jobs"),
    [
        ("pull_request", PULL_REQUEST, ["check", "comment"]),
        ("pull_request", FORK, ["check"]),
        ("push", PUSH, ["check", "release", "promote", "promote"]),
        ("push", BRANCH, []),
        ("push", TAG, ["wake"]),
        ("schedule", {"schedule": "*/15 * * * *"}, ["promote", "promote"]),
        ("workflow_dispatch", PUSH, ["promote", "promote"]),
        ("workflow_dispatch", BRANCH, []),
    ],
)
def test_an_event_has_its_jobs(github: GitHub, event: str, payload: dict[str, Any], jobs: list[str]) -> None:
    assert github.jobs(event, payload) == jobs


def with_the_action(folder: Path, words: str) -> Iterator[GitHub]:
    with a_github(folder, USES_THE_ACTION.replace("WORDS", words)) as made:
        made.clone.git(
            "clone", "--quiet", "--branch", "v1", f"{made.host.url}/platform/tagline.git", "library"
        )
        yield made


def test_the_action_runs_a_command_on_the_callers_repository(tmp_path: Path) -> None:
    for made in with_the_action(tmp_path, "ci --event schedule"):
        done = made.act("push", PUSH)
        assert done.code == 0, done.out
        assert "no open promotion, no finished training to register" in done.out
        assert f"tagline {tagline.__version__}" in done.out


def test_a_command_that_fails_fails_the_job(tmp_path: Path) -> None:
    for made in with_the_action(tmp_path, "promote nobody --to prod"):
        done = made.act("push", PUSH)
        assert done.code == 1
        assert "Job failed" in done.out


def test_the_words_of_a_command_are_no_shell(tmp_path: Path) -> None:
    for made in with_the_action(tmp_path, f"status; touch {tmp_path}/run-by-a-shell"):
        assert made.act("push", PUSH).code == 1
        assert not (tmp_path / "run-by-a-shell").exists()


def jobs() -> dict[str, dict[str, Any]]:
    return dict(yaml.safe_load(WORKFLOW.read_text())["jobs"])


def test_only_the_job_of_an_environment_may_use_its_secrets() -> None:
    assert {name for name, job in jobs().items() if "environment" in job} == {"promote"}
    vault = {name for name, job in jobs().items() if "VAULT_SECRET_ID" in job.get("env", {})}
    assert vault == {"promote"}


def test_each_job_has_no_more_rights_than_it_needs() -> None:
    assert yaml.safe_load(WORKFLOW.read_text())["permissions"] == {}
    assert {name: job["permissions"] for name, job in jobs().items()} == {
        "check": {"contents": "read"},
        "release": {"contents": "write"},
        "gpu": {"contents": "read"},
        "comment": {"pull-requests": "write"},
        "wake": {"actions": "write"},
        "promote": {"contents": "write"},
    }


def test_the_repositorys_own_code_runs_where_no_token_can_write() -> None:
    assert [name for name in ("check", "gpu") if "env" in jobs()[name]] == []
    assert all("persist-credentials" in str(step["with"]) for step in jobs()["check"]["steps"][:2])


def test_jobs_that_hold_a_token_of_the_api_check_out_nothing_but_the_library() -> None:
    for name in ("comment", "wake"):
        steps = jobs()[name]["steps"]
        fetched = [step["with"]["path"] for step in steps if "actions/checkout" in step.get("uses", "")]
        assert fetched == [".tagline/library"]


def test_secrets_are_named_and_never_inherited() -> None:
    named = yaml.safe_load(WORKFLOW.read_text())[True]["workflow_call"]["secrets"]
    assert set(named) == {"TAGLINE_PUSH_TOKEN", "TAGLINE_INDEX", "VAULT_ROLE_ID", "VAULT_SECRET_ID"}
    assert "inherit" not in WORKFLOW.read_text()


def test_every_action_of_others_is_pinned_by_commit_and_names_its_version() -> None:
    uses = [line.split("uses: ")[1] for line in WORKFLOW.read_text().splitlines() if "uses: " in line]
    others = [one for one in uses if not one.startswith("./")]
    assert others
    assert [one for one in others if len(one.split("@")[1].split(" # v")[0]) != 40 or " # v" not in one] == []


def test_every_input_has_a_description() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    call = yaml.safe_load(WORKFLOW.read_text())[True]["workflow_call"]
    for inputs in (action["inputs"], call["inputs"], call["secrets"]):
        assert [name for name, each in inputs.items() if not each.get("description")] == []
        assert "args" not in inputs
