"""Who logs in how: an OpenID provider's client, a person's way through oauth2-proxy and Dex, a cookie."""

from collections.abc import Iterator

import pytest
from tagline.errors import KfpForbidden, KfpNotLetIn, KfpUnavailable
from tagline.kubeflow_keys import Access, Cookie, Dex, Oidc
from tagline.platforms.kubeflow.access import oidc
from tagline.platforms.kubeflow.server.connection import Connection
from tagline_task.masking import HIDDEN

from tests.contract.kfp.opened import opened
from tests.fakes.kfp import FakeKfp
from tests.fakes.oidc import FakeGateway, FakeProvider
from tests.servers.ports import free_port

MINE = {"namespace": "mu-alice"}
SECRET = "s3cret-of/the client"
EDITOR = "system:serviceaccount:mu-alice:default-editor"
PASSWORD = "12341234-of-alice"


@pytest.fixture
def kfp() -> Iterator[FakeKfp]:
    with FakeKfp("multiuser") as server:
        yield server


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with FakeProvider(secret=SECRET) as server:
        yield server


@pytest.fixture
def gateway(kfp: FakeKfp) -> Iterator[FakeGateway]:
    with FakeGateway(behind=kfp.url) as server:
        yield server


def as_client(kfp: FakeKfp, provider: FakeProvider, secret: str = SECRET, **more: str) -> Connection:
    access = Access(oidc=Oidc(provider.url, "ci", **more))
    return opened(kfp.url, access, {"TAGLINE_KFP_CLIENT_SECRET": secret})


def as_person(gateway: FakeGateway, password: str = PASSWORD, connector: str = "local") -> Connection:
    environ = {"TAGLINE_KFP_USER": "alice@example.com", "TAGLINE_KFP_PASSWORD": password}
    return opened(gateway.url, Access(dex=Dex(connector=connector)), environ)


@pytest.mark.parametrize("methods", [["client_secret_basic"], ["client_secret_post"], []])
def test_a_client_gets_a_token_however_the_provider_wants_its_secret(
    kfp: FakeKfp, provider: FakeProvider, methods: list[str]
) -> None:
    provider.tokens, provider.methods = [kfp.token(EDITOR)], methods or ["client_secret_basic"]
    where = as_client(kfp, provider, scope="openid", audience="kubeflow")
    assert where.ask("GET", "/pipelines", MINE) == {}
    asked = provider.asked[-1]
    assert (asked.form["scope"], asked.form["audience"]) == ("openid", "kubeflow")
    assert SECRET not in asked.whole


def test_a_token_is_asked_for_once_and_again_when_it_is_refused(kfp: FakeKfp, provider: FakeProvider) -> None:
    provider.tokens = [kfp.token(EDITOR)]
    where = as_client(kfp, provider)
    for _ in range(3):
        assert where.ask("GET", "/pipelines", MINE) == {}
    kfp.expire_tokens()
    kfp.advance(2)
    provider.tokens = [kfp.token(EDITOR)]
    assert where.ask("GET", "/pipelines", MINE) == {}
    assert [one.path for one in provider.asked] == ["/.well-known/openid-configuration", "/token", "/token"]


def test_a_token_that_ends_soon_is_not_used(kfp: FakeKfp, provider: FakeProvider) -> None:
    provider.tokens, provider.lives = [kfp.token(EDITOR)], 30
    where = as_client(kfp, provider)
    where.ask("GET", "/pipelines", MINE)
    where.ask("GET", "/pipelines", MINE)
    assert [one.path for one in provider.asked].count("/token") == 2


def test_a_wrong_secret_is_the_providers_refusal_and_is_not_shown(
    kfp: FakeKfp, provider: FakeProvider
) -> None:
    with pytest.raises(KfpNotLetIn, match="Invalid client credentials") as caught:
        as_client(kfp, provider, secret="another-secret").ask("GET", "/pipelines", MINE)
    assert "another-secret" not in str(caught.value)
    assert kfp.asked == []


def test_a_provider_that_is_busy_is_asked_again_and_one_that_stays_so_is_an_error(
    kfp: FakeKfp, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oidc, "WAITS", (0.01, 0.01))
    provider.tokens, provider.fail = [kfp.token(EDITOR)], 2
    where = as_client(kfp, provider)
    assert where.ask("GET", "/pipelines", MINE) == {}
    provider.fail = 99
    with pytest.raises(KfpUnavailable, match="the OpenID provider answered 503"):
        as_client(kfp, provider).ask("GET", "/pipelines", MINE)


def test_what_is_no_provider_or_another_one_gets_no_secret(kfp: FakeKfp, provider: FakeProvider) -> None:
    with pytest.raises(KfpNotLetIn, match="no OpenID provider answers"):
        opened(kfp.url, Access(oidc=Oidc(kfp.url, "ci")), {"TAGLINE_KFP_CLIENT_SECRET": SECRET}).ask(
            "GET", "/runs/x"
        )
    provider.issuer = "https://evil.example.org"
    with pytest.raises(KfpNotLetIn, match=r"calls itself https://evil\.example\.org"):
        as_client(kfp, provider).ask("GET", "/runs/x")
    assert [one.method for one in provider.asked] == ["GET"]


