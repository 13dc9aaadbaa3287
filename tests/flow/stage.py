"""A person's desk in miniature: a bare remote, clones, a home of their own, and the command as they type it."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tagline.platforms.local.serving.ports import free_port

from tests.fakes.repositories import Bare, Clone, git

ROOT = Path(__file__).parents[2]
TINY = ROOT / "tests/projects/tiny"
PLAIN = ROOT / "tests/projects/plain_kfp"
TAGLINE = str(Path(sys.executable).with_name("tagline"))
TASK = "src/pipeline_steps/train_model/task.py"
PIPELINE = "docker/kubeflow_pipeline/pipeline.py"
LIMIT = 240.0
LEDGER = "refs/tagline/ledger"
GITCONFIG = "[user]\n\tname = Ada\n\temail = ada@example.org\n[init]\n\tdefaultBranch = main\n"


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)

    def __str__(self) -> str:
        return f"exit code {self.code}\n--- out\n{self.out}\n--- err\n{self.err}"


@dataclass(frozen=True)
class Desk:
    """One folder with everything in it; `clone` is where the person works."""

    folder: Path
    bare: Bare
    clone: Clone
    port: int

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def environ(self, **more: str) -> dict[str, str]:
        """The environment of every command: nothing of the caller's git, no credential helper."""
        own = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder / "user"),
            "TAGLINE_HOME": str(self.home),
            "TAGLINE_PORT": str(self.port),
            "TAGLINE_VENVS": os.environ["TAGLINE_VENVS"],
            "GIT_CONFIG_GLOBAL": str(self.folder / "gitconfig"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        return own | more

    def start(self, *args: str, cwd: Path | None = None, **more: str) -> subprocess.Popen[str]:
        """Start `tagline` with these arguments; `more` are variables of its environment."""
        pipe = subprocess.PIPE
        return subprocess.Popen(
            [TAGLINE, *args],
            cwd=cwd or self.clone.path,
            env=self.environ(**more),
            stdin=subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            text=True,
            start_new_session=True,
        )

    def tagline(self, *args: str, cwd: Path | None = None, **more: str) -> Result:
        """Run `tagline` to its end."""
        return finish(self.start(*args, cwd=cwd, **more))

    def refs(self) -> dict[str, str]:
        """Every ref of the remote."""
        return self.bare.refs()

    def events(self) -> list[dict[str, Any]]:
        """The ledger's events as they lie on the remote, oldest first."""
        if LEDGER not in self.refs():
            return []
        out = git(self.bare.path, "log", "--reverse", "--format=%B%x00", LEDGER)
        return [json.loads(text[text.index("{") : text.rindex("}") + 1]) for text in out.split("\0")[:-1]]

    def kinds(self) -> list[str]:
        """The kinds of the ledger's events, oldest first."""
        return [event["event"] for event in self.events()]

    def place(self, env: str = "prod") -> dict[str, Any]:
        """What `tagline status` says of an environment."""
        found = self.tagline("status", "--json")
        assert found.code == 0, found
        return next(one for one in found.json()["places"] if one["env"] == env)

    def change(self, file: str, old: str, new: str) -> None:
        """Change a file of the work tree."""
        path = self.clone.path / file
        text = path.read_text()
        assert old in text, f"{old!r} is not in {file}"
        path.write_text(text.replace(old, new))

    def merge(self, message: str) -> str:
        """Commit all that is there on main and push it."""
        commit = self.clone.commit(message)
        self.clone.push()
        return commit

    def processes(self) -> list[str]:
        """Command lines of the processes that belong to this home."""
        return [line for pid in os.listdir("/proc") if pid.isdigit() and (line := self._ours(pid))]

    def _ours(self, pid: str) -> str:
        try:
            environ = Path(f"/proc/{pid}/environ").read_bytes()
            line = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            return ""
        mine = os.fsencode(self.folder)
        return os.fsdecode(line).replace("\0", " ") if mine in environ or mine in line else ""

    def close(self) -> None:
        """Stop the platform; fail where a process of this home is left."""
        if (self.home / "serving").exists():
            down = self.tagline("local", "down")
            assert down.code == 0, down
        until = time.monotonic() + 20
        while (left := self.processes()) and time.monotonic() < until:
            time.sleep(0.1)
        assert left == []


def finish(child: "subprocess.Popen[str]", limit: float = LIMIT) -> Result:
    """The end of a command; one that hangs is killed with all its group, and fails the test."""
    try:
        out, err = child.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        out, err = child.communicate()
        raise AssertionError(f"{child.args} did not end in {limit:g} s\n{out}\n{err}") from None
    return Result(child.returncode, out, err)


def new_desk(folder: Path, files: Path = TINY) -> Desk:
    """A remote and a clone with a project on main, committed and pushed."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "gitconfig").write_text(GITCONFIG)
    (folder / "user").mkdir()
    bare = Bare(folder / "tiny.git")
    clone = bare.clone(folder / "work")
    shutil.copytree(files, clone.path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    clone.commit("feat: begin")
    clone.push()
    return Desk(folder, bare, clone, free_port())


def copied(desk: Desk, folder: Path) -> Desk:
    """The same desk again elsewhere: remote, clone and home are copies, the port is its own.

    Models and sources that the home names stay where they were made; nobody writes there.
    """
    shutil.copytree(desk.folder, folder, symlinks=True, dirs_exist_ok=True)
    bare, clone = object.__new__(Bare), object.__new__(Clone)
    bare.path, clone.path = folder / desk.bare.path.name, folder / desk.clone.path.name
    clone.git("remote", "set-url", "origin", str(bare.path))
    return Desk(folder, bare, clone, free_port())


@contextlib.contextmanager
def traffic(desk: Desk, rate: int = 60, env: str = "prod") -> Iterator[None]:
    """A steady stream of requests from outside, while the block runs."""
    child = desk.start("local", "traffic", "tiny", "--env", env, "--rate", str(rate), "--seconds", "200")
    try:
        yield
    finally:
        child.send_signal(signal.SIGINT)
        finish(child, 30)


def predict(desk: Desk, x: float, env: str = "prod") -> Any:
    """A prediction of what serves."""
    url = f"http://127.0.0.1:{desk.port}/{env}/v1/models/tiny:predict"
    body = json.dumps({"instances": [{"x": x}]}).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.loads(answer.read())["predictions"]
