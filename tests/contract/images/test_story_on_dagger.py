"""A merge, a rerun and a promotion by `tagline ci --engine dagger`: real git, a real engine, a real registry."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from tagline.errors import EngineMissing
from tagline.images.reference import Reference
from tagline.images.registry import Repository

from tests.contract.images.test_parity import RECIPE
from tests.contract.images.test_story import PASSED
from tests.flow.stage import TASK, Desk, Result, new_desk, predict
from tests.real import dagger_engine
from tests.real.registry import Registry

pytestmark = [pytest.mark.timeout(600), dagger_engine.NEEDED]


@dataclass
class Story:
    """The desk, where its images are kept, and what reaches registry and engine."""

    desk: Desk
    place: Repository
    environ: dict[str, str]

    def ci(self, *words: str, **more: str) -> Result:
        return self.desk.tagline("ci", "--engine", "dagger", *words, **self.environ, **more)


@pytest.fixture(scope="module")
def story(
    environ: dict[str, str], plain: Registry, base: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Story]:
    reached = dagger_engine.require() | dagger_engine.sources()
    desk = new_desk(tmp_path_factory.mktemp("dagger") / "desk")
    tree = desk.clone.path
    (tree / "docker/base_image").mkdir()
    (tree / "docker/base_image/Dockerfile").write_text(RECIPE.format(base=base))
    with (tree / "tagline.yaml").open("a") as file:
        file.write(f"image: {{repository: {plain.host}/team/dagger}}\n")
    desk.merge("feat: an image of its own")
    passed = {name: environ[name] for name in PASSED if name in environ and "HOST" not in name}
    place = Repository(Reference.parse(f"{plain.host}/team/dagger"), environ)
    yield Story(desk, place, {**passed, **reached})
    desk.close()


def test_a_merge_is_checked_released_and_trained_and_no_docker_engine_is_asked(story: Story) -> None:
    merged = story.ci(DOCKER_HOST="unix:///nowhere", TAGLINE_DOCKER_HOST="unix:///nowhere")
    assert merged.code == 0, merged
    assert "registered model tiny 0.1.0-r1" in merged.out
    assert [event["event"] for event in story.desk.events()] == ["released", "uploaded", "trained"]
    (released,) = [event for event in story.desk.events() if event["event"] == "released"]
    assert released["identity"] == f"{story.place.place.written}@{story.place.digest('v0.1.0')}"


def test_again_nothing_is_built_or_trained(story: Story) -> None:
    before = story.desk.kinds()
    again = story.ci()
    assert (again.code, story.desk.kinds()) == (0, before), again
    assert "built" not in again.out


def test_a_tag_promotes_what_the_engine_trained(story: Story) -> None:
    asked = story.desk.tagline("promote", "tiny", "--to", "staging", **story.environ)
    assert asked.code == 0, asked
    done = story.ci("--event", "tag", "--ref", "promote/staging/tiny/1")
    assert done.code == 0, done
    assert predict(story.desk, 41, env="staging") == [1]


def test_a_check_that_fails_there_ends_the_call_with_its_own_error(story: Story) -> None:
    story.desk.clone.git("switch", "-q", "-c", "stale")
    (story.desk.clone.path / "docker/kubeflow_pipeline/pipeline.yaml").write_text("")
    story.desk.clone.commit("fix: a stale file")
    story.desk.clone.git("push", "-q", "origin", "stale")
    here = story.desk.tagline("ci", "--engine", "process", "--json", **story.environ)
    there = story.ci("--json")
    story.desk.clone.git("switch", "-q", "main")
    assert there.code == here.code != 0, there
    assert [step["why"] for step in there.json()["steps"]] == [step["why"] for step in here.json()["steps"]]


def test_without_its_engine_a_release_ends_before_its_claim(story: Story) -> None:
    story.desk.change(TASK, "THRESHOLD = 40", "THRESHOLD = 42")
    story.desk.merge("fix: another threshold")
    refs = story.desk.refs()
    gone = {name: value for name, value in story.environ.items() if "RUNNER" not in name}
    failed = story.desk.tagline("ci", "--engine", "dagger", **gone)
    assert failed.code == EngineMissing.exit_code, failed
    assert story.desk.refs() == refs
