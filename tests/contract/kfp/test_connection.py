"""The connection on a fake server: reads outlive its troubles, writes are sent once, refusals are in words."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tagline.errors import (
    KfpError,
    KfpForbidden,
    KfpNotAServer,
    KfpNotLetIn,
    KfpNotThere,
    KfpRefused,
    KfpUnavailable,
)
from tagline.kubeflow_keys import Access, Cookie, ServiceAccount
from tagline.platforms.kubeflow.runs import scheduled
from tagline.platforms.kubeflow.server import probe
from tagline.platforms.kubeflow.server.connection import Patience
from tagline.platforms.kubeflow.wire import Times
from tagline_task.masking import HIDDEN

from tests.contract.kfp.opened import ALICE, by_header, opened
from tests.fakes.kfp import FakeKfp
from tests.fakes.oidc.http import Asked, Fake, Said
from tests.servers.ports import free_port

PIPELINE = Path(__file__).parents[2] / "projects/plain_kfp/docker/kubeflow_pipeline/pipeline.yaml"
SHORT = Patience(Times(read=0.1), waits=(0.5,) * 9, most=180.0)
MINE = {"namespace": "mu-alice"}
EDITOR = "system:serviceaccount:mu-alice:default-editor"


@pytest.fixture
def kfp() -> Iterator[FakeKfp]:
    with FakeKfp("multiuser") as server:
        yield server


def upload(kfp: FakeKfp, access: Access, environ: dict[str, str] | None = None, name: str = "wine") -> object:
    where = opened(kfp.url, access, environ)
    return where.post_file("/pipelines/upload", PIPELINE.read_bytes(), {"name": name, **MINE})


def by_token(token: str) -> tuple[Access, dict[str, str]]:
    return Access(service_account=ServiceAccount(variable="TOKEN")), {"TOKEN": token}


def test_the_generated_clients_services_go_through_the_connection(kfp: FakeKfp) -> None:
    where = opened(kfp.url, by_header(ALICE))
    assert upload(kfp, by_header(ALICE))
    found = where.services.pipelines.pipeline_service_list_pipelines(namespace=where.scope)
    assert [one.display_name for one in found.pipelines] == ["wine"]
    with pytest.raises(KfpNotThere, match="not found"):
        where.services.runs.run_service_get_run("00000000-0000-0000-0000-000000000000")
    with pytest.raises(KfpError, match="without a namespace"):
        where.services.pipelines.pipeline_service_list_pipelines()


def test_the_namespace_is_ours_where_there_are_many_users_and_empty_where_there_is_one(kfp: FakeKfp) -> None:
    assert opened(kfp.url, by_header(ALICE)).scope == "mu-alice"
    with FakeKfp("database") as one:
        assert opened(one.url, Access()).scope == ""


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_read_outlives_what_passes(kfp: FakeKfp, status: int) -> None:
    where = opened(kfp.url, by_header(ALICE))
    kfp.fail_next(2, status)
    assert where.ask("GET", "/pipelines", MINE) == {}


def test_a_read_gives_up_after_its_last_try(kfp: FakeKfp) -> None:
    where = opened(kfp.url, by_header(ALICE))
    kfp.fail_next(4, 503)
    with pytest.raises(KfpUnavailable, match="503"):
        where.ask("GET", "/pipelines", MINE)
    assert len(kfp.asked) == 4


def test_a_read_outlives_a_minute_of_503_with_the_patience_that_we_have(kfp: FakeKfp) -> None:
    where, slept = opened(kfp.url, by_header(ALICE), patience=Patience()), [0.0]
    kfp.fail_next(1000, 503)

    def sleep(seconds: float) -> None:
        slept[0] += seconds
        if slept[0] >= 60:
            kfp.calm()

    where.sleep = sleep
    assert where.ask("GET", "/pipelines", MINE) == {}
    assert 60 <= slept[0] < 120


def test_a_read_of_a_server_that_hangs_ends_within_its_bound(kfp: FakeKfp) -> None:
    where, now = opened(kfp.url, by_header(ALICE), patience=SHORT), [0.0]
    where.sleep = lambda seconds: None
    where.clock = lambda: now.__setitem__(0, now[0] + 60) or now[0]  # a minute passes between two looks at it
    kfp.hang()
    with pytest.raises(KfpUnavailable, match="did not answer in time"):
        where.ask("GET", "/pipelines", MINE)
    kfp.calm()
    assert len(kfp.asked) == 3


def test_a_server_may_ask_for_a_wait_and_not_for_ever(kfp: FakeKfp) -> None:
    for asked, slept in (("7", [7.0]), ("3600", [])):
        busy = Said(503, b"busy", "text/plain", (("Retry-After", asked),))
        with Odd(busy) as server:
            where, waits = opened(server.url, Access(), patience=Patience(waits=(0.5,))), []
            where.sleep = waits.append
            with pytest.raises(KfpUnavailable, match="busy"):
                where.ask("GET", "/healthz")
        assert waits == slept


def test_a_write_is_sent_once_and_says_that_it_may_be_done(kfp: FakeKfp) -> None:
    where = opened(kfp.url, by_header(ALICE))
    kfp.lose_answers(1)
    with pytest.raises(KfpUnavailable) as caught:
        where.ask("POST", "/experiments", body={"display_name": "e", **MINE})
    assert caught.value.maybe_done
    assert [method for method, _ in kfp.asked] == ["POST"]
    assert [one["display_name"] for one in where.ask("GET", "/experiments", MINE)["experiments"]] == ["e"]


def test_a_server_that_never_answers_is_given_up(kfp: FakeKfp) -> None:
    where = opened(kfp.url, by_header(ALICE))
    kfp.hang()
    with pytest.raises(KfpUnavailable, match="did not answer in time") as caught:
        where.ask("POST", "/experiments", body={"display_name": "e", **MINE})
    assert caught.value.maybe_done
    kfp.calm()


def test_a_server_that_is_not_there_has_done_nothing() -> None:
    where = opened(f"http://127.0.0.1:{free_port()}", Access())
    with pytest.raises(KfpUnavailable, match="cannot be reached: Connection refused") as caught:
        where.ask("POST", "/experiments", body={})
    assert not caught.value.maybe_done


def test_who_may_not_is_told_who_they_are_and_what_they_lack(kfp: FakeKfp) -> None:
    with pytest.raises(KfpForbidden, match=r"bob@example\.com may not list pipelines in mu-alice"):
        opened(kfp.url, by_header("bob@example.com")).ask("GET", "/pipelines", MINE)
    with pytest.raises(KfpNotLetIn, match="told no identity"):
        opened(kfp.url, Access()).ask("GET", "/pipelines", MINE)


@pytest.mark.parametrize(
    ("user", "kind", "words"),
    [
        ("", KfpNotLetIn, "told no identity"),
        ("bob@example.com", KfpForbidden, "bob@example.com may not list pipelines"),
        ("carol@example.com", KfpForbidden, "may look at pipelines in mu-alice, and not upload there"),
    ],
)
def test_an_uploads_400_is_said_as_the_401_or_403_that_it_hides(
    kfp: FakeKfp, user: str, kind: type[KfpError], words: str
) -> None:
    with pytest.raises(kind, match=words):
        upload(kfp, by_header(user))


def test_a_version_for_a_pipeline_that_is_not_there_is_said_so(kfp: FakeKfp) -> None:
    where = opened(kfp.url, by_header(ALICE))
    query = {"name": "v1", "pipelineid": "00000000-0000-0000-0000-000000000000"}
    with pytest.raises(KfpNotThere):
        where.post_file("/pipelines/upload_version", PIPELINE.read_bytes(), query)


def test_a_name_that_is_taken_is_a_refusal_with_its_status(kfp: FakeKfp) -> None:
    upload(kfp, by_header(ALICE))
    with pytest.raises(KfpRefused) as caught:
        upload(kfp, by_header(ALICE))
    assert caught.value.status == 409


def test_a_service_accounts_token_lets_us_in(kfp: FakeKfp) -> None:
    access, environ = by_token(kfp.token(EDITOR))
    assert upload(kfp, access, environ)


def test_a_token_for_another_audience_never_leaves_this_machine(kfp: FakeKfp) -> None:
    access, environ = by_token(kfp.token(EDITOR, audience="https://kubernetes.default.svc"))
    with pytest.raises(KfpNotLetIn, match=r"the server wants pipelines\.kubeflow\.org: not sent"):
        opened(kfp.url, access, environ).ask("GET", "/pipelines", MINE)
    assert kfp.asked == []


def test_a_token_that_ended_in_between_is_read_again_once(kfp: FakeKfp, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(kfp.token(EDITOR))
    where = opened(kfp.url, Access(service_account=ServiceAccount(str(file))))
    assert where.ask("GET", "/pipelines", MINE) == {}
    kfp.expire_tokens()
    kfp.advance(2)
    with pytest.raises(KfpNotLetIn, match="expired"):
        where.ask("GET", "/pipelines", MINE)
    file.write_text(kfp.token(EDITOR))
    assert where.ask("GET", "/pipelines", MINE) == {}


def test_an_upload_whose_token_ended_is_sent_again_with_the_new_one(kfp: FakeKfp, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(kfp.token(EDITOR))
    where = opened(kfp.url, Access(service_account=ServiceAccount(str(file))))
    assert where.ask("GET", "/pipelines", MINE) == {}
    kfp.expire_tokens()
    kfp.advance(2)
    file.write_text(kfp.token(EDITOR))
    assert where.post_file("/pipelines/upload", PIPELINE.read_bytes(), {"name": "wine", **MINE})


def test_an_empty_header_which_would_kill_the_server_is_never_sent(kfp: FakeKfp) -> None:
    with pytest.raises(KfpNotLetIn, match="stops the server: not sent"):
        opened(kfp.url, by_header(" ")).ask("GET", "/pipelines", MINE)
    assert kfp.asked == []


def test_a_list_is_walked_to_its_end_and_never_for_ever(kfp: FakeKfp) -> None:
    where = opened(kfp.url, by_header(ALICE))
    for number in range(5):
        upload(kfp, by_header(ALICE), name=f"wine-{number}")
    found = where.pages("/pipelines", "pipelines", {**MINE, "page_size": "2"})
    assert sorted(one["display_name"] for one in found) == [f"wine-{number}" for number in range(5)]


class Odd(Fake):
    """A server that gives one answer to everything."""

    def __init__(self, said: Said, certificate: Path | None = None) -> None:
        super().__init__(certificate)
        self.said = said

    def answer(self, asked: Asked) -> Said:
        return self.said


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        (
            Said(200, b"<html><title>Kubeflow Central Dashboard</title>"),
            KfpNotAServer,
            "Kubeflow's dashboard",
        ),
        (Said(200, b"<html><form><input name='password'>"), KfpNotLetIn, "a page to log in"),
        (Said(302, headers=(("Location", "/dex/auth?x=1"),)), KfpNotLetIn, "it sends us to"),
        (Said(302, headers=(("Location", "https://elsewhere.example.org/"),)), KfpNotAServer, "elsewhere"),
        (Said(404, b"404 page not found\n", "text/plain"), KfpNotAServer, "it has nothing there"),
        (
            Said(200, b'{"hello": "world"}', "application/json"),
            KfpNotAServer,
            "not of a Kubeflow Pipelines API",
        ),
        (Said(200, b"[]", "application/json"), KfpNotAServer, "no JSON object"),
    ],
)
def test_what_is_no_api_is_said_in_words(said: Said, kind: type[KfpError], words: str) -> None:
    with Odd(said) as server, pytest.raises(kind, match=words):
        probe.health(opened(server.url, Access()))


def test_a_page_that_comes_again_and_again_is_an_error() -> None:
    body = b'{"pipelines": [{}], "next_page_token": "t"}'
    with Odd(Said(200, body, "application/json")) as server, pytest.raises(KfpError, match="does not end"):
        list(opened(server.url, Access()).pages("/pipelines", "pipelines", MINE))


@pytest.mark.parametrize(
    "runs", ["null", '[{"recurring_run_id": "r", "runtime_config": {"pipeline_root": "s3://b/wine"}}]']
)
def test_a_list_of_nothing_and_a_run_without_a_tick_are_no_crash(runs: str) -> None:
    with Odd(Said(200, f'{{"runs": {runs}}}'.encode(), "application/json")) as server:
        rows = scheduled.started(opened(server.url, Access()), "wine", "s3://b", "f" * 32)
        assert list(rows) == []


def test_a_server_that_echoes_our_secret_does_not_make_us_say_it() -> None:
    said = Said(400, b'{"code": 3, "message": "what is session=very-secret-session ?"}', "application/json")
    access = Access(cookie=Cookie())
    with Odd(said) as server, pytest.raises(KfpRefused) as caught:
        opened(server.url, access, {"TAGLINE_KFP_COOKIE": "session=very-secret-session"}).ask(
            "GET", "/runs/x"
        )
    assert "very-secret-session" not in str(caught.value)
    assert "very-secret-session" not in HIDDEN.clean("very-secret-session")


def test_a_database_that_is_lost_is_seen_although_healthz_is_well(kfp: FakeKfp) -> None:
    where = opened(kfp.url, by_header(ALICE))
    kfp.lose_database()
    assert probe.health(where).multi_user
    with pytest.raises(KfpUnavailable, match="it is well, and cannot answer") as caught:
        probe.is_let_in(where)
    assert "database" in caught.value.fix


@pytest.mark.parametrize(
    ("mode", "multi_user", "store"),
    [("database", False, "database"), ("multiuser", True, "database"), ("k8s-native", False, "kubernetes")],
)
def test_a_server_says_what_it_is(mode: str, multi_user: bool, store: str) -> None:
    with FakeKfp(mode) as server:
        found = probe.health(opened(server.url, Access()))
    assert (found.multi_user, found.store) == (multi_user, store)
    said = " ".join(limit.what for limit in probe.limits(found))
    assert ("anyone may upload one" in said) is multi_user
    assert ("not atomic" in said) is (store == "kubernetes")


def test_threads_share_one_connection(kfp: FakeKfp) -> None:
    where, found = opened(kfp.url, by_header(ALICE)), []
    threads = [
        threading.Thread(target=lambda: found.append(where.ask("GET", "/pipelines", MINE))) for _ in range(8)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join(10)
    assert found == [{}] * 8
