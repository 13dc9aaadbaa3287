"""A Jenkins controller in miniature: its own CPS interpreter, real agents' folders and shells, one job at a time."""

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.repositories import git

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
HARNESS = HERE / "harness"
STEPS: dict[str, dict[str, Any]] = json.loads((HERE / "steps.json").read_text())
LIBRARY_PATH = "templates/jenkins"
PUSHED = "jenkins.branch.BranchEventCause"
JENKINSFILE = "@Library('tagline@v1') _\ntagline()\n"
# small programs: the first compiler is enough, and one core is
JAVA = ["java", "-Xshare:auto", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]


def classpath() -> str:
    """The interpreter's jars, fetched once and held to their hashes, and the harness, compiled once."""
    absent = [tool for tool in ("javac", "mvn") if not shutil.which(tool)]
    if absent:
        pytest.skip(
            f"Jenkins' interpreter needs {' and '.join(absent)}: install openjdk-17-jdk-headless and maven"
        )
    kept = Path(os.environ["TAGLINE_VENVS"]).parent / "jenkins"
    kept.mkdir(parents=True, exist_ok=True)
    with (kept / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return f"{_classes(kept)}:{_jars(kept)}/*"


def _jars(kept: Path) -> Path:
    jars = kept / "jars"
    if not _right(jars):
        shutil.rmtree(jars, ignore_errors=True)
        _run(
            "mvn",
            "-q",
            "-B",
            "-f",
            str(HERE / "pom.xml"),
            "dependency:copy-dependencies",
            f"-DoutputDirectory={jars}",
        )
        assert _right(jars), f"not the jars that jars.sha256 names: {jars}"
    return jars


def _right(jars: Path) -> bool:
    named = dict(line.split()[::-1] for line in (HERE / "jars.sha256").read_text().splitlines())
    found = {one.name: hashlib.sha256(one.read_bytes()).hexdigest() for one in jars.glob("*.jar")}
    return named == found


def _classes(kept: Path) -> Path:
    sources = sorted(HARNESS.glob("*.java"))
    digest = hashlib.sha256(b"".join(one.read_bytes() for one in sources)).hexdigest()
    classes = kept / f"classes-{digest[:16]}"
    if not (classes / ".done").exists():
        files = [str(one) for one in sources]
        _run("javac", "-Xlint:all", "-Werror", "-cp", f"{_jars(kept)}/*", "-d", str(classes), *files)
        (classes / ".done").touch()
    return classes


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"


class Interpreter:
    """One process that plays build after build: starting and warming up costs more than most builds."""

    def __init__(self, path: str) -> None:
        self.path = path
        self._process: subprocess.Popen[str] | None = None

    def play(self, folder: Path) -> None:
        """A build from its start to its end."""
        said = self._asked(str(folder))
        assert said == "ended\n", f"the harness itself failed:\n{said}"

    def inspect(self, file: Path) -> dict[str, Any]:
        """What a source uses, and the steps that it calls with their parameters; it must be Groovy."""
        said = self._asked(f"inspect {file}")
        assert said.startswith("{"), f"no Groovy:\n{said}"
        found: dict[str, Any] = json.loads(said)
        return found

    def _asked(self, line: str) -> str:
        if not self._process:
            self._process = _java(self.path, "serve", str(HARNESS))
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().replace("\t", "\n")

    def close(self) -> None:
        """End the process."""
        if self._process:
            self._process.communicate(timeout=20)


def _java(path: str, *args: str) -> "subprocess.Popen[str]":
    pipe = subprocess.PIPE
    command = [*JAVA, "-cp", path, "Main", *args]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, text=True)


