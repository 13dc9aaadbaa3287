"""The real `kfp.Client` does its work on the server under test: what it can do there, ours can rely on."""

from pathlib import Path
from typing import Any

import pytest

from tests.contract.kfp.pipelines import written
from tests.contract.kfp.under_test import Server

kfp = pytest.importorskip("kfp", reason="the SDK is not installed")
PATIENCE = 60


@pytest.fixture
def client(server: Server) -> Any:
    return kfp.Client(host=server.url)


def test_an_upload_makes_a_pipeline_with_one_version_of_the_same_name(
    server: Server, client: Any, tmp_path: Path
) -> None:
    made = client.upload_pipeline(written(tmp_path), pipeline_name=server.name("train"))

    versions = client.list_pipeline_versions(made.pipeline_id).pipeline_versions
    assert [version.display_name for version in versions] == [server.name("train")]


def test_a_second_upload_of_the_name_is_a_conflict(server: Server, client: Any, tmp_path: Path) -> None:
    client.upload_pipeline(written(tmp_path), pipeline_name=server.name("train"))

    with pytest.raises(Exception, match="409") as refused:
        client.upload_pipeline(written(tmp_path), pipeline_name=server.name("train"))

    assert getattr(refused.value, "status", 0) == 409


def test_a_version_is_added_and_found_by_its_id(server: Server, client: Any, tmp_path: Path) -> None:
    made = client.upload_pipeline(written(tmp_path), pipeline_name=server.name("train"))

    version = client.upload_pipeline_version(written(tmp_path), "v1", pipeline_id=made.pipeline_id)

    found = client.get_pipeline_version(made.pipeline_id, version.pipeline_version_id)
    assert found.display_name == "v1"
    assert found.pipeline_spec["pipelineInfo"]["name"] == "train"


def test_a_pipeline_is_found_by_its_name(server: Server, client: Any, tmp_path: Path) -> None:
    made = client.upload_pipeline(written(tmp_path), pipeline_name=server.name("train"))

    assert client.get_pipeline_id(server.name("train")) == made.pipeline_id
    assert client.get_pipeline_id(server.name("nothing")) is None


def _started(server: Server, client: Any, folder: Path) -> Any:
    made = client.upload_pipeline(written(folder), pipeline_name=server.name("train"))
    version = client.upload_pipeline_version(written(folder), "v1", pipeline_id=made.pipeline_id)
    experiment = client.create_experiment(server.name("experiment"))
    return client.run_pipeline(
        experiment.experiment_id,
        server.name("run"),
        params={"rate": 0.25},
        pipeline_id=made.pipeline_id,
        version_id=version.pipeline_version_id,
    )


def test_a_run_of_a_version_is_pending_and_listed(server: Server, client: Any, tmp_path: Path) -> None:
    run = _started(server, client, tmp_path)

    assert run.state == "PENDING"
    listed = client.list_runs(experiment_id=run.experiment_id).runs
    assert [one.run_id for one in listed] == [run.run_id]


def test_waiting_ends_when_the_run_has_ended(server: Server, client: Any, tmp_path: Path) -> None:
    if server.fake is None:
        pytest.skip("not applicable here: only the fake ends a run on demand")
    server.fake.finish_by_itself("SUCCEEDED", after=2)

    run = _started(server, client, tmp_path)

    ended = client.wait_for_run_completion(run.run_id, timeout=PATIENCE, sleep_duration=0)
    assert ended.state == "SUCCEEDED"


def test_a_cancelled_run_ends_as_failed(server: Server, client: Any, tmp_path: Path) -> None:
    if server.fake is not None:
        server.fake.pace = 5.0
    run = _started(server, client, tmp_path)

    client.terminate_run(run.run_id)

    ended = client.wait_for_run_completion(run.run_id, timeout=PATIENCE, sleep_duration=0)
    assert ended.state == "FAILED"


def test_a_schedule_is_made_disabled_switched_on_and_deleted(
    server: Server, client: Any, tmp_path: Path
) -> None:
    made = client.upload_pipeline(written(tmp_path), pipeline_name=server.name("train"))
    version = client.upload_pipeline_version(written(tmp_path), "v1", pipeline_id=made.pipeline_id)
    experiment = client.create_experiment(server.name("experiment"))

    job = client.create_recurring_run(
        experiment.experiment_id,
        server.name("nightly"),
        cron_expression="0 0 2 * * *",
        pipeline_id=made.pipeline_id,
        version_id=version.pipeline_version_id,
        enabled=False,
    )

    client.enable_recurring_run(job.recurring_run_id)
    assert client.get_recurring_run(job.recurring_run_id).status == "ENABLED"
    client.delete_recurring_run(job.recurring_run_id)
    assert not client.list_recurring_runs(experiment_id=experiment.experiment_id).recurring_runs
