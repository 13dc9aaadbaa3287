"""A real S3 server on loopback: versitygw over a folder, whose sub-folders are buckets."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers.ports import free_port

TOOL = Path(__file__).parents[2] / ".tools/bin/versitygw"
ACCESS, SECRET = "access-of-the-tests", "secret-of-the-tests-0123456789"


def program() -> str:
    """The server's program, of tools/ci-tools; the test is skipped where it is absent."""
    found = str(TOOL) if TOOL.exists() else shutil.which("versitygw")
    if found is None:
        pytest.skip("versitygw is absent: tools/ci-tools")
    return found


@dataclass
class S3:
    """A running server; `folder` holds its buckets, and objects may be laid there as files."""

    address: str
    folder: Path
    child: "subprocess.Popen[bytes]"

    def environ(self) -> dict[str, str]:
        """The variables of a client that may do everything."""
        return {"AWS_ACCESS_KEY_ID": ACCESS, "AWS_SECRET_ACCESS_KEY": SECRET}

    def put(self, place: str, content: bytes) -> None:
        """Lay an object `bucket/key` down."""
        file = self.folder / place
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


@contextmanager
def server(folder: Path) -> Iterator[S3]:
    """A server over a new folder, with the bucket `models`."""
    (folder / "models").mkdir(parents=True)
    port = free_port()
    argv = [program(), "--port", f"127.0.0.1:{port}", "--quiet", "posix", "--nometa", str(folder)]
    environ = {**os.environ, "ROOT_ACCESS_KEY": ACCESS, "ROOT_SECRET_KEY": SECRET}
    child = subprocess.Popen(argv, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(port, child)
        yield S3(f"http://127.0.0.1:{port}", folder, child)
    finally:
        child.kill()
        child.wait(20)


def _wait(port: int, child: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until and child.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"the S3 server did not begin to listen (exit code {child.poll()})")
