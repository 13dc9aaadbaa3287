"""What tagline does on a server, on the fake and, where TAGLINE_REAL_KFP gives an address, on a real one.

Every name begins with the test's own prefix, and is removed afterwards. A server for several users is asked as
TAGLINE_REAL_KFP_USER (a `kubeflow-userid` that may edit TAGLINE_REAL_KFP_NAMESPACE), by a port-forward to loopback.
"""

import os
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from tagline.errors import ContentDiffers, KfpRefused, NameTaken
from tagline.kubeflow_keys import Access, Endpoints, Kubeflow, Store, UserHeader
from tagline.pipeline import compiled as compiled_file
from tagline.pipeline.identity import digest_of
from tagline.platforms import RunRequest
from tagline.platforms.kubeflow import open_connection
from tagline.platforms.kubeflow.marks import Provenance, owner_of
from tagline.platforms.kubeflow.pipelines import KubeflowPipelines
from tagline.platforms.kubeflow.runs import keys, retrying, scheduled, starting
from tagline.platforms.kubeflow.schedules import marks
from tagline.platforms.kubeflow.schedules.apply import KubeflowSchedules, Place
from tagline.platforms.kubeflow.server.connection import Connection
from tagline.platforms.kubeflow.server.doubts import CONFLICT
from tagline.platforms.kubeflow.versions import upload as uploading
from tagline.platforms.schedules import Schedule
from tagline.words import Release

from tests.contract.kfp.pipelines import spec
from tests.contract.kfp.under_test import Server

OWNER = owner_of("https://git.example.org/ml/wine")
RELEASE = Release(1, 4, 0)
ROOT = "s3://models/v2"
NAMESPACE = os.environ.get("TAGLINE_REAL_KFP_NAMESPACE", "kubeflow")


def connection(server: Server) -> Connection:
    user = os.environ.get("TAGLINE_REAL_KFP_USER", "")
    access = Access(user_header=UserHeader(user)) if user else Access()
    return open_connection(Kubeflow(Endpoints(server.url), {"training": NAMESPACE}, access), os.environ)


def uploaded(server: Server, folder: Path, image: str = "python:3.11", owner: str = OWNER) -> uploading.Held:
    file = folder / "pipeline.yaml"
    file.write_text(yaml.safe_dump(spec(image=image)))
    digest = digest_of(compiled_file.read(file))
    said = Provenance(owner, server.name("wine"), str(RELEASE), "c" * 40, digest, image)
    return uploading.upload(connection(server), file, said)


def test_an_upload_is_exact_the_same_again_nothing_and_another_content_an_error(
    server: Server, tmp_path: Path
) -> None:
    first = uploaded(server, tmp_path)
    assert (first.name, first.provenance and first.provenance.commit) == ("1.4.0", "c" * 40)
    assert uploaded(server, tmp_path).id == first.id
    with pytest.raises(ContentDiffers, match="image"):
        uploaded(server, tmp_path, image="python:3.12")
    with pytest.raises(NameTaken):
        uploaded(server, tmp_path, owner=owner_of("https://git.example.org/ml/other"))
    versions = list(uploading.all_versions(connection(server), first.pipeline_id))
    assert [one.name for one in versions] == ["1.4.0"]


def test_a_run_of_a_key_is_started_once_and_cancelled(server: Server, tmp_path: Path) -> None:
    held, ours = uploaded(server, tmp_path), connection(server)
    key = f"{server.name('wine')}/1.4.0/full/1"
    version = {"pipeline_id": held.pipeline_id, "pipeline_version_id": held.id}
    wanted = starting.Wanted(key, OWNER, keys.root_of(ROOT, key), {"rate": 0.2}, version)
    row = starting.start(ours, wanted)
    assert starting.start(ours, wanted).id == row.id
    assert [one.id for one in starting.listed(ours, f"{server.name('wine')}/", OWNER)] == [row.id]
    assert starting.read(ours, row).root == keys.root_of(ROOT, key)
    assert retrying.retry(ours, row).id == row.id, "one that goes on is left alone"
    with pytest.raises(KfpRefused) as refused:
        ours.ask("POST", f"/runs/{row.id}:retry")
    assert refused.value.status == CONFLICT
    starting.cancel(ours, row)
    starting.cancel(ours, row)


