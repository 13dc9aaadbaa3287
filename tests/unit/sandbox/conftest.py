"""The world of the sandbox's tests: a user's home with credentials, an agent, an engine, and a work tree."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import msgspec
import pytest
import tagline

HERE = Path(__file__).parent
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
SECRET = "credential-7f3a"
CODE = Path(tagline.__file__).parents[1]
PACKAGES = [Path(module.__file__).parents[1] for module in (msgspec,) if module.__file__]
START_AGAIN = (
    "import subprocess, sys, tagline.engines; subprocess.run([sys.executable, '-c', ''], check=True)"
)
FILES = ["tree/.git/config", "credential", "gitconfig", "file-variable", "home/.bashrc"]
HOME_FILES = [
    ".ssh/id_ed25519",
    ".git-credentials",
    ".config/git/credentials",
    ".docker/config.json",
    ".kube/config",
    ".vault-token",
    ".config/glab-cli/config.yml",
    ".config/pip/pip.conf",
    ".config/rclone/rclone.conf",
    ".cache/huggingface/token",
    ".npmrc",
    ".terraformrc",
    ".env",
    "Documents/of nobody's list",
]
OWN = {"tagline's packages": PACKAGES[0], "tagline's code": CODE / "tagline", "beside tagline's code": CODE}


def _answer(listener: socket.socket) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        with client:
            client.sendall(SECRET.encode())


def _listen(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    path.chmod(0o777)
    listener.listen()
    threading.Thread(target=_answer, args=(listener,), daemon=True).start()
    return listener


class World:
    """A folder that root and nobody can read, and the users that this machine lets us be."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(root / "home"),
            "TOKEN": SECRET,
            "PYTHONPATH": os.pathsep.join(dict.fromkeys(map(str, [CODE, *PACKAGES]))),
            "SSH_AUTH_SOCK": str(root / "agent.sock"),
            "DOCKER_HOST": f"unix://{root / 'engine.sock'}",
            "GIT_CONFIG_GLOBAL": str(root / "gitconfig"),
            "DEPLOY_KEY": str(root / "file-variable"),
        }

    def make(self) -> None:
        for name in [*(f"home/{name}" for name in HOME_FILES), *FILES]:
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(SECRET)
        (self.root / "copy").mkdir()
        shutil.copy(HERE / "hostile.py", self.root)
        for path in [self.root, *self.root.rglob("*")]:
            path.chmod(0o777)

    @cached_property
    def users(self) -> dict[str, list[str]]:
        """Who can be tried here: the command that becomes them and starts a Python of theirs."""
        if os.getuid() != 0:
            return {"user": [sys.executable]}
        pythons = [
            [*NOBODY, python] for python in (sys.executable, f"/usr/bin/python3.{sys.version_info[1]}")
        ]
        able = [python for python in pythons if self._runs([*python, "-c", START_AGAIN])]
        return {"root": [sys.executable]} | ({"nobody": able[0]} if able else {})

    def _runs(self, command: list[str]) -> bool:
        try:
            return subprocess.run(command, env=self.environ, capture_output=True, check=False).returncode == 0
        except FileNotFoundError:
            return False

    def play(self, user: str, mode: str, *argv: str) -> str:
        """The output of the stand-in's child, run as `user`, with guards (`guarded`) or without (`open`)."""
        command = [*self.users[user], str(HERE / "victim.py"), mode, str(self.root), *argv]
        done = subprocess.run(
            command, env=self.environ, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr + done.stdout
        return done.stdout

    def doors(self) -> dict[str, list[str]]:
        """Every door, as the call of hostile.py that tries it."""
        return {
            "environment": ["environment"],
            "parent's environment": ["parents_environment", "PID"],
            "parent's memory": ["parents_memory", "PID"],
            "parent's descriptors": ["parents_descriptors", "PID"],
            "ptrace": ["ptrace", "PID"],
            "inherited descriptors": ["descriptors"],
            "agent": ["ask", str(self.root / "agent.sock")],
            "engine": ["ask", str(self.root / "engine.sock")],
            ".git of its tree": ["read", ".git/config"],
            ".git of the work tree": ["read", str(self.root / "tree/.git/config")],
            "git's settings": ["read", str(self.root / "gitconfig")],
            "a file variable": ["read", str(self.root / "file-variable")],
            "a profile": ["write", str(self.root / "home/.bashrc")],
            "the home": ["write", str(self.root / "home")],
            **{name: ["write", str(place)] for name, place in OWN.items()},
            **{name: ["read", str(self.root / "home" / name)] for name in HOME_FILES},
        }

    def try_doors(self, user: str, mode: str) -> dict[str, str]:
        """What each door gave to the hostile child."""
        hostile = [self.users[user][-1], "-I", "-S", str(self.root / "hostile.py"), json.dumps(self.doors())]
        answers: dict[str, str] = json.loads(self.play(user, mode, *hostile))
        return answers

    def mounts_allowed(self, user: str) -> bool:
        """Whether this machine lets the user have mounts of their own, found without any code of ours."""
        flags = "-m" if user == "root" else "-Urm"
        return self._runs([*self.users[user][:-1], "unshare", flags, "mount", "-t", "tmpfs", "none", "/tmp"])


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    folder = Path(tempfile.mkdtemp(prefix="world-"))
    made = World(folder)
    made.make()
    listeners = [_listen(folder / "agent.sock"), _listen(folder / "engine.sock")]
    yield made
    for listener in listeners:
        listener.close()
    shutil.rmtree(folder)
