"""What stands between us and a mistake: each guard holds, and without it the mistake is made."""

import base64
import logging
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tagline.errors import ConfigError, KfpNotAServer
from tagline.kubeflow_keys import Access, Dex, Endpoints, Kubeflow, Oidc, ServiceAccount
from tagline.platforms.kubeflow import open_connection
from tagline.platforms.kubeflow.server import connection, probe
from tagline_task.masking import HIDDEN

from tests.contract.kfp.opened import ALICE, QUICK, by_header, opened
from tests.contract.kfp.test_connection import EDITOR, MINE, PIPELINE, Odd, upload
from tests.fakes.kfp import FakeKfp
from tests.fakes.oidc import FakeGateway, FakeProvider
from tests.fakes.oidc.http import Said

HEALTH = Said(200, b'{"tag_name": "2.17.0", "multi_user": true}', "application/json")


@pytest.fixture
def kfp() -> Iterator[FakeKfp]:
    with FakeKfp("multiuser") as server:
        yield server


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of its own authority, with its key; the authority alone is in `.crt`."""
    file = tmp_path / "server.pem"
    subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    command = ["openssl", "req", "-x509", *kind, *subject, "-keyout", str(file), "-out", f"{file}.crt"]
    subprocess.run(command, check=True, capture_output=True, timeout=30)
    file.write_text(file.read_text() + Path(f"{file}.crt").read_text())
    return file


def test_without_the_guard_of_namespaces_a_name_is_somebody_elses(
    kfp: FakeKfp, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = opened(kfp.url, by_header("bob@example.com"), namespace="mu-bob")
    content = {"name": "wine", "namespace": "mu-bob"}
    bob.post_file("/pipelines/upload", PIPELINE.read_bytes(), content)
    monkeypatch.setattr(connection.namespaces, "require", lambda method, url: None)
    found = opened(kfp.url, by_header(ALICE)).ask("GET", "/pipelines/names/wine")
    assert found["namespace"] == "mu-bob"


def test_without_looking_through_it_an_uploads_refusal_says_nothing(
    kfp: FakeKfp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection.answers, "is_veiled", lambda reply: False)
    with pytest.raises(Exception, match=r"refused it \(400\): Failed to create a pipeline") as caught:
        upload(kfp, by_header("bob@example.com"))
    assert "bob" not in str(caught.value)


def test_a_server_that_nobody_vouches_for_gets_nothing_and_a_private_authority_is_trusted(
    certificate: Path,
) -> None:
    with Odd(HEALTH, certificate) as server:
        said = Kubeflow(Endpoints(server.url), {"training": "mu-alice"}, by_header(ALICE))
        with pytest.raises(KfpNotAServer, match="no authority that is trusted"):
            probe.health(open_connection(said, {}, QUICK))
        assert server.asked == []
        trusting = Kubeflow(said.endpoints, said.namespaces, said.access, ca=f"{certificate}.crt")
        assert probe.health(open_connection(trusting, {}, QUICK)).version == "2.17.0"
        broken = Kubeflow(said.endpoints, said.namespaces, said.access, ca="/nowhere.pem")
        with pytest.raises(ConfigError, match="authority's file cannot be read"):
            probe.health(open_connection(broken, {}, QUICK))


def test_the_environments_proxy_is_asked_and_gets_its_own_password() -> None:
    with Odd(HEALTH) as proxy:
        through = proxy.url.replace("http://", "http://ada:proxy%20word@")
        environ = {"HTTP_PROXY": through, "NO_PROXY": "other.example.org"}
        assert probe.health(opened("http://kfp.example.org/pipeline", Access(), environ)).multi_user
        asked = proxy.asked[0]
    assert asked.whole == "http://kfp.example.org/pipeline/apis/v2beta1/healthz"
    packed = base64.b64encode(b"ada:proxy word").decode()
    assert asked.headers["proxy-authorization"] == f"Basic {packed}"


def test_a_proxy_of_another_kind_is_refused_without_its_password() -> None:
    environ = {"HTTP_PROXY": "socks5://ada:proxy-word@127.0.0.1:1080"}
    with pytest.raises(ConfigError, match="no http:// or https:// address") as caught:
        probe.health(opened("http://kfp.example.org", Access(), environ))
    assert "proxy-word" not in str(caught.value)


def test_no_secret_of_any_log_in_is_in_a_log_however_much_is_logged(
    kfp: FakeKfp, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    token = kfp.token(EDITOR)
    (tmp_path / "token").write_text(token)
    for logger in ("", "urllib3", "kfp_server_api"):  # the generated client turns the last two down
        caplog.set_level(logging.DEBUG, logger=logger)
    with FakeProvider() as provider, FakeGateway(behind=kfp.url) as gateway:
        provider.tokens = [kfp.token("system:serviceaccount:mu-alice:default-editor", lives=1800)]
        ways = [
            (kfp.url, Access(service_account=ServiceAccount(str(tmp_path / "token")))),
            (kfp.url, Access(oidc=Oidc(provider.url, provider.client))),
            (gateway.url, Access(dex=Dex())),
        ]
        environ = {
            "TAGLINE_KFP_CLIENT_SECRET": provider.secret,
            "TAGLINE_KFP_USER": gateway.user,
            "TAGLINE_KFP_PASSWORD": gateway.password,
        }
        cookies = []
        for url, access in ways:
            where = opened(url, access, environ)
            assert where.ask("GET", "/pipelines", MINE) == {}
            header = where.credentials.header()
            assert header
            cookies.append(header.value.open())
        secrets = [token, provider.tokens[0], provider.secret, gateway.password, *cookies]
    assert "healthz" in caplog.text or "pipelines" in caplog.text  # something was logged
    assert [one for one in secrets if one in caplog.text] == []
    assert [one for one in secrets if one in HIDDEN.clean("\n".join(secrets))] == []
