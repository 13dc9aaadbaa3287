"""VaultConnector where things go wrong: sealed, expired, refused, deleted, slow, restarted, rotated, intercepted."""

import os
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import requests
from tagline_task.errors import AlreadyUnwrapped, SecretNotThere, StoreRefused, StoreUnavailable

from tests.servers.openbao import Bao, Standalone, dev_server
from tests.servers.proxy import Proxy, proxied

from .conftest import World, make_world


@pytest.fixture
def slow(world: World) -> Iterator[Proxy]:
    with proxied(world.bao.address) as proxy:
        yield proxy


def test_a_sealed_server_is_said_to_be_sealed(tmp_path: Path) -> None:
    server = Standalone(tmp_path)
    with server.up() as bao:
        bao.ask("POST", "sys/mounts/secret", type="kv", options={"version": "2"})
        world = make_world(bao)
        environ = world.role.environ()
    with server.up(sealed=True):
        vault = world.connector_of(environ)
        with pytest.raises(StoreUnavailable, match=r"is sealed.*unseal"):
            vault.get_secrets(f"{world.name}/db")


def test_a_server_that_restarts_in_the_middle_is_waited_for(tmp_path: Path) -> None:
    server = Standalone(tmp_path)
    with server.up() as bao:
        bao.ask("POST", "sys/mounts/secret", type="kv", options={"version": "2"})
        world = make_world(bao)
        bao.put(f"{world.name}/db", A="before")
        vault = world.connector(patience=30.0)
        assert vault.get_secrets(f"{world.name}/db")["A"] == "before"
    found: list[str] = []
    reader = threading.Thread(target=lambda: found.append(vault.get_secrets(f"{world.name}/db")["A"]))
    reader.start()
    with server.up():
        reader.join(30)
        assert found == ["before"]
        vault.close()


def test_a_server_that_is_not_there_is_given_up_within_its_patience(world: World) -> None:
    vault = world.connector(address="http://127.0.0.1:1", patience=1.0)
    begun = time.monotonic()
    with pytest.raises(StoreUnavailable, match="cannot be reached"):
        vault.get_secrets(f"{world.name}/db")
    assert time.monotonic() - begun < 3


def test_a_slow_server_is_waited_for_one_time_out_long(world: World, slow: Proxy) -> None:
    world.bao.put(f"{world.name}/db", A="slowly")
    slow.delay = 0.3
    with world.connector(address=slow.address, timeout=2.0) as vault:
        assert vault.get_secrets(f"{world.name}/db")["A"] == "slowly"


def test_a_login_whose_answer_is_lost_is_not_sent_again(world: World, slow: Proxy) -> None:
    slow.swallow = True
    vault = world.connector(address=slow.address, timeout=0.5, patience=5.0)
    with pytest.raises(StoreUnavailable, match=r"logging in.*did not answer within 0.5 s"):
        vault.get_secrets(f"{world.name}/db")
    assert slow.requests == 1


def test_a_reading_whose_answer_is_lost_is_sent_again(world: World, slow: Proxy) -> None:
    world.bao.put(f"{world.name}/db", A="again")
    with world.connector(address=slow.address, timeout=0.5, patience=5.0) as vault:
        vault.get_secrets(f"{world.name}/db")
        slow.swallow = True
        timer = threading.Timer(0.6, lambda: setattr(slow, "swallow", False))
        timer.start()
        assert vault.get_secrets(f"{world.name}/db")["A"] == "again"
        timer.join()


@pytest.mark.parametrize("wrong", ["VAULT_ROLE_ID", "VAULT_SECRET_ID"])
def test_a_wrong_credential_is_refused_with_the_command_that_mends_it(world: World, wrong: str) -> None:
    vault = world.connector_of(world.role.environ() | {wrong: "not-the-right-one"})
    with pytest.raises(StoreRefused, match="tagline secrets bootstrap") as caught:
        vault.get_secrets(f"{world.name}/db")
    assert "not-the-right-one" not in str(caught.value)


def test_an_expired_secret_id_is_refused(bao: Bao) -> None:
    world = make_world(bao, secret_id_ttl="1s")
    vault = world.connector()
    time.sleep(2.2)
    with pytest.raises(StoreRefused, match="expired or used up"):
        vault.get_secrets(f"{world.name}/db")


def test_a_path_that_the_role_may_not_read_is_denied_by_name(world: World) -> None:
    with world.connector() as vault, pytest.raises(StoreRefused, match=r"secret/other/db.*denied"):
        vault.get_secrets("other/db")


def test_a_path_that_never_was_and_a_deleted_version_are_told_apart(world: World) -> None:
    with world.connector() as vault:
        with pytest.raises(SecretNotThere, match="nothing there"):
            vault.get_secrets(f"{world.name}/never")
        version = world.bao.put(f"{world.name}/db", A="1")
        world.bao.ask("DELETE", f"secret/data/{world.name}/db")
        with pytest.raises(SecretNotThere, match=f"version {version} was deleted .*undelete"):
            vault.get_secrets(f"{world.name}/db")
        world.bao.ask("PUT", f"secret/destroy/{world.name}/db", versions=[version])
        with pytest.raises(SecretNotThere, match="destroyed"):
            vault.get_secrets(f"{world.name}/db")


