"""A role on the suite's OpenBao, and a connector in this process that leaves no trace in it."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import pytest
import tagline_task
from tagline_task import masking
from tagline_task.connectors import VaultConnector, settings

from tests.servers.openbao import AppRole, Bao

SOURCE = Path(tagline_task.__file__).parent.parent
NUMBERS = count(1)
POLICY = """
path "secret/data/{name}/*" {{ capabilities = ["read"] }}
path "kv1/{name}/*" {{ capabilities = ["read"] }}
"""


@pytest.fixture(autouse=True)
def own_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What the connector changes in this process is undone: variables, streams, hidden values."""
    monkeypatch.setattr(masking, "HIDDEN", masking.Hidden())
    monkeypatch.setattr(sys, "stdout", sys.stdout)
    monkeypatch.setattr(sys, "stderr", sys.stderr)
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@dataclass
class World:
    """A role that may read `<name>/*`, on a server."""

    bao: Bao
    name: str
    role: AppRole

    def connector(self, **changes: object) -> VaultConnector:
        """A connector with the role's credentials; `changes` are fields of its settings."""
        return self.connector_of(self.role.environ(), **changes)

    def connector_of(self, environ: dict[str, str], **changes: object) -> VaultConnector:
        """A connector with these variables."""
        return VaultConnector(replace(settings.read(environ), **{"patience": 2.0, **changes}))


@pytest.fixture
def world(bao: Bao) -> World:
    return make_world(bao)


def make_world(bao: Bao, **role: object) -> World:
    name = f"team{next(NUMBERS)}"
    if "kv1/" not in bao.ask("GET", "sys/mounts")["data"]:
        bao.ask("POST", "sys/mounts/kv1", type="kv", options={"version": "1"})
    return World(bao, name, bao.role(name, POLICY.format(name=name), **role))


@pytest.fixture
def run_code(tmp_path: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Run Python code in a process of its own, with nothing but the given variables."""

    def run(code: str, **environ: str) -> "subprocess.CompletedProcess[str]":
        env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE), **environ}
        return subprocess.run(
            [sys.executable, "-c", code], env=env, cwd=tmp_path, capture_output=True, text=True, timeout=60
        )

    return run
