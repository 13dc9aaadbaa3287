"""The story through the library, with the real tagline: a merge releases, a tag promotes, a bad change is stopped."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from tagline.errors import PipelineError

from tests.ci.jenkins.conftest import MAIN, TAG, WOKEN
from tests.ci.jenkins.controller import JENKINSFILE, LIBRARY_PATH, Build, Controller, Interpreter
from tests.flow.stage import PIPELINE, TAGLINE, Desk, new_desk, predict


@dataclass(frozen=True)
class Story:
    """The desk at the end, and the builds that led there."""

    desk: Desk
    release: Build
    tag: Build
    woken: Build
    again: Build
    pull: Build


def controller(desk: Desk, interpreter: Interpreter, library: Path) -> Controller:
    plain: dict[str, Any] = {"name": "plain", "labels": [], "environ": {"TAGLINE_BIN": TAGLINE}}
    agents = [plain, plain | {"name": "fast", "labels": ["gpu"]}]
    made = Controller(desk.folder, desk.bare.path, interpreter, desk.environ(), agents)
    made.libraries["tagline"] = {"remote": str(library), "path": LIBRARY_PATH}
    return made


@pytest.fixture(scope="module")
def told(java: Interpreter, library: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """The tiny project on a real remote, its Jenkinsfile of two lines, a controller with one agent."""
    desk = new_desk(tmp_path_factory.mktemp("jenkins") / "desk")
    jenkins = controller(desk, java, library)
    (desk.clone.path / "Jenkinsfile").write_text(JENKINSFILE)
    # so that the release is handed over to an agent with a GPU, and back
    with (desk.clone.path / "tagline.yaml").open("a") as file:
        file.write("gpu: 1\n")
    head = desk.merge("ci: call tagline from Jenkins")
    try:
        release = jenkins.build("tiny/main", head, MAIN)
        asked = desk.tagline("promote", "tiny", "--to", "prod")
        assert asked.code == 0, asked
        tag = jenkins.build("tiny/promote%2Fprod%2Ftiny%2F1", head, TAG)
        woken = jenkins.build(f"{tag.said['triggered'][0]['job']}", head, MAIN, causes=[WOKEN])
        again = jenkins.build("tiny/main", head, MAIN)
        yield Story(desk, release, tag, woken, again, bad_pull_request(desk, jenkins))
    finally:
        desk.close()


def bad_pull_request(desk: Desk, jenkins: Controller) -> Build:
    desk.clone.git("checkout", "--quiet", "-b", "bad")
    (desk.clone.path / PIPELINE).write_text("this is no Python\n")
    head = desk.clone.commit("feat: break it")
    desk.clone.push("bad", "HEAD:refs/pull/7/head")
    return jenkins.build(
        "tiny/PR-7",
        head,
        {"BRANCH_NAME": "PR-7", "CHANGE_ID": "7", "CHANGE_TARGET": "main", "CHANGE_BRANCH": "bad"},
    )


@pytest.mark.timeout(600)
def test_a_merge_releases_and_registers_the_model(told: Story) -> None:
    assert told.release.result == "SUCCESS", told.release
    assert "refs/tags/v0.1.0" in told.desk.refs()
    assert {"released", "uploaded", "trained"} <= set(told.desk.kinds())


def test_what_trains_is_handed_to_the_agent_with_a_gpu_and_what_pushes_to_one_that_may(told: Story) -> None:
    labels = [row["given"]["label"] for row in told.release.steps("node", "open")]
    assert labels == ["", "gpu", "", "gpu"]
    have = [
        re.findall(r"TAGLINE_CALL_HAVE=([\w,]+)", row["given"]["overrides"])
        for row in told.release.steps("withEnv", "open")
    ]
    assert [words[0].rstrip(",") for words in have if words] == [
        "docker",
        "gpu,docker",
        "platform,push,docker",
        "gpu,platform,push,docker",
    ]


def test_every_step_is_a_test_case_once_though_four_agents_report(told: Story) -> None:
    files = told.release.published("junit")
    cases = [case.get("name", "") for file in files for case in ElementTree.parse(file).iter("testcase")]
    assert len(files) == 4
    assert cases.count("check") == 1
    assert len(cases) == len(set(cases)), cases


def test_the_tags_build_wakes_the_default_branch_and_runs_nothing(told: Story) -> None:
    assert told.tag.result == "SUCCESS", told.tag
    assert told.tag.said["triggered"] == [{"job": "tiny/main", "wait": False}]
    assert told.tag.steps("sh") == []


def test_the_woken_build_promotes_in_the_stage_of_its_environment(told: Story) -> None:
    assert told.woken.result == "SUCCESS", told.woken
    stages = [row["given"]["name"] for row in told.woken.steps("stage", "open")]
    assert stages == ["tagline", "tagline prod"]
    assert told.desk.place()["serves"] == "0.1.0-r1"
    assert predict(told.desk, 90.0)


def test_a_build_that_comes_again_finds_nothing_to_do(told: Story) -> None:
    assert told.again.result == "SUCCESS", told.again
    assert [row["given"]["name"] for row in told.again.steps("stage", "open")] == ["tagline"]
    assert told.desk.kinds().count("released") == 1


def test_a_bad_pull_request_fails_with_taglines_exit_code(told: Story) -> None:
    assert told.pull.result == "FAILURE", told.pull
    assert told.pull.said["error"] == f"tagline run: exit code {PipelineError.exit_code}"
    (cases,) = told.pull.published("junit")
    assert "<failure" in cases.read_text() or "<error" in cases.read_text()
