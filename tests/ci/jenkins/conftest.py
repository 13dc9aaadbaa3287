"""A controller with two agents, a repository with the Jenkinsfile, and a tagline that does what a scenario says."""

import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.ci.jenkins import controller, stand_in
from tests.ci.jenkins.controller import JENKINSFILE, LIBRARY_PATH, ROOT, Controller, Interpreter
from tests.fakes.repositories import Bare, Clone

MAIN = {"BRANCH_NAME": "main", "BRANCH_IS_PRIMARY": "true"}
PULL = {"BRANCH_NAME": "PR-7", "CHANGE_ID": "7", "CHANGE_TARGET": "main", "CHANGE_BRANCH": "better"}
TAG = {"BRANCH_NAME": "promote/prod/tiny/1", "TAG_NAME": "promote/prod/tiny/1"}
WOKEN = "org.jenkinsci.plugins.workflow.support.steps.build.BuildUpstreamCause"
SECRETS = ("push-secret", "read-secret", "comment-secret", "staging-secret", "prod-secret")


@pytest.fixture(scope="session")
def java() -> Iterator[Interpreter]:
    """Jenkins' interpreter, for all tests of this process."""
    made = Interpreter(controller.classpath())
    yield made
    made.close()


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """tagline's repository at v1, with this tree's templates."""
    return controller.library_repository(tmp_path_factory.mktemp("library"))


@dataclass
class Shop:
    """A controller whose agents have the stand-in as TAGLINE_BIN."""

    controller: Controller
    clone: Clone
    folder: Path

    def scenario(self, **said: object) -> None:
        """What tagline does in this test."""
        (self.folder / "scenario.json").write_text(json.dumps(said))

    def jenkinsfile(self, text: str) -> str:
        """Commit and push this Jenkinsfile on the branch checked out; the commit."""
        commit = self.clone.commit("ci: call tagline", {"Jenkinsfile": text})
        self.clone.push()
        return commit

    def calls(self, key: str = "begun") -> list[dict[str, Any]]:
        """The calls of tagline, in order."""
        file = self.folder / "calls.jsonl"
        rows = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
        return [row for row in rows if key in row]


def names(shop: Shop) -> list[str]:
    """The commands that were begun, in order."""
    return [row["begun"] for row in shop.calls()]


def secrets_in(environ: dict[str, str]) -> set[str]:
    """The secrets that stand in an environment."""
    text = json.dumps(environ)
    return {secret for secret in SECRETS if secret in text}


def wait_until(there: Callable[[], bool], what: str, limit: float = 60) -> None:
    """Wait for something to be so."""
    until = time.monotonic() + limit
    while not there():
        assert time.monotonic() < until, f"{what} did not come in {limit:g} s"
        time.sleep(0.02)


def wait_for(file: Path) -> None:
    """Wait for a file."""
    wait_until(file.exists, str(file))


@pytest.fixture
def shop(java: Interpreter, library: Path, tmp_path: Path) -> Iterator[Shop]:
    """Two agents: `plain` without a label, `fast` with the label gpu; every credential is there for every job."""
    command = tmp_path / "bin/tagline"
    command.parent.mkdir()
    command.write_text(f"#!{sys.executable}\n" + Path(stand_in.__file__).read_text())
    command.chmod(0o755)
    bare = Bare(tmp_path / "project.git")
    clone = bare.clone(tmp_path / "work")
    clone.commit("ci: call tagline", {"Jenkinsfile": JENKINSFILE})
    clone.push()
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "TAGLINE_SCENARIO": str(tmp_path / "scenario.json"),
        "TAGLINE_CALLS": str(tmp_path / "calls.jsonl"),
    }
    agents = [
        {"name": "plain", "labels": [], "environ": {"TAGLINE_BIN": str(command)}},
        {"name": "fast", "labels": ["gpu", "gpu-a100"], "environ": {"TAGLINE_BIN": str(command)}},
    ]
    made = Controller(tmp_path, bare.path, java, environ, agents)
    made.libraries["tagline"] = {"remote": str(library), "path": LIBRARY_PATH}
    shop = Shop(made, clone, tmp_path)
    shop.scenario()
    yield shop
    shutil.rmtree(tmp_path / "builds", ignore_errors=True)


@pytest.fixture
def credentials() -> dict[str, dict[str, str]]:
    """What a folder's store holds where it holds everything."""
    return {
        "tagline-push": {"username": "bot", "password": "push-secret"},
        "tagline-read": {"username": "reader", "password": "read-secret"},
        "tagline-comment": {"secret": "comment-secret"},
        "kube-staging": {"secret": "staging-secret"},
        "kube-prod": {"secret": "prod-secret"},
    }


@pytest.fixture
def all_options() -> str:
    """A Jenkinsfile with every option of the call."""
    assert (ROOT / LIBRARY_PATH).exists()
    return """@Library('tagline@v1') _
tagline(
    git: 'tagline-push',
    read: 'tagline-read',
    comment: 'tagline-comment',
    agents: [gpu: 'gpu-a100'],
    credentials: [
        staging: [string(credentialsId: 'kube-staging', variable: 'KUBE')],
        prod: [file(credentialsId: 'kube-prod', variable: 'KUBECONFIG')],
    ],
)
"""
