"""Each lever that breaks something on the fake, and the limits where the real server breaks by itself."""

import json
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contract.kfp.asking import ask, big, run, upload
from tests.contract.kfp.pipelines import spec
from tests.fakes.kfp import FakeKfp


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


def test_an_upload_over_32_mib_is_refused(fake: FakeKfp) -> None:
    comment = b"# " + b"x" * (33 << 20) + b"\n"

    assert upload(fake, "big", comment + json.dumps(spec()).encode()) == 400


def test_a_run_of_5_mb_is_refused_by_kubernetes(fake: FakeKfp) -> None:
    status, said = run(fake, pipeline_spec=big(5_000_000))

    assert status == 500
    assert said["message"].endswith("Request entity too large: limit is 3145728")


def test_in_the_native_store_a_large_upload_leaves_a_pipeline_without_a_version() -> None:
    with FakeKfp("k8s-native") as kfp:
        assert upload(kfp, "small", json.dumps(big(1_400_000)).encode()) == 200
        assert upload(kfp, "large", json.dumps(big(1_600_000)).encode()) == 500

        named = {one.name: one.id for one in kfp.world.pipelines.values()}
        assert [len(kfp.world.of_pipeline(named[name])) for name in ("small", "large")] == [1, 0]


def test_of_fifty_identical_uploads_at_once_one_is_taken(fake: FakeKfp) -> None:
    content = json.dumps(spec()).encode()

    with ThreadPoolExecutor(50) as together:
        statuses = list(together.map(lambda _: upload(fake, "same", content), range(50)))

    assert sorted(statuses) == [200, *[409] * 49]
