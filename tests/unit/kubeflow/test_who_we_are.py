"""Tokens are looked at before they are sent, headers are kept until shortly before they end, nothing shows a secret."""

import base64
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from tagline.errors import KfpError, KfpNotLetIn
from tagline.kubeflow_keys import Access, Cookie, Endpoints, Kubeflow, ServiceAccount
from tagline.platforms.kubeflow.access import Credentials, Header, Identity, cookie, service_account
from tagline.platforms.kubeflow.access.given import secret
from tagline.platforms.kubeflow.access.opening import credentials
from tagline.platforms.kubeflow.server import namespaces
from tagline.platforms.kubeflow.wire import proxy_for
from tagline_task.masking import HIDDEN, Secret

NOW = 1_800_000_000.0
API = "https://kubeflow.example.org/pipeline/apis/v2beta1"


def token(**claims: object) -> str:
    said = {
        "aud": ["pipelines.kubeflow.org"],
        "sub": "system:serviceaccount:ml:ci",
        "exp": NOW + 600,
        **claims,
    }
    packed = base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")
    return f"eyJhbGciOiJub25lIn0.{packed}.signature-of-it"


def sent(text: str, file: Path) -> Header:
    file.write_text(text + "\n")
    fetch = service_account.identity(ServiceAccount(str(file)), {}, lambda: NOW).fetch
    assert fetch
    return fetch()


def test_a_good_token_says_who_it_is_and_when_it_ends(tmp_path: Path) -> None:
    header = sent(token(), tmp_path / "token")
    assert header.value.open() == f"Bearer {token()}"
    assert (header.who, header.until) == ("the ServiceAccount ml/ci", NOW + 600)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (
            token(aud=["https://kubernetes.default.svc"]),
            "made for https://kubernetes.default.svc, and the server wants",
        ),
        (token(aud="istio-ca"), "made for istio-ca"),
        (token(aud=None), "made for nobody by name"),
        (token(exp=NOW - 1), "the token ended at 2027-01-15"),
        ("not-a-token", "no ServiceAccount's token"),
        ("a.b.c", "no ServiceAccount's token"),
        ("", "is not there"),
    ],
)
def test_a_token_that_the_server_would_refuse_is_not_sent(text: str, what: str, tmp_path: Path) -> None:
    with pytest.raises(KfpNotLetIn) as caught:
        sent(text, tmp_path / "token")
    assert what in caught.value.what
    assert not text or text not in str(caught.value)


def test_a_token_may_be_made_for_two(tmp_path: Path) -> None:
    assert sent(token(aud=["other", "pipelines.kubeflow.org"]), tmp_path / "token")


def test_a_tokens_place_is_what_the_platform_file_says_then_what_kubeflow_sets(tmp_path: Path) -> None:
    (tmp_path / "t").write_text(token(exp=None))
    by_kubeflow = {
        service_account.PATH_VARIABLE: str(tmp_path / "t"),
        "CI_TOKEN": token(sub="by-variable", exp=None),
    }
    for said, who in ((ServiceAccount(), "ml/ci"), (ServiceAccount(variable="CI_TOKEN"), "by-variable")):
        fetch = service_account.identity(said, by_kubeflow).fetch
        assert fetch and who in fetch().who
    assert "/somewhere" in service_account.identity(ServiceAccount("/somewhere"), by_kubeflow).who


def test_a_missing_file_is_said_with_its_place() -> None:
    with pytest.raises(KfpNotLetIn) as caught:
        secret("", "/nowhere/token", {}, "the token")
    assert (caught.value.where, "No such file" in caught.value.what) == ("/nowhere/token", True)


def fetched(*headers: Header) -> Iterator[Header]:
    yield from headers


def test_a_header_is_fetched_once_and_again_shortly_before_it_ends() -> None:
    clock = [NOW]
    made = fetched(
        *(Header("Authorization", Secret(f"Bearer token-number-{n}"), NOW + 600 * n) for n in (1, 2))
    )
    held = Credentials(Identity("me", lambda: next(made)), lambda: clock[0])
    first = held.header()
    assert held.header() is first
    clock[0] = NOW + 545
    assert held.header() is not first


def test_a_refused_header_is_renewed_once_by_whoever_comes_first() -> None:
    made = fetched(*(Header("Authorization", Secret(f"Bearer token-number-{n}")) for n in (1, 2)))
    held = Credentials(Identity("me", lambda: next(made)))
    first = held.header()
    assert held.renewed(first)
    assert held.renewed(first)  # another thread's: there is a newer one already, no third is fetched


