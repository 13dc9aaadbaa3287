"""A merge, a pull request and a rerun on engine docker: real git, a real engine, a real registry."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import yaml
from tagline.errors import GateRefused
from tagline.images.reference import Reference
from tagline.images.registry import Repository

from tests.contract.images.conftest import DOCKERFILE
from tests.flow.stage import TASK, Desk, Result, new_desk, predict, traffic
from tests.real import debian
from tests.real.registry import Registry

PASSED = ("PATH", "TAGLINE_DOCKER_HOST", "DOCKER_HOST", "DOCKER_CONFIG", "TAGLINE_DOCKER_NETWORK")
LAST_MODEL = ["released", "uploaded", "trained", "asked", "gated", "rolled back"]


@dataclass
class Story:
    """The desk, where its images are kept, and what the merge said."""

    desk: Desk
    place: Repository
    environ: dict[str, str]
    merged: Result

    def tagline(self, *words: str) -> Result:
        pip = {name: value for name, value in self.environ.items() if name.startswith("PIP_")}
        return self.desk.tagline(*words, **{name: self.environ[name] for name in PASSED}, **pip)

    def promoted(self, n: int, *words: str) -> Result:
        """Ask for prod by a tag, and what the tag's job says."""
        asked = self.tagline("promote", "tiny", "--to", "prod", *words)
        assert asked.code == 0, asked
        return self.tagline("ci", "--event", "tag", "--ref", f"promote/prod/tiny/{n}")

    def tags(self) -> list[str]:
        answer = self.place._send("GET", "tags/list", {})
        return sorted(json.loads(answer.body)["tags"])


@pytest.fixture(scope="module")
def story(
    environ: dict[str, str], plain: Registry, base: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Story]:
    """A tiny project whose first release was made and trained in containers."""
    desk = new_desk(tmp_path_factory.mktemp("story") / "desk")
    tree = desk.clone.path
    (tree / "docker/base_image").mkdir()
    (tree / "src/requirements.txt").write_text("")
    (tree / "docker/base_image/Dockerfile").write_text(DOCKERFILE.format(base=f"{plain.host}/base:1"))
    with (tree / "tagline.yaml").open("a") as file:
        file.write(f"engine: docker\nimage: {{repository: {plain.host}/team/tiny}}\n")
    place = Repository(Reference.parse(f"{plain.host}/team/tiny"), environ)
    made = Story(desk, place, environ, Result(0, "", ""))
    fixed = made.tagline("check", "--fix")
    assert fixed.code == 0, fixed
    desk.merge("feat: an image of its own")
    made.merged = made.tagline("ci")
    assert made.merged.code == 0, made.merged
    yield made
    desk.close()


def test_check_fix_has_pinned_the_base(story: Story, base: str) -> None:
    text = (story.desk.clone.path / "docker/base_image/Dockerfile").read_text()
    assert f"/base:1@{base.partition('@')[2]}" in text


def test_the_release_is_the_image_s_digest_in_the_ledger_and_in_the_compiled_file(story: Story) -> None:
    (released,) = [event for event in story.desk.events() if event["event"] == "released"]
    digest = story.place.digest("v0.1.0")
    assert released["identity"] == f"{story.place.place.written}@{digest}"
    (compiled,) = [
        file
        for file in story.desk.home.glob("**/*.yaml")
        if "0.1.0" in str(file) and "kubeflow_pipeline" not in str(file) and file.name == "pipeline.yaml"
    ]
    executors = next(yaml.safe_load_all(compiled.read_text()))["deploymentSpec"]["executors"]
    assert {one["container"]["image"] for one in executors.values()} == {released["identity"]}


def test_the_image_has_its_names_from_the_claim_on_and_no_other(story: Story) -> None:
    commit, content, release = story.tags()
    (released,) = [event for event in story.desk.events() if event["event"] == "released"]
    assert content.startswith("content-")
    assert (commit, release) == (f"commit-{released['commit']}", "v0.1.0")
    assert len({story.place.digest(tag) for tag in story.tags()}) == 1


def test_the_model_was_trained_in_the_container(story: Story) -> None:
    assert "registered model tiny 0.1.0-r1" in story.merged.out
    assert [event["event"] for event in story.desk.events()] == ["released", "uploaded", "trained"]


def test_again_nothing_is_built_or_sent(story: Story) -> None:
    tags = story.tags()
    again = story.tagline("ci")
    assert again.code == 0, again
    assert "built" not in again.out
    assert story.tags() == tags


def test_a_pull_request_builds_its_image_and_sends_it_nowhere(story: Story) -> None:
    tags = story.tags()
    story.desk.clone.git("switch", "-q", "-c", "idea")
    story.desk.change(TASK, "THRESHOLD = 40", "THRESHOLD = 41")
    story.desk.clone.commit("fix: another threshold")
    story.desk.clone.git("push", "-q", "origin", "idea")
    try:
        done = story.tagline("ci")
    finally:
        story.desk.clone.git("switch", "-q", "main")
    assert done.code == 0, done
    assert "built, not pushed" in done.out
    assert story.tags() == tags


def test_without_an_engine_a_release_fails_before_its_claim_and_names_the_way_out(story: Story) -> None:
    story.desk.change(TASK, "THRESHOLD = 40", "THRESHOLD = 42")
    story.desk.merge("fix: a third threshold")
    refs = story.desk.refs()
    there = story.environ
    story.environ = {**there, "TAGLINE_DOCKER_HOST": "unix:///nowhere", "DOCKER_HOST": "unix:///nowhere"}
    failed = story.tagline("ci")
    story.environ = there
    assert failed.code == 91, failed
    assert "engine: process needs none" in failed.err
    assert story.desk.refs() == refs
    done = story.tagline("ci")
    assert done.code == 0, done
    assert "v0.1.1" in story.tags()


def test_what_was_trained_in_its_image_goes_to_prod_by_gate_and_canary_and_back_again(story: Story) -> None:
    first = story.promoted(1, "--version", "0.1.0-r1")
    assert first.code == 0, first
    assert "the gate judges 0.1.0-r1 against the declared floor" in first.out
    assert predict(story.desk, 41) == [1]
    with traffic(story.desk):
        second = story.promoted(2)
    assert second.code == 0, second
    assert "step 2 of 2: 50 %" in second.out
    assert "0.1.1-r1 let in" in second.out
    assert predict(story.desk, 41) == [0]  # its threshold is 42, the first one's 40

    story.desk.change(TASK, "THRESHOLD = 42", "THRESHOLD = -1")
    story.desk.merge("feat: everything is one")
    assert story.tagline("ci").code == 0
    worse = story.promoted(3)
    assert worse.code == GateRefused.exit_code, worse
    assert predict(story.desk, 41) == [0]

    back = story.tagline("rollback", "tiny", "--env", "prod")
    assert back.code == 0, back
    assert predict(story.desk, 41) == [1]
    assert story.desk.kinds()[-6:] == LAST_MODEL


def test_every_release_of_the_story_is_one_image_that_was_built_once(story: Story) -> None:
    events = [event for event in story.desk.events() if event["event"] == "released"]
    released = {f"v{event['version']}": event["identity"] for event in events}
    digests = {tag: story.place.digest(tag) for tag in released}
    assert released == {tag: f"{story.place.place.written}@{digest}" for tag, digest in digests.items()}
    assert len(set(digests.values())) == len(released) == 3
    assert len([tag for tag in story.tags() if tag.startswith("content-")]) == 3


def test_nothing_of_the_tasks_is_left_in_the_engine(story: Story) -> None:
    assert debian.owned(story.desk.folder, story.environ) == []
