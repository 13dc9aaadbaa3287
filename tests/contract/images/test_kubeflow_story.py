"""A merge on a Kubeflow platform: image by digest, smoke on the cluster, one version, a training that goes on there.

git, the Docker engine, the registry and the S3 store are real; the pipelines server is the fake.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from tagline.platforms.kubeflow.runs.caching import with_caching

from tests.contract.images.conftest import DOCKERFILE
from tests.contract.images.test_story import PASSED
from tests.fakes.kfp import FakeKfp
from tests.flow.stage import Desk, Result, new_desk
from tests.real.registry import Registry
from tests.servers.s3 import S3, server

PLATFORM = """name: acme
kind: kubeflow
endpoints: {{pipelines: '{url}'}}
namespaces: {{training: mu-alice}}
access: {{user_header: {{user: alice@example.com}}}}
store: {{root: 's3://models/v2', endpoint: '{store}'}}
"""


@dataclass
class Story:
    """The desk, the server and the store behind it, and what the merge said."""

    desk: Desk
    kfp: FakeKfp
    s3: S3
    environ: dict[str, str]
    merged: Result

    def tagline(self, *words: str, **more: str) -> Result:
        passed = {name: self.environ[name] for name in PASSED}
        passed |= {name: value for name, value in self.environ.items() if name.startswith("PIP_")}
        file = str(self.desk.folder / "platform.yaml")
        return self.desk.tagline(
            *words, **(passed | self.s3.environ() | {"TAGLINE_PLATFORM_FILE": file} | more)
        )

    def runs(self) -> dict[str, str]:
        return {run.display_name: run.state for run in self.kfp.world.runs.values()}

    def versions(self) -> list[str]:
        return sorted(version.name for version in self.kfp.world.versions.values())


@pytest.fixture(scope="module")
def story(
    environ: dict[str, str], plain: Registry, base: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Story]:
    desk = new_desk(tmp_path_factory.mktemp("kubeflow") / "desk")
    tree = desk.clone.path
    (tree / "docker/base_image").mkdir()
    (tree / "src/requirements.txt").write_text("")
    pinned = base.rpartition("/")[2]
    (tree / "docker/base_image/Dockerfile").write_text(DOCKERFILE.format(base=f"{plain.host}/{pinned}"))
    with (tree / "tagline.yaml").open("a") as file:
        file.write(f"engine: docker\nimage: {{repository: {plain.host}/team/there}}\n")
        file.write(
            "schedules: {nightly: {cron: '0 2 * * *', time_zone: Asia/Tokyo, parameters: {seconds: 1.0}}}\n"
        )
    with FakeKfp("multiuser") as kfp, server(tmp_path_factory.mktemp("s3")) as s3:
        (desk.folder / "platform.yaml").write_text(PLATFORM.format(url=kfp.url, store=s3.address))
        kfp.pace = 5.0
        kfp.finish_by_itself(after=2)
        made = Story(desk, kfp, s3, environ, Result(0, "", ""))
        desk.merge("feat: an image of its own")
        made.merged = made.tagline("ci")
        assert made.merged.code == 0, str(made.merged)
        yield made
    desk.close()


def test_the_smoke_training_ran_on_the_cluster_and_the_training_is_started_there(story: Story) -> None:
    smoke, full = sorted(story.runs(), key=lambda name: "/full/" in name)
    assert smoke.startswith("tagline tiny/smoke/")
    assert story.runs()[smoke] == "SUCCEEDED"
    assert full == "tagline tiny/0.1.0/full/1"
    assert "is started; a later tagline ci registers its model" in story.merged.out
    assert story.desk.kinds() == ["released", "uploaded"]


def test_one_version_stands_there_with_the_image_by_its_digest(story: Story) -> None:
    assert story.versions() == ["0.1.0"]
    (version,) = story.kfp.world.versions.values()
    images = {one["container"]["image"] for one in version.spec["deploymentSpec"]["executors"].values()}
    (released,) = [event for event in story.desk.events() if event["event"] == "released"]
    assert images == {released["identity"]}
    assert released["identity"].endswith(
        version.description.partition("image ")[2].split()[0].rpartition("@")[2]
    )


def test_the_schedule_of_tagline_yaml_is_there_of_this_version_and_in_the_servers_zone(story: Story) -> None:
    (job,) = story.kfp.world.recurring.values()
    assert job.trigger == {"cron_schedule": {"cron": "0 0 17 * * *"}}
    assert (job.mode, job.runtime["parameters"]) == ("ENABLE", {"seconds": 1.0})
    (version,) = story.kfp.world.versions.values()
    assert job.inline == with_caching(version.spec, False), "as the version has it, but for the cache"
    assert "schedules: nightly: create, disabled; nightly: enable" in story.merged.out


def test_a_rerun_changes_nothing_and_asks_little(story: Story) -> None:
    story.kfp.asked.clear()
    again = story.tagline("ci")
    assert again.code == 0, again
    assert {method for method, _ in story.kfp.asked} == {"GET"}, story.kfp.asked
    assert len(story.kfp.asked) <= 8, story.kfp.asked
    assert story.versions() == ["0.1.0"]
    assert len(story.runs()) == 2


def test_a_finished_training_is_registered_by_a_later_call_from_the_store(story: Story) -> None:
    (full,) = [run for run in story.kfp.world.runs.values() if "/full/" in run.display_name]
    story.kfp.finish(full.id, "SUCCEEDED")
    place = f"models/v2/tagline/tiny/0.1.0/full/1/tiny/{full.id}/train-model/77"
    story.s3.put(f"{place}/model", b'{"threshold": 40}')
    facts = {"uri": f"s3://{place}/model", "sha256": hashlib.sha256(b'{"threshold": 40}').hexdigest()}
    story.s3.put(f"{place}/facts", json.dumps(facts | {"metrics": {"wrong": 0.1}}).encode())
    done = story.tagline("ci")
    assert done.code == 0, done
    assert "registered model tiny 0.1.0-r1" in done.out
    (trained,) = [event for event in story.desk.events() if event["event"] == "trained"]
    assert (trained["uri"], trained["owner"]) == (facts["uri"], "tiny/0.1.0/full/1")


def test_a_head_that_is_registered_asks_for_its_version_and_the_schedules_alone(story: Story) -> None:
    story.kfp.asked.clear()
    again = story.tagline("ci")
    assert again.code == 0, again
    assert "nothing to do" in again.out or "already released" in again.out
    assert len(story.kfp.asked) <= 4, "\n".join(path for _, path in story.kfp.asked)


def test_status_shows_releases_and_models_and_serves_nothing_there_yet(story: Story) -> None:
    status = story.tagline("status", "--json")
    assert status.code == 0, status
    (release,) = status.json()["releases"]
    assert (release["release"], release["models"]) == ("0.1.0", ["0.1.0-r1"])


def test_a_run_of_the_schedule_is_registered_as_a_training_of_its_tick(story: Story) -> None:
    story.kfp.advance(24 * 3600)
    (run,) = [run for run in story.kfp.world.runs.values() if run.recurring_run_id]
    story.kfp.finish(run.id, "SUCCEEDED")
    place = f"{run.runtime['pipeline_root'].removeprefix('s3://')}/tiny/{run.id}/train-model/88/model"
    story.s3.put(place, b'{"threshold": 41}')
    done = story.tagline("ci", "--event", "schedule")
    assert done.code == 0, done
    assert "registered model tiny 0.1.0-r2" in done.out
    assert story.desk.events()[-1]["owner"].startswith("tiny/0.1.0/full/s-nightly-20")


def test_a_process_engine_is_refused_before_anything_is_claimed(story: Story) -> None:
    before = story.desk.refs()
    story.desk.change("src/serve.py", "int(", "float(")
    story.desk.merge("fix: floats")
    story.desk.clone.git("fetch", "-q")
    before = story.desk.refs()
    refused = story.tagline("ci", TAGLINE_ENGINE="process")
    assert refused.code == 20, refused
    assert "runs every task in an image" in refused.err
    assert story.desk.refs() == before


def test_a_training_that_failed_there_is_told_by_the_next_call_and_started_again_by_hand_alone(
    story: Story,
) -> None:
    done = story.tagline("ci")
    assert done.code == 0, done
    (failed,) = [run for run in story.kfp.world.runs.values() if "/0.1.1/full/" in run.display_name]
    story.kfp.finish(failed.id, "FAILED", "exit code 1")
    told = story.tagline("ci")
    assert told.code == 127, told
    assert "tagline train --release 0.1.1" in told.err
    assert len(story.runs()) == 5
    retried = story.tagline("train", "--release", "0.1.1", "--retry")
    assert retried.code == 0, retried
    assert story.runs()[failed.display_name] == "RUNNING"
    assert "goes on already" in story.tagline("train", "--release", "0.1.1", "--retry").out
    story.kfp.finish(failed.id, "FAILED", "exit code 1")
    again = story.tagline("train", "--release", "0.1.1")
    assert again.code == 0, again
    assert "tagline tiny/0.1.1/full/2" in story.runs()


def test_a_training_that_goes_on_there_is_cancelled_by_its_release(story: Story) -> None:
    done = story.tagline("train", "--release", "0.1.1", "--cancel")
    assert done.code == 0, done
    assert "tiny/0.1.1/full/2 is being cancelled" in done.out
    story.kfp.advance(60)
    assert story.runs()["tagline tiny/0.1.1/full/2"] == "FAILED"
    told = story.tagline("ci")
    assert told.code == 128, told
    again = story.tagline("train", "--release", "0.1.1", "--cancel")
    assert "no training of 0.1.1 goes on" in again.out
