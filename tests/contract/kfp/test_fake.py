"""What the fake does beyond the recordings: time, the cluster behind it, and each lever that breaks something."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.contract.kfp.pipelines import spec
from tests.fakes.kfp import FakeKfp
from tests.fakes.kfp.world import Quirks

RECORDED = Path(__file__).parents[2] / "fakes/kfp/recorded"
START = 1_800_000_000.0 - 1_800_000_000.0 % 86_400  # a midnight
WORKFLOWS = "/apis/argoproj.io/v1alpha1/namespaces/kubeflow/workflows"


@pytest.fixture
def fake() -> Iterator[FakeKfp]:
    with FakeKfp("database-utf8mb4", start=START) as kfp:
        yield kfp


def ask(
    kfp: FakeKfp, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
) -> tuple[int, Any]:
    """Status and JSON."""
    whole = path if path.startswith("/apis") else f"/apis/v2beta1{path}"
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(kfp.url + whole, data, headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, json.loads(answer.read() or b"{}")
    except urllib.error.HTTPError as refused:
        return refused.code, json.loads(refused.read() or b"{}")


def run(kfp: FakeKfp, name: str = "run", **more: object) -> tuple[int, Any]:
    return ask(kfp, "POST", "/runs", {"display_name": name, "pipeline_spec": spec()} | more)


def schedule(kfp: FakeKfp, cron: str, **more: object) -> str:
    body = {"display_name": "s", "max_concurrency": "10", "mode": "ENABLE", "pipeline_spec": spec()}
    status, made = ask(
        kfp, "POST", "/recurringruns", body | {"trigger": {"cron_schedule": {"cron": cron}}} | more
    )
    assert status == 200, made
    return str(made["recurring_run_id"])


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


def test_five_fields_of_cron_tick_at_the_second_minute_of_each_hour(fake: FakeKfp) -> None:
    schedule(fake, "0 2 * * *")

    fake.advance(3 * 3600)

    assert [one.scheduled_at - START for one in fake.runs] == [120, 3720, 7320]


def test_six_fields_tick_once_a_day(fake: FakeKfp) -> None:
    schedule(fake, "0 30 2 * * *")

    fake.advance(2 * 86_400)

    assert [one.scheduled_at - START for one in fake.runs] == [9000, 95_400]


def test_a_schedule_made_disabled_and_switched_on_after_a_tick_starts_a_run_at_once(fake: FakeKfp) -> None:
    job = schedule(fake, "0 0 * * * *", mode="DISABLE", no_catchup=True)
    fake.advance(3 * 3600 + 60)
    assert fake.runs == []

    ask(fake, "POST", f"/recurringruns/{job}:enable")
    fake.advance(1)

    assert [one.scheduled_at - START for one in fake.runs] == [3 * 3600]


def test_with_catchup_every_missed_tick_is_started(fake: FakeKfp) -> None:
    job = schedule(fake, "0 0 * * * *", mode="DISABLE")
    fake.advance(3 * 3600 + 60)

    ask(fake, "POST", f"/recurringruns/{job}:enable")
    fake.advance(1)

    assert [one.scheduled_at - START for one in fake.runs] == [3600, 7200, 10_800]


def test_a_tick_waits_for_max_concurrency(fake: FakeKfp) -> None:
    schedule(fake, "0 0 * * * *", max_concurrency="1")
    fake.advance(2 * 3600)
    assert len(fake.runs) == 1

    fake.finish(fake.runs[0].id)
    fake.advance(1)

    assert [one.scheduled_at - START for one in fake.runs] == [3600, 7200]


def test_a_disabled_or_deleted_schedule_starts_nothing(fake: FakeKfp) -> None:
    first, second = schedule(fake, "0 0 * * * *"), schedule(fake, "0 0 * * * *")
    ask(fake, "POST", f"/recurringruns/{first}:disable")
    ask(fake, "DELETE", f"/recurringruns/{second}")

    fake.advance(86_400)

    assert fake.runs == []


def test_on_latest_without_an_identity_nothing_is_started_while_the_schedule_says_enabled() -> None:
    with FakeKfp("multiuser", start=START) as kfp:
        alice = {"kubeflow-userid": "alice@example.com"}
        _, experiment = ask(
            kfp, "POST", "/experiments", {"display_name": "e", "namespace": "mu-alice"}, alice
        )
        _, made = ask(kfp, "POST", "/pipelines", {"name": "p", "namespace": "mu-alice"}, alice)
        pipeline = kfp.world.pipelines[made["pipeline_id"]]
        from tests.fakes.kfp import versions

        versions.insert(kfp.world, pipeline, "v1", "v1", spec())
        kfp.world.scheduler_has_identity = False
        body = {"display_name": "s", "max_concurrency": "1", "mode": "ENABLE"} | {
            "experiment_id": experiment["experiment_id"],
            "trigger": {"periodic_schedule": {"interval_second": "60"}},
            "pipeline_version_reference": {"pipeline_id": pipeline.id},
        }
        _, job = ask(kfp, "POST", "/recurringruns", body, alice)

        kfp.advance(600)

        assert kfp.runs == []
        path = f"/recurringruns/{job['recurring_run_id']}"
        assert ask(kfp, "GET", path, headers=alice)[1]["status"] == "ENABLED"


def test_an_empty_identity_kills_the_server() -> None:
    with FakeKfp("multiuser") as kfp:
        for _ in range(2):
            with pytest.raises((ConnectionError, urllib.error.URLError)):
                ask(kfp, "GET", "/pipelines?namespace=mu-alice", headers={"kubeflow-userid": ""})
        kfp.calm()

        assert ask(kfp, "GET", "/healthz")[0] == 200


def test_tokens_need_the_audience_and_end() -> None:
    with FakeKfp("multiuser") as kfp:
        sub = "system:serviceaccount:mu-alice:default-editor"
        good, other = kfp.token(sub), kfp.token(sub, audience="istio-ca")

        def status(token: str) -> int:
            bearer = {"Authorization": f"Bearer {token}"}
            return ask(kfp, "GET", "/pipelines?namespace=mu-alice", headers=bearer)[0]

        assert (status(good), status(other)) == (200, 401)
        kfp.expire_tokens()
        assert status(good) == 401
        kfp.advance(2)
        assert status(kfp.token(sub)) == 200


def test_a_lost_database_is_500_everywhere_but_healthz(fake: FakeKfp) -> None:
    fake.lose_database()

    assert ask(fake, "GET", "/pipelines")[0] == 500
    assert ask(fake, "GET", "/healthz")[0] == 200
    fake.calm()
    assert ask(fake, "GET", "/pipelines")[0] == 200


def test_the_next_requests_fail_and_do_nothing(fake: FakeKfp) -> None:
    fake.fail_next(2, 503)

    assert [run(fake)[0] for _ in range(3)] == [503, 503, 200]
    assert len(fake.workflows) == 1


def test_a_hanging_server_answers_healthz_alone(fake: FakeKfp) -> None:
    fake.hang()

    request = urllib.request.Request(f"{fake.url}/apis/v2beta1/runs")
    with pytest.raises((TimeoutError, urllib.error.URLError)):
        urllib.request.urlopen(request, timeout=0.2)
    assert ask(fake, "GET", "/healthz")[0] == 200


def test_a_refused_quota_is_a_500_and_no_run(fake: FakeKfp) -> None:
    fake.quota_refused()

    status, said = run(fake)

    assert (status, fake.runs, fake.workflows) == (500, [], [])
    assert "exceeded quota" in said["message"]


def test_a_change_between_two_pages_is_seen_by_the_second(fake: FakeKfp) -> None:
    for name in "abc":
        ask(fake, "POST", "/pipelines", {"name": name})
    _, first = ask(fake, "GET", "/pipelines?page_size=2&sort_by=name")
    fake.change_while_listing(fake.world.pipelines.clear)

    _, second = ask(fake, "GET", f"/pipelines?page_size=2&sort_by=name&page_token={first['next_page_token']}")

    assert ([one["name"] for one in first["pipelines"]], second) == (["a", "b"], {})


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


def test_an_upload_that_is_no_yaml_is_never_answered(fake: FakeKfp) -> None:
    form = (
        b'--x\r\nContent-Disposition: form-data; name="uploadfile"; filename="p.yaml"\r\n\r\n{{{\r\n--x--\r\n'
    )
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    request = urllib.request.Request(f"{fake.url}/apis/v2beta1/pipelines/upload?name=p", form, headers)

    with pytest.raises((TimeoutError, urllib.error.URLError)):
        urllib.request.urlopen(request, timeout=0.3)
    assert fake.spinning == 1


def test_a_login_page_answers_everything_in_html_until_it_is_gone(fake: FakeKfp) -> None:
    fake.login_page()

    with urllib.request.urlopen(f"{fake.url}/apis/v2beta1/healthz", timeout=5) as answer:
        assert answer.headers["Content-Type"].startswith("text/html")
    fake.calm()
    assert ask(fake, "GET", "/healthz")[0] == 200