@dataclass(frozen=True)
class Build:
    """A build that has ended: what Jenkins would show of it."""

    folder: Path
    said: dict[str, Any]

    @property
    def result(self) -> str:
        return str(self.said["result"])

    @property
    def console(self) -> str:
        return (self.folder / "console.log").read_text()

    def steps(self, name: str = "", kind: str = "") -> list[dict[str, Any]]:
        """The steps that the program asked for, in order."""
        rows = [json.loads(line) for line in (self.folder / "trace.jsonl").read_text().splitlines()]
        return [row for row in rows if name in {"", row["step"]} and kind in {"", row["kind"]}]

    def published(self, kind: str) -> list[Path]:
        """What was published as this kind (`junit`, `html/NAME`, `artifacts`)."""
        return [
            self.folder / "published" / one for one in self.said["published"] if one.startswith(f"{kind}/")
        ]

    def __str__(self) -> str:
        return f"{self.result} {self.said['error']}\n{self.console}"


@dataclass
class Controller:
    """Jobs of one repository; `agents` as rows of name, labels and environ, `credentials` by job and id.

    A push is the cause of each build where nothing else is said.
    """

    folder: Path
    remote: Path
    interpreter: Interpreter
    environ: dict[str, str]
    agents: list[dict[str, Any]] = field(default_factory=list)
    credentials: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    libraries: dict[str, dict[str, str]] = field(default_factory=dict)
    builds: int = 0

    def start(
        self, job: str, commit: str, variables: dict[str, str] | None = None, **more: object
    ) -> "Running":
        """Start a build of a job at a commit; `more` goes into the job's description."""
        self.builds += 1
        folder = self.folder / "builds" / str(self.builds)
        folder.mkdir(parents=True)
        locks = self.folder / "locks"
        locks.mkdir(exist_ok=True)
        own = {"JENKINS_URL": "http://127.0.0.1:1/", "JOB_NAME": job, "BUILD_NUMBER": str(self.builds)}
        described: dict[str, object] = {
            "name": job,
            "causes": [PUSHED],
            "branch": (variables or {}).get("BRANCH_NAME", "main"),
            "remote": str(self.remote),
            "commit": commit,
            "locks": str(locks),
            "variables": own | (variables or {}),
            "environ": self.environ,
            "agents": self.agents,
            "credentials": self.credentials.get(job, {}),
            "libraries": self.libraries,
        }
        (folder / "job.json").write_text(json.dumps(described | more))
        return Running(folder, self.interpreter.path)

    def build(self, job: str, commit: str, variables: dict[str, str] | None = None, **more: object) -> Build:
        """A build to its end."""
        running = self.start(job, commit, variables, **more)
        self.interpreter.play(running.folder)
        return running.ended()


@dataclass
class Running:
    """A build under way; the controller's process may die and be started again."""

    folder: Path
    classpath: str
    process: "subprocess.Popen[str] | None" = None

    def play(self, how: str) -> "Running":
        """Begin, or go on from where the file with the program says (`resume`)."""
        self.process = _java(self.classpath, how, str(self.folder), str(HARNESS))
        return self

    def kill(self) -> None:
        """The controller's process dies: SIGKILL, no chance to write anything."""
        assert self.process
        self.process.kill()
        self.process.communicate(timeout=20)

    def cancel(self) -> None:
        """Somebody presses the cross."""
        (self.folder / "abort").touch()

    def trace(self) -> str:
        """The steps so far, a line each."""
        file = self.folder / "trace.jsonl"
        return file.read_text() if file.exists() else ""

    def end(self, limit: float = 200) -> Build:
        """Wait for its end."""
        assert self.process
        try:
            out, _ = self.process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        assert (self.folder / "build.json").exists(), f"the harness itself failed:\n{out}"
        return self.ended()

    def ended(self) -> Build:
        """What a build that has ended left."""
        return Build(self.folder, json.loads((self.folder / "build.json").read_text()))


def library_repository(folder: Path, templates: Path = ROOT / "templates") -> Path:
    """A repository that holds `templates` as tagline's own does, at the branch v1."""
    bare = folder / "library.git"
    work = folder / "library"
    git(folder, "init", "--quiet", "--bare", "--initial-branch=v1", str(bare))
    git(folder, "clone", "--quiet", str(bare), str(work))
    shutil.copytree(templates, work / "templates")
    git(work, "add", "--all")
    git(work, "commit", "--quiet", "--message=library")
    git(work, "push", "--quiet", "origin", "HEAD:v1")
    return bare
