"""A GitHub in miniature: a caller of the reusable workflow, and act in the place of its runners."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.ci.components import ROOT, tool, tools_path
from tests.ci.gitlab.world import TINY, Ended, library
from tests.fakes.git_host import GitHost, a_git_host
from tests.fakes.repositories import Bare, Clone

WORKFLOW = ROOT / ".github/workflows/tagline.yml"
ACTIONS = ROOT / "tests/fakes/actions"
OURS = {"repository": {"full_name": "team/tiny", "default_branch": "main"}}
# the part of each event's payload that the workflow looks at, as GitHub documents it
PUSH: dict[str, Any] = OURS | {"ref": "refs/heads/main"}
BRANCH: dict[str, Any] = OURS | {"ref": "refs/heads/feature"}
TAG: dict[str, Any] = OURS | {"ref": "refs/tags/promote/prod/tiny/1"}
PULL_REQUEST: dict[str, Any] = OURS | {
    "number": 7,
    "pull_request": {"number": 7, "head": {"ref": "feature", "repo": {"full_name": "team/tiny"}}},
}
FORK: dict[str, Any] = OURS | {
    "number": 8,
    "pull_request": {"number": 8, "head": {"ref": "feature", "repo": {"full_name": "eve/tiny"}}},
}
LIMIT = 240
JOB_TOKEN = "ghs_app"  # what each job's own token is here


def caller(**inputs: str) -> str:
    """A caller of the reusable workflow; act knows it by its local path alone."""
    given = {"environments": '["staging", "prod"]', "library": "platform/tagline", "library-ref": "v1"}
    words = "".join(f"      {name}: '{value}'\n" for name, value in {**given, **inputs}.items())
    return (
        "on: [push, pull_request, schedule, workflow_dispatch]\n"
        "permissions: {contents: write, actions: write, pull-requests: write}\n"
        "jobs:\n  tagline:\n    uses: ./.github/workflows/tagline.yml\n"
        f"    with:\n{words}"
        "    secrets:\n      TAGLINE_PUSH_TOKEN: ${{ secrets.TAGLINE_PUSH_TOKEN }}\n"
    )


def stand_ins() -> list[str]:
    """act's options that put the actions of tests/fakes in the place of GitHub's, at the pinned commits."""
    used = set(re.findall(r"uses: actions/([\w-]+)@(\w+)", WORKFLOW.read_text()))
    named = [f"actions/{name}@{commit}={ACTIONS / name}" for name, commit in sorted(used)]
    return [word for one in named for word in ("--local-repository", one)]


@dataclass(frozen=True)
class GitHub:
    """One repository on one GitHub; `environ` is what a runner's jobs see beside their variables."""

    folder: Path
    host: GitHost
    bare: Bare
    clone: Clone
    environ: Mapping[str, str]

    @property
    def artifacts(self) -> Path:
        return self.folder / "artifacts"

    def jobs(self, event: str, payload: Mapping[str, Any]) -> list[str]:
        """The jobs whose conditions hold, in the order of their end; nothing is run."""
        ended = self.act(event, payload, ["--dryrun", "--json"])
        lines = [json.loads(line) for line in ended.out.splitlines() if line.startswith("{")]
        return [line["jobID"] for line in lines if "jobResult" in line]

    def act(self, event: str, payload: Mapping[str, Any], words: Sequence[str] = (), **environ: str) -> Ended:
        """Let act run what this event starts, to its end; `environ` is what the runner's jobs see."""
        (self.folder / "event.json").write_text(json.dumps(payload))
        variables = {
            "GITHUB_REPOSITORY": "team/tiny",
            "FAKE_HOST": self.host.url,
            "FAKE_ARTIFACTS": str(self.artifacts),
        }
        argv = [str(tool("act")), event, "-W", ".github/workflows/ci.yml", "-P", "ubuntu-latest=-self-hosted"]
        argv += ["-e", str(self.folder / "event.json"), *stand_ins(), "--concurrent-jobs", "1"]
        argv += [word for name, value in variables.items() for word in ("--env", f"{name}={value}")]
        done = subprocess.run(
            [*argv, "-s", f"GITHUB_TOKEN={JOB_TOKEN}", *words],
            cwd=self.clone.path,
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT,
        )
        return Ended(done.returncode, done.stdout + done.stderr)


@contextmanager
def a_github(folder: Path, workflow: str = "") -> Iterator[GitHub]:
    """A GitHub with tiny's project on main; `workflow` is its own workflow file."""
    library(folder / "host/platform", folder / "library")
    for name in ("host/team", "user", "artifacts"):
        (folder / name).mkdir()
    with a_git_host(folder / "host") as host:
        bare = Bare(folder / "host/team/tiny.git")
        clone = bare.clone(folder / "work")
        shutil.copytree(TINY, clone.path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        workflows = clone.path / ".github/workflows"
        workflows.mkdir(parents=True)
        shutil.copy(WORKFLOW, workflows)
        (workflows / "ci.yml").write_text(workflow or caller())
        clone.commit("feat: begin")
        clone.git("remote", "set-url", "origin", f"{host.url}/team/tiny.git")
        clone.git("push", "--quiet", "origin", "main")
        environ = {
            "PATH": tools_path(),
            "HOME": str(folder / "user"),
            "TAGLINE_BIN": str(Path(sys.executable).with_name("tagline")),
            "TAGLINE_VENVS": os.environ["TAGLINE_VENVS"],
            "TAGLINE_HOME": str(folder / "home"),
            "GIT_CONFIG_NOSYSTEM": "1",
        }
        yield GitHub(folder, host, bare, clone, environ)
