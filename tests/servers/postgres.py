"""A real PostgreSQL on loopback, in a folder of its own; as root its processes are another user's, as it wants."""

import glob
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers.ports import free_port

OWNER, PASSWORD = "owner", "password-of-the-tests-42"


@dataclass
class Postgres:
    """A running server with an empty database `wine`."""

    port: int
    tools: str

    @property
    def address(self) -> str:
        """Without credentials, as a component is given it."""
        return f"postgresql+psycopg://127.0.0.1:{self.port}/wine"

    def run(self, *statements: str) -> str:
        """What psql prints for statements of the owner."""
        words = [f"{self.tools}/psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", OWNER, "-tA", "wine"]
        words += [word for each in statements for word in ("-c", each)]
        env = {"PGPASSWORD": PASSWORD, "PATH": os.environ["PATH"]}
        done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


def tools() -> str:
    """The folder of PostgreSQL's programs; the test is skipped where there is none."""
    found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
    beside = shutil.which("initdb")
    if not found and beside is None:
        pytest.skip("PostgreSQL is absent: apt-get install postgresql")
    return os.path.dirname(found[-1] if found else os.path.realpath(str(beside)))


def _user() -> str | None:
    """Whom the server runs as: PostgreSQL refuses root."""
    if os.getuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


@contextmanager
def server() -> Iterator[Postgres]:
    """A server over a new folder, gone afterwards."""
    programs, port, user = tools(), free_port(), _user()
    folder = Path(tempfile.mkdtemp(prefix="pg-of-the-tests-"))
    (folder / "password").write_text(PASSWORD)
    if user:
        for place in (folder, folder / "password"):
            shutil.chown(place, user)
    base = [f"--pgdata={folder}/data"]
    quiet = {"user": user, "cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    initial = [f"--username={OWNER}", f"--pwfile={folder}/password", "--auth=scram-sha-256", "--no-sync"]
    subprocess.run([f"{programs}/initdb", *base, *initial], check=True, timeout=120, **quiet)
    flags = f"-h 127.0.0.1 -p {port} -k {folder} -F"
    try:
        begin = [f"{programs}/pg_ctl", *base, "--wait", f"--log={folder}/log", f"--options={flags}", "start"]
        subprocess.run(begin, check=True, timeout=60, **quiet)
        env = {"PGPASSWORD": PASSWORD, "PATH": os.environ["PATH"]}
        where = ["-h", "127.0.0.1", "-p", str(port), "-U", OWNER, "wine"]
        subprocess.run([f"{programs}/createdb", *where], env=env, check=True, timeout=60)
        yield Postgres(port, programs)
    finally:
        end = [f"{programs}/pg_ctl", *base, "--mode=immediate", "stop"]
        subprocess.run(end, timeout=60, **quiet)
        shutil.rmtree(folder)
