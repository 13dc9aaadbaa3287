"""A user's machine: a home of its own, a free port, git's identity, and environments shared by the whole suite."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tagline.hosts.reading import without_host

from demo.stage import free_port

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


@dataclass(frozen=True)
class Done:
    """How a command ended; `out` is stdout and stderr together."""

    code: int
    out: str


@dataclass
class Machine:
    """Runs commands in `folder` as a user would type them."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict)

    def shell(self, script: str, *, timeout: float = 300, cwd: Path | None = None) -> Done:
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=cwd or self.folder,
            env=self.env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=timeout,
        )
        return Done(done.returncode, done.stdout)

    def processes(self) -> list[int]:
        """Living processes that carry this machine's TAGLINE_HOME in their environment or arguments."""
        mark = self.env["TAGLINE_HOME"].encode()
        return [pid for pid in _pids() if pid != os.getpid() and mark in _words_of(pid)]


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _words_of(pid: int) -> bytes:
    text = b""
    for file in ("cmdline", "environ"):
        try:
            text += Path(f"/proc/{pid}/{file}").read_bytes()
        except OSError:
            continue
    return text


@contextmanager
def a_machine(folder: Path, more: Mapping[str, str] | None = None) -> Iterator[Machine]:
    """A machine in `folder`; at the end its local platform is taken down and nothing of it may be left."""
    config = folder / "gitconfig"
    config.write_text("[user]\n\tname = Ada\n\temail = ada@example.org\n[advice]\n\tdetachedHead = false\n")
    outside = without_host(os.environ)
    env = {name: value for name, value in outside.items() if not name.startswith(("GIT_AUTHOR", "GIT_COMM"))}
    env |= {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "TAGLINE_HOME": str(folder / "home"),
        "TAGLINE_VENVS": os.environ["TAGLINE_VENVS"],
        "TAGLINE_PORT": str(free_port()),
        "GIT_CONFIG_GLOBAL": str(config),
        "GIT_CEILING_DIRECTORIES": str(folder),
        **(more or {}),
    }
    machine = Machine(folder, env)
    try:
        yield machine
    finally:
        down = machine.shell("tagline local down", timeout=120)
        left = machine.processes()
    assert down.code == 0, down.out
    assert left == [], f"processes are left: {left}"
