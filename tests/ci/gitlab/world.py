"""A GitLab in miniature: a host with the library and a project, and gitlab-ci-local in the place of its runners."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.ci.components import ROOT, system_tool, tool, tools_path
from tests.fakes.git_host import GitHost, a_git_host
from tests.fakes.repositories import Bare, Clone

TINY = ROOT / "tests/projects/tiny"
CALLER = """include:
  - component: $CI_SERVER_FQDN/platform/tagline/tagline@v1
    inputs: {environments: [staging, prod]}
"""
PROJECT_ID = "42"
LIMIT = 240
# what GitLab sets in each kind of pipeline, beside what gitlab-ci-local takes from git
PUSH = {"CI_PIPELINE_SOURCE": "push"}
MERGE_REQUEST = {
    "CI_PIPELINE_SOURCE": "merge_request_event",
    "CI_MERGE_REQUEST_IID": "7",
    "CI_MERGE_REQUEST_EVENT_TYPE": "detached",
    "CI_MERGE_REQUEST_PROJECT_PATH": "team/tiny",
    "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH": "team/tiny",
    "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": PROJECT_ID,
    "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "feature",
    "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
    "CI_COMMIT_BRANCH": None,
}
FORK = MERGE_REQUEST | {
    "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "4711",
    "CI_MERGE_REQUEST_SOURCE_PROJECT_PATH": "eve/tiny",
}
SCHEDULE = {"CI_PIPELINE_SOURCE": "schedule"}
WOKEN = {"CI_PIPELINE_SOURCE": "pipeline"}


def tagged(name: str) -> dict[str, str | None]:
    """The variables of the pipeline of a tag."""
    return {
        "CI_PIPELINE_SOURCE": "push",
        "CI_COMMIT_TAG": name,
        "CI_COMMIT_REF_NAME": name,
        "CI_COMMIT_BRANCH": None,
    }


@dataclass(frozen=True)
class Ended:
    """How a pipeline ended; `out` is what gitlab-ci-local and its jobs said."""

    code: int
    out: str


@dataclass(frozen=True)
class GitLab:
    """One project on one GitLab; `environ` is what a runner's jobs see beside their variables."""

    folder: Path
    host: GitHost
    bare: Bare
    clone: Clone
    environ: Mapping[str, str]

    def jobs(self, variables: Mapping[str, str | None]) -> set[str]:
        """The names of the jobs that GitLab would put into this pipeline."""
        listed = self._run(["--list-csv", "--json-schema-validation=false"], variables, self.environ)
        assert listed.returncode == 0, listed.stderr
        head, *lines = [line for line in listed.stdout.splitlines() if ";" in line]
        assert head.startswith("name;")
        return {line.split(";")[0] for line in lines}

    def pipeline(self, variables: Mapping[str, str | None], *jobs: str, **environ: str) -> Ended:
        """Run the pipeline, or some of its jobs, to its end."""
        done = self._run(["--force-shell-executor", *jobs], variables, {**self.environ, **environ})
        return Ended(done.returncode, done.stdout + done.stderr)

    def _run(
        self, words: list[str], variables: Mapping[str, str | None], environ: Mapping[str, str]
    ) -> "subprocess.CompletedProcess[str]":
        known = {"GITLAB_CI": "true", "CI_DEFAULT_BRANCH": "main", "CI_PROJECT_ID": PROJECT_ID, **variables}
        for name, value in known.items():
            words += ["--unset-variable", name] if value is None else ["--variable", f"{name}={value}"]
        system_tool("rsync")
        return subprocess.run(
            [str(tool("gitlab-ci-local")), *words],
            cwd=self.clone.path,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT,
        )


def library(root: Path, scratch: Path) -> Bare:
    """The repository that holds tagline, as a host serves it: what its callers fetch, on branch v1."""
    root.mkdir(parents=True)
    bare = Bare(root / "tagline.git")
    clone = bare.clone(scratch)
    shutil.copytree(ROOT / "templates", clone.path / "templates")
    shutil.copy(ROOT / "action.yml", clone.path)
    clone.commit("feat: the library")
    clone.git("push", "--quiet", "origin", "HEAD:refs/heads/v1")
    return bare


@contextmanager
def a_gitlab(folder: Path, caller: str = CALLER) -> Iterator[GitLab]:
    """A GitLab with tiny's project on main, its remote spoken to by http."""
    folder.mkdir(exist_ok=True)
    library(folder / "host/platform", folder / "library")
    (folder / "host/team").mkdir()
    (folder / "user").mkdir()
    with a_git_host(folder / "host") as host:
        bare = Bare(folder / "host/team/tiny.git")
        clone = bare.clone(folder / "work")
        shutil.copytree(TINY, clone.path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        (clone.path / ".gitlab-ci.yml").write_text(caller)
        (clone.path / ".gitignore").write_text(".gitlab-ci-local/\n")
        clone.commit("feat: begin")
        clone.git("remote", "set-url", "origin", f"{host.url}/team/tiny.git")
        clone.git("push", "--quiet", "origin", "main")
        clone.git("remote", "set-head", "origin", "main")
        environ = {
            "PATH": tools_path(),
            "HOME": str(folder / "user"),
            "TAGLINE_BIN": str(Path(sys.executable).with_name("tagline")),
            "TAGLINE_VENVS": os.environ["TAGLINE_VENVS"],
            "TAGLINE_HOME": str(folder / "home"),
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        yield GitLab(folder, host, bare, clone, environ)