def test_a_value_that_is_rotated_while_a_task_runs_is_read_anew(world: World) -> None:
    world.bao.put(f"{world.name}/db", A="first-value")
    with world.connector() as vault:
        vault.set_secrets_as_envvars(f"{world.name}/db")
        world.bao.put(f"{world.name}/db", A="second-value")
        vault.set_secrets_as_envvars(f"{world.name}/db", overwrite=True)
    assert os.environ["A"] == "second-value"


def test_a_secret_id_that_is_rotated_while_a_task_runs_is_read_from_its_file(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tagline_task.connectors import VaultConnector

    world.bao.put(f"{world.name}/db", A="still here")
    environ = world.role.environ()
    file = tmp_path / "secret_id"
    file.write_text(environ.pop("VAULT_SECRET_ID"))
    for name, value in {**environ, "VAULT_SECRET_ID_FILE": str(file)}.items():
        monkeypatch.setenv(name, value)
    with VaultConnector() as vault:
        vault.get_secrets(f"{world.name}/db")
        world.bao.ask("POST", "auth/token/revoke-self", token=vault._session.wire.hvac.token)
        world.bao.ask("POST", f"auth/approle/role/{world.name}/secret-id/destroy", secret_id=file.read_text())
        file.write_text(world.role.secret_id())
        assert vault.get_secrets(f"{world.name}/db")["A"] == "still here"


@pytest.mark.parametrize("longest", ["60s", "2s"])
def test_a_token_is_renewed_or_replaced_during_a_long_task(bao: Bao, longest: str) -> None:
    world = make_world(bao, token_ttl="1s", token_max_ttl=longest)
    world.bao.put(f"{world.name}/db", A="1")
    with world.connector() as vault:
        vault.get_secrets(f"{world.name}/db")
        time.sleep(3)
        bao.ask("GET", "auth/token/lookup-self", token=vault._session.wire.hvac.token)


def test_without_renewal_the_token_of_a_long_task_would_be_dead(
    bao: Bao, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tagline_task.connectors.login.Session._prolong", lambda self: None)
    world = make_world(bao, token_ttl="1s")
    world.bao.put(f"{world.name}/db", A="1")
    with world.connector() as vault:
        vault.get_secrets(f"{world.name}/db")
        time.sleep(2)
        with pytest.raises(AssertionError, match="403"):
            bao.ask("GET", "auth/token/lookup-self", token=vault._session.wire.hvac.token)
        assert vault.get_secrets(f"{world.name}/db")["A"] == "1"


def test_a_closed_connector_leaves_no_token_behind(world: World) -> None:
    world.bao.put(f"{world.name}/db", A="1")
    with world.connector() as vault:
        vault.get_secrets(f"{world.name}/db")
        token = vault._session.wire.hvac.token
    with pytest.raises(AssertionError, match="403"):
        world.bao.ask("GET", "auth/token/lookup-self", token=token)


READ = """
from tagline_task.connectors import VaultConnector
for _ in range(2):
    print(VaultConnector().set_secrets_as_envvars("{name}/db", overwrite=True))
"""


def test_a_wrapped_secret_id_serves_one_process_and_a_second_is_told_of_interception(
    world: World, run_code: Callable[..., "CompletedProcess[str]"]
) -> None:
    world.bao.put(f"{world.name}/db", A="1")
    environ = world.role.environ() | {"VAULT_WRAPPED_SECRET_ID": world.role.wrapped()}
    del environ["VAULT_SECRET_ID"]
    first = run_code(READ.format(name=world.name), **environ)
    assert first.stdout.splitlines() == ["['A']", "['A']"], first.stderr
    second = run_code(READ.format(name=world.name), **environ)
    assert second.returncode != 0
    assert "already unwrapped" in second.stderr and "possible interception" in second.stderr
    assert environ["VAULT_WRAPPED_SECRET_ID"] not in first.stderr + second.stderr


def test_a_wrapped_token_that_was_wrapped_again_is_not_opened(world: World) -> None:
    headers = {"X-Vault-Token": world.bao.token, "X-Vault-Wrap-TTL": "60s"}
    forged = requests.post(
        f"{world.bao.address}/v1/sys/wrapping/wrap", headers=headers, json={"secret_id": "forged"}, timeout=10
    )
    environ = world.role.environ() | {"VAULT_WRAPPED_SECRET_ID": forged.json()["wrap_info"]["token"]}
    del environ["VAULT_SECRET_ID"]
    with pytest.raises(AlreadyUnwrapped, match="sys/wrapping/wrap, not by the AppRole"):
        world.connector_of(environ).get_secrets(f"{world.name}/db")


def test_a_redirect_from_https_to_http_is_not_followed(tmp_path: Path, world: World) -> None:
    """The token would travel in the open."""

    class Redirects(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(307)
            self.send_header("Location", f"{world.bao.address}{self.path}")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    # the server lends its certificate for 127.0.0.1, and the authority's own
    with dev_server(tmp_path, tls=True), HTTPServer(("127.0.0.1", 0), Redirects) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tmp_path / "vault-cert.pem", tmp_path / "vault-key.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"https://127.0.0.1:{server.server_port}"
        vault = world.connector(address=address, ca=str(tmp_path / "vault-ca.pem"))
        with pytest.raises(StoreUnavailable, match="redirects from https to http"):
            vault.get_secrets(f"{world.name}/db")
        server.shutdown()
