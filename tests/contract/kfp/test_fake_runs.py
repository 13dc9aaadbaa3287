"""Runs on the fake and the Workflows behind them: what is made, what is left, how a run ends."""

import json
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.contract.kfp.asking import ask, run
from tests.fakes.kfp import FakeKfp
from tests.fakes.kfp.world import Quirks

RECORDED = Path(__file__).parents[2] / "fakes/kfp/recorded"
WORKFLOWS = "/apis/argoproj.io/v1alpha1/namespaces/kubeflow/workflows"


def test_a_row_that_cannot_be_stored_leaves_its_workflow_running(fake: FakeKfp) -> None:
    status, _ = run(fake, description="d" * 256)

    assert status == 500
    assert [one["metadata"]["annotations"]["pipelines.kubeflow.org/run_name"] for one in fake.orphans()] == [
        "run"
    ]


def test_a_server_that_stored_the_row_first_would_leave_none(fake: FakeKfp) -> None:
    fake.world.quirks = Quirks(workflow_before_row=False)

    run(fake, description="d" * 256)

    assert fake.orphans() == []


def test_a_reused_run_id_is_a_500_and_a_second_workflow(fake: FakeKfp) -> None:
    run(fake, run_id="one")

    assert run(fake, run_id="one")[0] == 500
    assert (len(fake.runs), len(fake.workflows)) == (1, 2)


def test_a_lost_answer_leaves_the_run(fake: FakeKfp) -> None:
    fake.lose_answers(1)

    with pytest.raises((ConnectionError, urllib.error.URLError)):
        run(fake)
    assert len(fake.runs) == 1


def test_a_cancelled_run_goes_through_the_recorded_states(fake: FakeKfp) -> None:
    lines = map(json.loads, (RECORDED / "run-state-sequences.jsonl").read_text().splitlines())
    recorded = [line["state"] for line in lines if line["label"].startswith("cancel.")]
    _, made = run(fake)
    path = f"/runs/{made['run_id']}"
    seen = [made["state"]]

    fake.advance(2)
    seen.append(ask(fake, "GET", path)[1]["state"])
    ask(fake, "POST", f"{path}:terminate")
    seen.append(ask(fake, "GET", path)[1]["state"])
    fake.advance(2)
    seen.append(ask(fake, "GET", path)[1]["state"])
    fake.advance(8)
    seen.append(ask(fake, "GET", path)[1]["state"])
    ask(fake, "POST", f"{path}:retry")
    seen.append(ask(fake, "GET", path)[1]["state"])

    assert seen == recorded
    assert ask(fake, "GET", path)[1]["finished_at"] == "1970-01-01T00:00:00Z"


def test_workflows_are_found_by_label_and_deleted_with_a_precondition(fake: FakeKfp) -> None:
    run(fake, run_id="one")
    run(fake, run_id="two")

    _, found = ask(fake, "GET", f"{WORKFLOWS}?labelSelector=pipeline/runid=two")

    (workflow,) = found["items"]
    path = f"{WORKFLOWS}/{workflow['metadata']['name']}"
    assert ask(fake, "DELETE", path, {"preconditions": {"uid": "another"}})[0] == 409
    assert ask(fake, "DELETE", path, {"preconditions": {"uid": workflow["metadata"]["uid"]}})[0] == 200
    assert ask(fake, "GET", path)[0] == 404
    fake.deny_cluster()
    assert ask(fake, "GET", WORKFLOWS)[0] == 403


def test_a_tasks_log_is_read_by_its_pod(fake: FakeKfp) -> None:
    run(fake, run_id="one")
    fake.task_log("one", "pod-1", "epoch 1\n")

    with urllib.request.urlopen(f"{fake.url}/apis/v1alpha1/runs/one/nodes/pod-1/log", timeout=5) as answer:
        assert answer.read() == b"epoch 1\n"
