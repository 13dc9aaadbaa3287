"""A local platform of its own for each test, with real KServe servers in a real environment."""

import hashlib
import http.client
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tagline.engines.process import ProcessEngine
from tagline.platforms import ServerSpec
from tagline.platforms.local.serving import LocalServing, down, ports, procs
from tagline.words import ModelVersion

V1, V2, V3 = (ModelVersion.parse(text) for text in ("0.1.0-r1", "0.2.0-r1", "0.3.0-r1"))
UP = """
import sys
from pathlib import Path
from tagline.platforms.local.serving import up
up(Path(sys.argv[1]))
"""
PREDICTOR = '''
import os, time

class Model:
    """Does what its model file says."""

    def load(self, path):
        self.told = open(path).read()
        if self.told == "broken":
            raise ValueError("these weights are for another shape")
        if self.told == "sleepy":
            time.sleep(3600)

    def predict(self, instances):
        if self.told == "fails":
            raise RuntimeError("no such column")
        if self.told == "slow":
            time.sleep(0.3)
        if self.told == "environment":
            return [sorted(os.environ)] * len(instances)
        return [float("nan") if self.told == "nan" else 1.0 for _ in instances]
'''


def serving_python(source: Path) -> Path:
    """An interpreter with kserve and tagline_task: TAGLINE_TEST_SERVING_PYTHON, else made by the engine."""
    named = os.environ.get("TAGLINE_TEST_SERVING_PYTHON")
    if named:
        return Path(named)
    return ProcessEngine(Path(os.environ["TAGLINE_VENVS"])).build(source, serving=True).python


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of every model server in these tests."""
    return serving_python(tmp_path_factory.mktemp("source"))


@dataclass
class Place:
    """One home with its port, and specs of models that do what they are told."""

    home: Path
    port: int
    python: Path

    @property
    def serving(self) -> LocalServing:
        return LocalServing(self.home, ready_limit=60.0)

    def spec(self, version: ModelVersion, told: str = "good", *, slower_than: float = 0.0) -> ServerSpec:
        source = self.home.parent / "source"
        (source / "src").mkdir(parents=True, exist_ok=True)
        (source / "src/serve.py").write_text(PREDICTOR)
        model = self.home.parent / f"{told}.model"
        model.write_text(told)
        digest = hashlib.sha256(told.encode()).hexdigest()
        return ServerSpec(
            "wine",
            version,
            "custom:src/serve.py",
            model,
            digest,
            source,
            self.python,
            timeout=5.0,
            slower_than=slower_than,
        )

    def serve(self, version: ModelVersion = V1, told: str = "good") -> None:
        """Have this version take everything."""
        self.serving.deploy("prod", self.spec(version, told))
        self.serving.set_weights("prod", "wine", {version: 100})

    def predict(self) -> tuple[int, bytes, str]:
        """Status, body, version of one prediction on a new connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            return _predict(connection)
        finally:
            connection.close()

    def identity(self, name: str) -> procs.Identity:
        """The process that status shows under this name."""
        from tagline.platforms.local.serving import status

        found = next(one for one in status(self.home).processes if one.name == name)
        identity = procs.identify(found.pid)
        assert identity is not None
        return identity


def _predict(connection: http.client.HTTPConnection) -> tuple[int, bytes, str]:
    connection.request(
        "POST",
        "/prod/v1/models/wine:predict",
        json.dumps({"instances": [[1]]}),
        {"Content-Type": "application/json"},
    )
    answer = connection.getresponse()
    return answer.status, answer.read(), answer.headers.get("x-tagline-version", "")


@contextmanager
def a_place(folder: Path, python: Path) -> Iterator[Place]:
    """A home and a port of its own; nothing runs when it ends."""
    made = Place(folder / "home", ports.free_port(), python)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TAGLINE_PORT", str(made.port))
        patch.setenv("SECRET_OF_THE_CALLER", "hunter2")
        try:
            yield made
        finally:
            down(made.home)
    assert procs.marked(made.home) == []


@pytest.fixture
def place(tmp_path: Path, python: Path) -> Iterator[Place]:
    """A platform of this test's own."""
    with a_place(tmp_path, python) as made:
        yield made


@pytest.fixture(scope="module")
def _warm(tmp_path_factory: pytest.TempPathFactory, python: Path) -> Iterator[Place]:
    with a_place(tmp_path_factory.mktemp("warm"), python) as made:
        yield made


@pytest.fixture
def warm(_warm: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """A platform that the tests of a module share: two versions are warm, the first takes everything."""
    monkeypatch.setenv("TAGLINE_PORT", str(_warm.port))
    _warm.serving.deploy("prod", _warm.spec(V1))
    _warm.serving.deploy("prod", _warm.spec(V2))
    _warm.serving.set_weights("prod", "wine", {V1: 100})
    return _warm


@dataclass
class Load:
    """Clients that ask all the time; `answers` has status and version of every one."""

    place: Place
    answers: list[tuple[int, str]] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    going: bool = True

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.place.port, timeout=10)
        while self.going:
            try:
                status, _, version = _predict(connection)
                self.answers.append((status, version))
            except (OSError, http.client.HTTPException) as error:
                self.lost.append(repr(error))
                connection.close()
                connection = http.client.HTTPConnection("127.0.0.1", self.place.port, timeout=10)
            time.sleep(0.005)
        connection.close()

    def bad(self) -> list[tuple[int, str]]:
        return [answer for answer in self.answers if answer[0] != 200]


@contextmanager
def under_load(place: Place, clients: int = 3) -> Iterator[Load]:
    """Ask all the time while the block runs."""
    one = Load(place)
    threads = [threading.Thread(target=one.run) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield one
    finally:
        one.going = False
        for thread in threads:
            thread.join()


def eventually(holds: Callable[[], bool], *, limit: float = 20.0) -> float:
    """Wait until something holds, and say how long it took in seconds; fail after `limit`."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < limit, "it did not come true in time"
        time.sleep(0.02)
    return time.monotonic() - began
