"""The second workflow, which comments on pull requests from forks: clean, and run by act against GitHub's API."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tagline.flow.desk.create import create
from tagline.render.results import files

from tests.ci.components import ROOT, system_tool, tool, tools_path
from tests.ci.github.test_lint import lint
from tests.ci.github.world import ACTIONS, JOB_TOKEN
from tests.contract.hosts.test_commands import HOSTILE, hostile_report
from tests.fakes.hosts import jobs
from tests.fakes.hosts.github import FakeGitHub

FILE = ".github/workflows/tagline-forks.yml"
REF = "5" * 40


@pytest.fixture
def called(tmp_path: Path) -> Path:
    """A project on GitHub with both workflows, each naming one commit of tagline."""
    answers = {"ci": "github", "ref": REF, "library": "acme/tagline", "fork_comments": True}
    assert FILE in create(tmp_path / "fraud", answers=answers, defaults=True).files
    return tmp_path / "fraud"


def test_without_the_option_there_is_no_second_workflow(tmp_path: Path) -> None:
    answers = {"ci": "github", "library": "acme/tagline"}
    assert FILE not in create(tmp_path / "fraud", answers=answers, defaults=True).files


def test_both_workflows_are_clean(called: Path) -> None:
    system_tool("shellcheck")
    linted = lint(str(tool("actionlint")), cwd=called)
    assert linted.returncode == 0, linted.stdout
    searched = lint(str(tool("zizmor")), "--offline", "--no-progress", ".", cwd=called)
    assert searched.returncode == 0, searched.stdout


def test_zizmor_would_find_the_trigger_that_is_let_in_by_name(called: Path) -> None:
    text = (called / FILE).read_text()
    (called / FILE).write_text(text.replace("zizmor: ignore[dangerous-triggers]", ""))
    searched = lint(str(tool("zizmor")), "--offline", "--no-progress", ".", cwd=called)
    assert searched.returncode != 0
    assert "dangerous-triggers" in searched.stdout


def test_it_waits_for_the_first_workflow_by_its_name_checks_nothing_out_and_may_only_comment(
    called: Path,
) -> None:
    first = yaml.safe_load((called / ".github/workflows/tagline.yml").read_text())
    second = yaml.safe_load((called / FILE).read_text())
    job = second["jobs"]["comment"]
    assert second[True]["workflow_run"]["workflows"] == [first["name"]]
    assert (second["permissions"], job["permissions"]) == (
        {},
        {"actions": "read", "pull-requests": "write"},
    )
    assert [step["uses"].partition("@")[0] for step in job["steps"]] == [
        "actions/download-artifact",
        "acme/tagline",
    ]


def library(folder: Path) -> Path:
    """What a checkout of tagline holds of the action; act copies all that it is given."""
    shutil.copytree(ROOT / "templates", folder / "templates")
    shutil.copy(ROOT / "action.yml", folder)
    return folder


def act(called: Path, host: FakeGitHub, folder: Path, *, fork: bool) -> str:
    """Let act run the workflow after a run of eve's has ended; returns what it says."""
    text = (called / FILE).read_text()
    pinned = re.findall(r"uses: actions/([\w-]+)@(\w+)", text)
    local = [f"actions/{name}@{commit}={ACTIONS / name}" for name, commit in pinned]
    local.append(f"acme/tagline@{REF}={library(folder / 'library')}")
    variables = jobs.github_fork_ended(host, folder)
    event = folder / "event.json"
    payload = json.loads(event.read_text())
    payload["workflow_run"] |= {"event": "pull_request", "id": 3}
    payload["workflow_run"]["head_repository"]["fork"] = fork
    event.write_text(json.dumps(payload))
    told = {name: variables[name] for name in ("GITHUB_API_URL", "GITHUB_REPOSITORY")}
    told["FAKE_ARTIFACTS"] = str(folder / "artifacts")
    argv = [
        str(tool("act")),
        "workflow_run",
        "-W",
        FILE,
        "-P",
        "ubuntu-latest=-self-hosted",
        "-e",
        str(event),
    ]
    argv += [word for one in local for word in ("--local-repository", one)]
    argv += [word for name, value in told.items() for word in ("--env", f"{name}={value}")]
    environ = {"PATH": tools_path(), "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    environ["TAGLINE_BIN"] = str(Path(sys.executable).with_name("tagline"))
    done = subprocess.run(
        [*argv, "-s", f"GITHUB_TOKEN={JOB_TOKEN}"],
        cwd=called,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def world(called: Path, tmp_path: Path) -> Path:
    """The folder with the artefact that the fork's run left, full of what it would like to be believed."""
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    for words in (["add", "-A"], [*who, "commit", "--quiet", "-m", "feat: begin"]):
        subprocess.run(["git", *words], cwd=called, check=True, timeout=60)
    remote = ["git", "remote", "add", "origin", "https://github.com/team/fraud.git"]
    subprocess.run(remote, cwd=called, check=True, timeout=60, env=os.environ.copy())
    (tmp_path / "artifacts/tagline/report").mkdir(parents=True)
    hostile_report(tmp_path / "artifacts/tagline/report")
    assert (tmp_path / "artifacts/tagline/report" / files.REPORT).exists()
    return tmp_path


def test_the_forks_report_is_escaped_under_the_pull_request_that_the_api_names(
    called: Path, world: Path
) -> None:
    host = FakeGitHub()
    with host.running():
        host.pull(9, "eve/fraud", "topic", jobs.HEAD)
        said = act(called, host, world, fork=True)
    (made,) = host.comments[9]
    assert host.comments[7] == []
    first = HOSTILE.splitlines()[0]
    assert made["body"].startswith("`` <script>"), said
    assert f"`` {first}" in made["body"]
    assert "a run of the fork's own code" in made["body"]


def test_a_run_of_the_same_repository_asks_nothing(called: Path, world: Path) -> None:
    host = FakeGitHub()
    with host.running():
        act(called, host, world, fork=False)
    assert host.asked == []