def ours(server: Server, folder: Path, account: str = "") -> KubeflowPipelines:
    said = Kubeflow(
        Endpoints(server.url), {"training": NAMESPACE}, store=Store(ROOT), service_account=account
    )
    return KubeflowPipelines(connection(server), said, OWNER, folder / "state", {})


def caches(run: dict[str, Any]) -> list[bool]:
    """Whether the server may answer the tasks of a run, or of a schedule, from its cache, as it says itself."""
    tasks = run["pipeline_spec"]["root"]["dag"]["tasks"].values()
    return [bool((task.get("cachingOptions") or {}).get("enableCache")) for task in tasks]


@pytest.mark.parametrize("key", ["1.4.0/full/1", "smoke/0123456789abcdef/1"])
def test_a_training_runs_with_the_cache_off_though_its_pipeline_was_compiled_with_it_on(
    server: Server, tmp_path: Path, key: str
) -> None:
    uploaded(server, tmp_path)
    made, name = ours(server, tmp_path), server.name("wine")
    run = made.start(RunRequest(f"{name}/{key}", name, tmp_path / "pipeline.yaml", None, {"rate": 0.2}))
    assert caches(server.ask("GET", f"/runs/{run.id}")) == [False]
    made.cancel(run)


def test_a_schedule_runs_with_the_cache_off_and_refers_to_its_version_where_it_may_be_on(
    server: Server, tmp_path: Path
) -> None:
    held, name = uploaded(server, tmp_path), server.name("wine")
    made = KubeflowSchedules(
        connection(server), Place(OWNER, ROOT, "UTC"), lambda pipeline, release: held, time.time
    )
    made.apply(
        name, RELEASE, [Schedule("off", "0 0 1 1 *", "UTC"), Schedule("on", "0 0 1 1 *", "UTC", cache=True)]
    )
    there = {one["display_name"].split()[1]: one for one in server.recurring()}
    assert caches(there[f"{name}/off"]) == [False]
    assert there[f"{name}/on"]["pipeline_version_reference"]["pipeline_version_id"] == held.id


def test_runs_and_schedules_act_as_the_service_account_of_the_platform_file(
    server: Server, tmp_path: Path
) -> None:
    held, name = uploaded(server, tmp_path), server.name("wine")
    made = ours(server, tmp_path, "trainer")
    run = made.start(RunRequest(f"{name}/1.4.0/full/1", name, tmp_path / "pipeline.yaml", None))
    assert server.ask("GET", f"/runs/{run.id}")["service_account"] == "trainer"
    made.cancel(run)
    yearly = Schedule("yearly", "0 0 1 1 *", "UTC")
    for account, moves in (("trainer", 2), ("trainer", 0), ("another", 4)):
        place = Place(OWNER, ROOT, "UTC", account)
        there = KubeflowSchedules(connection(server), place, lambda pipeline, release: held, time.time)
        assert len(there.apply(name, RELEASE, [yearly])) == moves
    (one,) = server.recurring()
    assert one["service_account"] == "another"


def test_a_schedule_is_made_moved_and_removed(server: Server, tmp_path: Path) -> None:
    held, ours = uploaded(server, tmp_path), connection(server)
    yearly = Schedule("yearly", "0 0 1 1 *", "UTC", {"rate": 0.2})
    made = KubeflowSchedules(ours, Place(OWNER, ROOT, "UTC"), lambda pipeline, release: held, time.time)
    pipeline = server.name("wine")
    planned = made.plan(pipeline, RELEASE, [yearly])
    assert made.apply(pipeline, RELEASE, [yearly]) == planned[:-1]
    assert made.apply(pipeline, RELEASE, [yearly]) == []
    (mark,) = [mark for mark, _ in marks.listed(ours, pipeline, OWNER)]
    assert (mark.name, mark.cron, mark.zone) == ("yearly", "0 0 1 1 *", "UTC")
    assert list(marks.listed(ours, pipeline, owner_of("https://git.example.org/ml/other"))) == []
    assert list(scheduled.started(ours, pipeline, keys.root_of(ROOT, f"{pipeline}/"), OWNER)) == []
    moved = made.apply(pipeline, Release(1, 5, 0), [yearly])
    assert [line.split(": ")[1].split(" (")[0] for line in moved] == [
        "create, disabled",
        "disable",
        "enable",
        "delete",
    ]
    assert [line.split(": ")[1].split(" (")[0] for line in made.apply(pipeline, RELEASE, [])] == [
        "disable",
        "delete",
    ]
    assert made.plan(pipeline, RELEASE, []) == []