def test_without_a_secret_nobody_is_asked(kfp: FakeKfp) -> None:
    access = Access(oidc=Oidc(f"http://127.0.0.1:{free_port()}", "ci"))
    with pytest.raises(KfpNotLetIn, match="secret is not there") as caught:
        opened(kfp.url, access).ask("GET", "/runs/x")
    assert caught.value.where == "TAGLINE_KFP_CLIENT_SECRET"


@pytest.mark.parametrize("button", [False, True])
@pytest.mark.parametrize("approval", [False, True])
@pytest.mark.parametrize("connectors", [["local"], ["local", "ldap"]])
def test_a_person_comes_through_every_set_of_pages(
    gateway: FakeGateway, button: bool, approval: bool, connectors: list[str]
) -> None:
    gateway.button, gateway.approval, gateway.connectors = button, approval, connectors
    assert as_person(gateway).ask("GET", "/pipelines", MINE) == {}


def test_a_session_that_ended_is_begun_again(gateway: FakeGateway) -> None:
    where = as_person(gateway)
    assert where.ask("GET", "/pipelines", MINE) == {}
    gateway.end_sessions()
    assert where.ask("POST", "/experiments", body={"display_name": "e", **MINE})["display_name"] == "e"
    assert [one.path for one in gateway.asked].count("/oauth2/callback") == 2


@pytest.mark.parametrize("status", [200, 401])
def test_a_wrong_password_is_said_and_not_tried_again(gateway: FakeGateway, status: int) -> None:
    gateway.wrong = status
    with pytest.raises(KfpNotLetIn, match="does not know this user with this password") as caught:
        as_person(gateway, password="not-the-password").ask("GET", "/pipelines", MINE)
    assert "not-the-password" not in str(caught.value)
    assert [one.method for one in gateway.asked].count("POST") == 1


def test_a_connector_that_dex_lacks_is_said_with_those_that_it_has(gateway: FakeGateway) -> None:
    gateway.connectors = ["ldap", "saml"]
    with pytest.raises(KfpNotLetIn, match="no connector 'local'; it has ldap, saml"):
        as_person(gateway).ask("GET", "/pipelines", MINE)


def test_a_server_without_a_log_in_is_said_so(gateway: FakeGateway) -> None:
    where = as_person(gateway)
    where.ask("GET", "/pipelines", MINE)
    session = where.credentials.header()
    assert session
    gateway.answer = gateway._pass  # type: ignore[method-assign]  # everybody passes
    with pytest.raises(KfpNotLetIn, match="asks nobody to log in"):
        as_person(gateway).ask("GET", "/pipelines", MINE)


def test_the_password_goes_to_the_form_alone_and_the_cookie_is_masked(gateway: FakeGateway) -> None:
    where = as_person(gateway)
    where.ask("GET", "/pipelines", MINE)
    holding = [one for one in gateway.asked if PASSWORD.encode() in one.body or PASSWORD in one.whole]
    assert [(one.method, one.path) for one in holding] == [("POST", "/dex/auth/local/login")]
    header = where.credentials.header()
    assert header
    assert header.until is not None
    assert header.value.open() not in HIDDEN.clean(f"{header.value.open()} {PASSWORD}")
    assert PASSWORD not in HIDDEN.clean(PASSWORD)


def test_a_cookie_of_a_browser_lets_in_until_its_session_ends(gateway: FakeGateway) -> None:
    where = as_person(gateway)
    where.ask("GET", "/pipelines", MINE)
    header = where.credentials.header()
    assert header
    borrowed = opened(gateway.url, Access(cookie=Cookie(variable="COOKIE")), {"COOKIE": header.value.open()})
    assert borrowed.ask("GET", "/pipelines", MINE) == {}
    gateway.end_sessions()
    with pytest.raises(KfpNotLetIn, match="does not let the session whose cookie is in COOKIE in"):
        borrowed.ask("GET", "/pipelines", MINE)


def test_what_the_person_may_not_is_the_servers_word(kfp: FakeKfp) -> None:
    with FakeGateway(behind=kfp.url, email="bob@example.com") as gateway:
        environ = {"TAGLINE_KFP_USER": "bob@example.com", "TAGLINE_KFP_PASSWORD": PASSWORD}
        where = opened(gateway.url, Access(dex=Dex()), environ)
        with pytest.raises(KfpForbidden, match=r"bob@example\.com may not list pipelines in mu-alice"):
            where.ask("GET", "/pipelines", MINE)


def test_nothing_is_asked_before_the_first_question(gateway: FakeGateway) -> None:
    where = as_person(gateway)
    assert gateway.asked == []
    assert "TAGLINE_KFP_USER" in where.credentials.who
