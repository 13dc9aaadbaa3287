"""The image that CI jobs run in: built as the page says, without root, and bootstrap takes its tagline."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import tagline

from tests.docs.test_docs import blocks
from tests.real import debian
from tests.real.engine import ROOT
from tests.real.registry import Registry

DOCKERFILE = ROOT / "templates/images/tagline/Dockerfile"
BASE = "tagline-test/python-git:3"
PAGE = ROOT / "docs/how-to/host-tagline.md"
PATH_IN_IT = "/opt/tagline/bin/tagline"


@pytest.fixture(scope="module")
def image(environ: dict[str, str], plain: Registry) -> Iterator[str]:
    """The image that the page's commands make and push, on a Debian base with git, pulled from the registry."""
    house = ROOT / ".tools/wheelhouse"
    making = {**environ, "PYTHON": sys.executable}
    run(["tools/wheelhouse", str(house)], making)
    debian.imported(BASE, debian.archive("python-git", (*debian.PYTHON, "git")), environ)
    base = debian.pushed(BASE, f"{plain.host}/mirror/python", environ)
    (commands,) = blocks(PAGE, "bash")
    for written, here in (
        ("registry.example.org/mirror/python@sha256:0123…cdef", base),
        ("registry.example.org", plain.host),
        ("/srv/tagline-wheels", str(house)),
        ("docker build", "docker build --quiet --network=host"),  # the test engine has no bridge
    ):
        assert written in commands
        commands = commands.replace(written, here)
    run(["sh", "-euc", commands], making)
    tag = f"{plain.host}/ml/tagline:1"
    debian.docker(environ, "rmi", tag)
    debian.docker(environ, "pull", "--quiet", tag)
    yield tag
    debian.docker(environ, "rmi", "--force", tag)


def run(command: list[str], environ: Mapping[str, str]) -> None:
    done = subprocess.run(command, cwd=ROOT, env=dict(environ), capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr


def inside(environ: Mapping[str, str], image: str, script: str, *words: str) -> str:
    """What a shell in the image prints, as a CI job runs it: no entry point to get around."""
    return debian.docker(environ, "run", "--rm", "--network=none", *words, image, "sh", "-euc", script)


@pytest.mark.parametrize("user", [(), ("--user=4711",)])
def test_a_job_finds_tagline_git_and_a_home_without_root(
    environ: dict[str, str], image: str, user: tuple[str, ...]
) -> None:
    script = 'tagline --version; id -u; git init -q "$HOME/x"; git --version | cut -d" " -f1'
    version, who, git = inside(environ, image, script, *user).splitlines()
    assert version == f"tagline {tagline.__version__}"
    assert who == (user[0].partition("=")[2] if user else "1000")
    assert git == "git"


def test_bootstrap_takes_the_images_tagline_and_refuses_another_version(
    environ: dict[str, str], image: str
) -> None:
    templates = f"--volume={ROOT / 'templates'}:/templates:ro"
    assert inside(environ, image, "/templates/bootstrap.sh", templates) == PATH_IN_IT
    script = "TAGLINE_VERSION=99.0.0 /templates/bootstrap.sh 2>&1 || true"
    assert "TAGLINE_VERSION asks for 99.0.0" in inside(environ, image, script, templates)


def test_nobody_in_the_image_may_change_its_tagline(environ: dict[str, str], image: str) -> None:
    assert inside(environ, image, f"test -w {PATH_IN_IT} && echo open || echo closed") == "closed"


def test_the_image_has_no_entry_point(environ: dict[str, str], image: str) -> None:
    said = debian.docker(environ, "image", "inspect", "--format={{json .Config.Entrypoint}}", image)
    assert said == "null"


def test_the_base_is_an_argument_that_a_company_names_by_digest() -> None:
    lines = Path(DOCKERFILE).read_text().splitlines()
    assert lines[2] == "FROM ${BASE}"


def test_a_job_in_it_checks_a_project_without_root_and_without_a_network(
    environ: dict[str, str], image: str
) -> None:
    project = f"--volume={ROOT / 'tests/projects/tiny'}:/project:ro"
    script = (
        'cp -r /project "$HOME/tiny" && cd "$HOME/tiny" && git init -q && git add -A && tagline check 2>&1; '
        'echo "code $?"; tagline doctor 2>&1 || true'
    )
    said = inside(environ, image, script, project)
    assert "code 0" in said, said
    assert "compile: docker/kubeflow_pipeline/pipeline.py compiles" in said
    assert "run CI for untrusted code under its own user" in said, (
        "no sandbox in it, so doctor names the gaps"
    )
