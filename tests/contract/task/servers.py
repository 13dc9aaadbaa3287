"""A real `tagline_task.serve` process on a free port, and requests to it on one kept connection."""

import http.client
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tagline_task

SOURCE = Path(tagline_task.__file__).parent.parent
START_LIMIT = 90.0


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@dataclass
class Server:
    """A running server; `process` is ended by the test or by the context that started it."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def ask(
        self, path: str, body: Any = None, connection: http.client.HTTPConnection | None = None
    ) -> tuple[int, Any]:
        """Status and JSON answer; a POST where there is a body."""
        kept = connection or self.connection()
        text = body if isinstance(body, str | None) else json.dumps(body)
        kept.request("GET" if body is None else "POST", path, text, {"Content-Type": "application/json"})
        answer = kept.getresponse()
        return answer.status, json.loads(answer.read())

    def predict(self, *instances: Any) -> tuple[int, Any]:
        """A v1 prediction."""
        return self.ask("/v1/models/wine:predict", {"instances": list(instances)})

    def wait_until_ready(self) -> None:
        """Until health says so; raises with the log where the process ends before."""
        limit = time.monotonic() + START_LIMIT
        while time.monotonic() < limit:
            if self.process.poll() is not None:
                raise AssertionError(self.log.read_text())
            try:
                if self.ask("/v2/health/ready")[0] == 200:
                    return
            except OSError:
                time.sleep(0.1)
        raise AssertionError(f"not ready after {START_LIMIT:g} s: {self.log.read_text()}")


def start(python: Path, folder: Path, port: int, **given: str) -> Server:
    """Start a server in `folder`; `given` are its options."""
    words = [word for name, value in given.items() for word in (f"--{name}", value)]
    log = folder / f"{port}.log"
    with open(log, "wb") as stream:
        process = subprocess.Popen(
            [python, "-m", "tagline_task.serve", *words, "--name", "wine", "--http_port", str(port)],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE)},
            stdout=stream,
            stderr=stream,
            start_new_session=True,
        )
    return Server(port, process, log)


@contextmanager
def serving(python: Path, folder: Path, predictor: str, model: str) -> Iterator[Server]:
    """A ready server, stopped at the end whatever happens."""
    sha256 = tagline_task.digest(folder / model)
    server = start(python, folder, free_port(), predictor=predictor, model=model, sha256=sha256)
    try:
        server.wait_until_ready()
        yield server
    finally:
        if server.process.poll() is None:
            server.process.send_signal(signal.SIGKILL)
        server.process.wait(30)