def test_the_same_header_again_is_no_renewal() -> None:
    held = Credentials(Identity("me", lambda: Header("Cookie", Secret("session=the-same"))))
    assert not held.renewed(held.header())
    assert not Credentials(Identity("nobody")).renewed(None)


def test_what_was_fetched_is_masked_from_then_on() -> None:
    Credentials(
        Identity("me", lambda: Header("Cookie", Secret("a=first-of-them; b=second-of-them")))
    ).header()
    Credentials(Identity("me", lambda: Header("Authorization", Secret("Bearer third-of-them")))).header()
    assert HIDDEN.clean("first-of-them second-of-them third-of-them") == "*** *** ***"


def test_the_name_in_a_test_set_ups_header_is_no_secret() -> None:
    said = Header("kubeflow-userid", Secret("an-open-name@example.com"), public=True)
    Credentials(Identity("me", lambda: said)).header()
    assert HIDDEN.clean("an-open-name@example.com") == "an-open-name@example.com"


def test_a_secret_of_nobodys_choosing_is_never_printed(caplog: pytest.LogCaptureFixture) -> None:
    header = Header("Authorization", Secret("Bearer never-to-be-seen"))
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("x").debug("%r %s", header, Credentials(Identity("me", lambda: header)).header())
    assert "never-to-be-seen" not in caplog.text + repr(header)


@pytest.mark.parametrize("text", ["no cookie", "a=b\nSet-Cookie: c=d"])
def test_what_is_no_cookie_is_not_sent(text: str) -> None:
    fetch = cookie.identity(Cookie(), {"TAGLINE_KFP_COOKIE": text}).fetch
    assert fetch
    with pytest.raises(KfpNotLetIn, match="no cookie"):
        fetch()


def test_no_access_is_nobody() -> None:
    said = Kubeflow(Endpoints("http://127.0.0.1:1"), {"training": "ml"}, Access())
    assert credentials(said, {}).header() is None


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/pipelines"),
        ("GET", "/pipelines/names/wine"),
        ("GET", "/runs?page_size=5"),
        ("GET", "/experiments"),
        ("GET", "/recurringruns"),
        ("POST", "/pipelines/upload?name=wine"),
    ],
)
def test_what_would_mean_everybodys_is_not_sent_without_a_namespace(method: str, path: str) -> None:
    with pytest.raises(KfpError, match="without a namespace"):
        namespaces.require(method, API + path)
    namespaces.require(method, f"{API}{path}{'&' if '?' in path else '?'}namespace=ml")
    namespaces.require(method, f"{API}{path}{'&' if '?' in path else '?'}namespace=")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/healthz"),
        ("GET", "/pipelines/4f-1"),
        ("GET", "/pipelines/4f-1/versions"),
        ("GET", "/runs?experiment_id=e-1"),
        ("POST", "/pipelines/upload_version?name=v1&pipelineid=4f-1"),
        ("POST", "/runs"),
        ("DELETE", "/pipelines/4f-1"),
    ],
)
def test_what_names_its_object_needs_no_namespace(method: str, path: str) -> None:
    namespaces.require(method, API + path)


@pytest.mark.parametrize(
    ("url", "environ", "proxy"),
    [
        ("https://k.example.org/", {}, ""),
        ("https://k.example.org/", {"HTTPS_PROXY": "http://p:3128"}, "http://p:3128"),
        (
            "https://k.example.org/",
            {"HTTPS_PROXY": "http://p:3128", "https_proxy": "http://q:1"},
            "http://q:1",
        ),
        ("http://k.example.org/", {"HTTPS_PROXY": "http://p:3128"}, ""),
        ("https://k.example.org/", {"HTTPS_PROXY": "http://p:3128", "NO_PROXY": "a,.example.org"}, ""),
        ("https://k.example.org/", {"HTTPS_PROXY": "http://p:3128", "no_proxy": "*"}, ""),
        ("http://127.0.0.1:8888/", {"HTTP_PROXY": "http://p:3128"}, ""),
    ],
)
def test_the_environment_names_the_proxy_and_what_goes_around_it(
    url: str, environ: dict[str, str], proxy: str
) -> None:
    assert proxy_for(url, environ) == proxy
