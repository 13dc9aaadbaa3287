"""A component run in each of its ways: as a function, as a command, as the process of a pipeline's container."""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pytest
import tagline_task
from tagline_task.signature import Signature, read

from tests.servers.s3 import S3, server

SOURCE = Path(tagline_task.__file__).parents[1]


@dataclass
class Ended:
    """What a component left: artifacts by name, their metadata, its output parameters, and what it said."""

    folder: Path
    metadata: dict[str, dict[str, Any]]
    parameters: dict[str, Any]
    code: int = 0
    said: str = ""

    def path(self, name: str) -> str:
        return str(self.folder / name)


@dataclass
class Asked:
    """A component with its input files and parameters; `env` are variables beside the usual ones."""

    name: str
    inputs: dict[str, Path]
    parameters: dict[str, Any]
    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)
    metadata: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def module(self) -> str:
        return f"tagline_task.components.v1.{self.name}"

    @property
    def function(self) -> Any:
        return getattr(importlib.import_module(self.module), self.name)

    @property
    def signature(self) -> Signature:
        return read(self.function)

    def executor_input(self) -> str:
        """What Kubeflow's launcher would hand over."""
        signature = self.signature
        given = {
            "inputs": {
                "parameterValues": self.parameters,
                "artifacts": {
                    name: {"artifacts": [{"uri": str(path), "metadata": self.metadata.get(name, {})}]}
                    for name, path in self.inputs.items()
                },
            },
            "outputs": {
                "artifacts": {
                    slot.name: {"artifacts": [{"name": slot.name, "uri": str(self.folder / slot.name)}]}
                    for slot in signature.slots(output=True)
                },
                "parameters": {
                    each.name: {"outputFile": str(self.folder / f"{each.name}.value")}
                    for each in signature.returns
                },
                "outputFile": str(self.folder / "executor_output.json"),
            },
        }
        return json.dumps(given)

    def answered(self, done: "subprocess.CompletedProcess[str]") -> Ended:
        """What the executor output says; nothing where the component failed."""
        said = done.stdout + done.stderr
        if done.returncode:
            return Ended(self.folder, {}, {}, done.returncode, said)
        file = self.folder / "executor_output.json"
        answer = json.loads(file.read_text()) if file.exists() else {}
        artifacts = answer.get("artifacts", {})
        metadata = {name: each["artifacts"][0]["metadata"] for name, each in artifacts.items()}
        return Ended(self.folder, metadata, answer.get("parameterValues", {}), 0, said)


class Way(Protocol):
    """How a component is run."""

    def __call__(self, asked: Asked) -> Ended: ...


def as_function(asked: Asked) -> Ended:
    """Called in this process, in the environment that it would have."""
    signature = asked.signature
    artifacts: dict[str, Any] = {}
    for slot in [*signature.slots(output=False), *signature.slots(output=True)]:
        path = asked.inputs.get(slot.name, asked.folder / slot.name)
        kind = getattr(tagline_task, slot.kind)
        artifacts[slot.name] = kind(path, name=slot.name, metadata=asked.metadata.get(slot.name))
    before = dict(os.environ)
    os.environ |= asked.env
    try:
        given = asked.function(**artifacts, **asked.parameters)
    except tagline_task.errors.TaskError as error:
        return Ended(asked.folder, {}, {}, error.exit_code, str(error))
    finally:
        os.environ.clear()
        os.environ |= before
    outputs = {slot.name: artifacts[slot.name].metadata for slot in signature.slots(output=True)}
    named = given._asdict() if hasattr(given, "_asdict") else {}
    return Ended(asked.folder, outputs, named)


def as_command(asked: Asked) -> Ended:
    """As a person types it: an option for each argument. Only the files and the code come back."""
    words = [f"--{name}={path}" for name, path in asked.inputs.items()]
    words += [f"--{name}={_text(value)}" for name, value in asked.parameters.items()]
    words += [f"--{slot.name}={asked.folder / slot.name}" for slot in asked.signature.slots(output=True)]
    done = _python(asked, words)
    ended = asked.answered(done)
    lines = [line.partition(" = ") for line in done.stdout.splitlines()]
    ended.parameters = {name: json.loads(value) for name, equals, value in lines if equals}
    for line in done.stdout.splitlines():
        name, colon, rest = line.partition(": ")
        if colon and "{" in rest:
            ended.metadata[name] = json.loads(rest[rest.index("{") :])
    return ended


def as_process(asked: Asked) -> Ended:
    """As the container of a pipeline is started, in this machine's Python."""
    return asked.answered(_python(asked, ["--executor_input", asked.executor_input()]))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _python(asked: Asked, words: list[str]) -> "subprocess.CompletedProcess[str]":
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE), **asked.env}
    argv = [sys.executable, "-m", asked.module, *words]
    return subprocess.run(argv, env=env, cwd=asked.folder, capture_output=True, text=True, timeout=120)


WAYS: dict[str, Way] = {"function": as_function, "command": as_command, "process": as_process}


@dataclass
class Bench:
    """Runs components in one way, each in a folder of its own."""

    way: Way
    folder: Path
    count: int = 0

    def __call__(
        self,
        name: str,
        inputs: Mapping[str, Path | str] | None = None,
        env: Mapping[str, str] | None = None,
        metadata: dict[str, dict[str, Any]] | None = None,
        **parameters: Any,
    ) -> Ended:
        self.count += 1
        folder = self.folder / f"out-{self.count}"
        folder.mkdir()
        given = {each: Path(path) for each, path in (inputs or {}).items()}
        return self.way(Asked(name, given, parameters, folder, env or {}, metadata or {}))


@pytest.fixture(params=list(WAYS))
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    """Each test with it runs in each way."""
    return Bench(WAYS[request.param], tmp_path)


@pytest.fixture
def once(tmp_path: Path) -> Bench:
    """Runs components as functions, where the way makes no difference."""
    return Bench(as_function, tmp_path)


@pytest.fixture
def apart(tmp_path: Path) -> Bench:
    """Runs components in a process of their own, where this one must not keep what they read."""
    return Bench(as_process, tmp_path)


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    """One real S3 server for all tests of this process."""
    with server(tmp_path_factory.mktemp("s3")) as running:
        yield running
