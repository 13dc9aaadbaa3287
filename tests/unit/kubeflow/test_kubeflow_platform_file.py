"""A platform file of kind kubeflow is strict: what it lacks, has wrong, or could not mean is said with its place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tagline import platform_file
from tagline.errors import ConfigError
from tagline.kubeflow_keys import Kubeflow, Oidc
from tagline.kubeflow_rules import is_local

WHERE = "/etc/tagline/platform.yaml"
GOOD = """\
name: acme
kind: kubeflow
endpoints: {pipelines: "https://kubeflow.example.org/pipeline"}
namespaces: {training: ml-train, prod: ml-prod}
"""


def read(text: str) -> Kubeflow:
    said = platform_file.parse(text, WHERE).file.kubeflow()
    assert said
    return said


def refused(text: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        platform_file.parse(text, WHERE)
    return caught.value


def test_what_a_company_says_once_is_read() -> None:
    said = read(
        GOOD
        + """\
access: {oidc: {issuer: "https://id.example.org/realms/ml", client: ci}}
ca: /etc/ssl/acme.pem
time_zone: Europe/Berlin
store: {root: "s3://ml/v2", endpoint: "https://s3.example.org"}
gpu: {training: {node_selector: {pool: a100}, tolerations: [{key: nvidia.com/gpu, effect: NoSchedule}]}}
floors: {gate: true}
"""
    )
    assert (said.training, said.namespaces["prod"], said.time_zone) == (
        "ml-train",
        "ml-prod",
        "Europe/Berlin",
    )
    assert said.access.oidc == Oidc("https://id.example.org/realms/ml", "ci")
    assert said.gpu["training"].resource == "nvidia.com/gpu"


def test_what_is_left_out_has_its_default() -> None:
    said = read(GOOD)
    assert (said.time_zone, said.ca, said.store, said.access.chosen()) == ("UTC", "", None, [])
    assert said.service_account == ""
    assert read(GOOD + "service_account: trainer.v2\n").service_account == "trainer.v2"


def test_a_platform_of_another_kind_is_no_kubeflow() -> None:
    assert platform_file.parse("name: acme\n", WHERE).file.kubeflow() is None


@pytest.mark.parametrize(
    ("text", "what", "place"),
    [
        ("name: a\nkind: kubeflow\n", "needs endpoints", ""),
        ("name: a\nkind: kubeflow\nendpoints: {pipelines: 'http://x'}\n", "needs namespaces", ""),
        ("name: a\nnamespaces: {training: x}\n", "namespaces is for kind 'kubeflow'", ":2:1"),
        ("name: a\nkind: argo\n", "kind 'argo' is not one of local, kubeflow", ""),
        (GOOD.replace("pipelines:", "pipeline:"), "unknown key 'endpoints.pipeline'", ":3:13"),
        (GOOD.replace("training:", "train:"), "namespaces lacks training", ":4:13"),
        (GOOD.replace("ml-train", "ML_Train"), "namespaces", ":4:24"),
        (GOOD.replace("https://", "ftp://"), "must be a web address", ":3:24"),
        (GOOD.replace("https://", "https://ada:secret@"), "holds a password", ":3:24"),
        (GOOD.replace("/pipeline", "/_/pipeline/#/pipelines"), "a page in a browser", ":3:24"),
        (GOOD.replace("/pipeline", "/pipeline/?ns=ml"), "a page in a browser", ":3:24"),
        (GOOD.replace("/pipeline", "/pipeline/apis/v2beta1"), "goes too deep", ":3:24"),
        (GOOD + "access: {oidcc: {}}\n", "unknown key 'access.oidcc'", ":5:10"),
        (GOOD + "access: {dex: {}, cookie: {}}\n", "access names dex and cookie", ":5:27"),
        (GOOD + "access: {user_header: {user: ada}}\n", "for a server on this machine", ":5:23"),
        (GOOD + "access: {dex: {password: hunter2}}\n", "access.dex.password", ":5:26"),
        (GOOD + "access: {oidc: {issuer: id, client: ci}}\n", "must be a web address", ":5:25"),
        (GOOD + "ca: acme.pem\n", "must be an absolute path", ":5:5"),
        (GOOD + "time_zone: Mars/Olympus\n", "'Mars/Olympus' is not known", ":5:12"),
        (GOOD + "store: {root: 'gs://ml'}\n", "store.root", ":5:15"),
        (GOOD + "service_account: Trainer\n", "cannot name a ServiceAccount", ":5:18"),
        (GOOD + "service_account: a/b\n", "cannot name a ServiceAccount", ":5:18"),
        (GOOD + f"service_account: {'a' * 254}\n", "cannot name a ServiceAccount", ":5:18"),
        (GOOD + "cluster: {server: 'http://kube.example.org'}\n", "begin with https://", ":5:19"),
        (GOOD + "cluster: {server: 'https://a:b@kube'}\n", "holds a password", ":5:19"),
        (GOOD + "cluster: {ca: kube.pem}\n", "must be an absolute path", ":5:15"),
        (GOOD + "gpu: {training: {resource: gpu}}\n", "gpu.training.resource", ":5:28"),
        (GOOD + "gpu: {training: {tolerations: [{operator: Is}]}}\n", "operator", ":5:43"),
    ],
)
def test_a_mistake_names_its_key_and_its_place(text: str, what: str, place: str) -> None:
    error = refused(text)
    assert what in error.what
    assert error.where == WHERE + place


def test_an_empty_user_header_is_refused_as_it_would_stop_the_server() -> None:
    local = GOOD.replace("https://kubeflow.example.org/pipeline", "http://127.0.0.1:8888")
    assert read(local + "access: {user_header: {user: ada}}\n").access.user_header
    assert "stops the server" in refused(local + "access: {user_header: {user: ' '}}\n").what
    assert refused(local + "access: {user_header: {user: ''}}\n").where == f"{WHERE}:5:30"


def test_the_address_of_a_page_is_mended_in_the_words_of_the_error() -> None:
    error = refused(GOOD.replace("/pipeline", "/_/pipeline/?ns=ml#/runs"))
    assert error.fix == "pipelines: https://kubeflow.example.org/pipeline"


def test_a_password_in_an_address_is_not_shown_again() -> None:
    assert "hunter2" not in str(refused(GOOD.replace("https://", "https://ada:hunter2@")))


@given(st.text(max_size=40))
def test_any_text_as_an_address_is_taken_or_refused_in_words(address: str) -> None:
    text = "name: a\nkind: kubeflow\nnamespaces: {training: x}\n"
    import json

    try:
        platform_file.parse(f"{text}endpoints: {{pipelines: {json.dumps(address)}}}\n", WHERE)
    except ConfigError as error:
        assert error.what


@pytest.mark.parametrize("url", ["http://localhost:1", "http://127.0.0.1/x", "http://[::1]:8"])
def test_a_server_on_this_machine_is_known(url: str) -> None:
    assert is_local(url)


@pytest.mark.parametrize(
    "url", ["http://localhost.example.org", "http://127.0.0.1.nip.io", "http://[::1", ""]
)
def test_a_server_that_only_looks_like_this_machine_is_none(url: str) -> None:
    assert not is_local(url)
