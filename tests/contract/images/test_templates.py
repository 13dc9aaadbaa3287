"""The images that we give to others: built, and started as a cluster starts them."""

import re
from pathlib import Path

import pytest

from tests.real import debian, notebooks
from tests.real.engine import ROOT
from tests.real.registry import Registry

FOLDER = ROOT / "templates/images"
NOTEBOOKS = ("jupyter-scipy", "pytorch-full", "pytorch-cuda-full")


@pytest.fixture(scope="module")
def upstream(environ: dict[str, str], plain: Registry) -> str:
    return notebooks.upstream(plain.host, environ)


def test_the_notebook_images_differ_only_in_the_upstream_that_they_start_from() -> None:
    texts = {(FOLDER / name / "Dockerfile").read_text() for name in NOTEBOOKS}
    assert len(texts) == 3
    assert len({re.sub(r"^# .*?:|^ARG BASE=.*$", "", text, flags=re.MULTILINE) for text in texts}) == 1


def test_jupyter_scipy_answers_on_8888_under_nb_prefix_as_jovyan(
    environ: dict[str, str], plain: Registry, upstream: str, tmp_path: Path
) -> None:
    assert notebooks.port_is_free()
    made = notebooks.built("jupyter-scipy", upstream, f"{plain.host}/jupyter-scipy", environ, tmp_path)
    assert made.why_not == ""
    with notebooks.started(made.reference, environ, "--env=NB_PREFIX=/notebook/team/ada") as container:
        assert notebooks.answer("/notebook/team/ada/api")[0] == 200
        assert notebooks.answer("/api")[0] == 404
        assert debian.docker(environ, "exec", container, "id", "-un") == "jovyan"
        assert "s6-svscan" in debian.docker(environ, "exec", container, "cat", "/proc/1/comm")
        assert (
            debian.docker(environ, "exec", container, "python3", "-c", "import tagline_task; print('in')")
            == "in"
        )


def test_the_runtime_starts_without_root_and_holds_what_tasks_import(
    environ: dict[str, str], plain: Registry, base: str, tmp_path: Path
) -> None:
    made = notebooks.built("runtime", base, f"{plain.host}/runtime", environ, tmp_path)
    debian.docker(environ, "pull", "--quiet", made.reference)
    code = "import os, tagline_task; print(os.getuid(), os.getcwd())"
    said = debian.docker(environ, "run", "--rm", "--network=host", made.reference, "python3", "-c", code)
    assert said == "1000 /app"
