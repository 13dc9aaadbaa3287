"""The how-to page of images is run as it is written, against a real engine and a real registry."""

import os
import re
import subprocess
import sys
from pathlib import Path

import yaml
from tagline import config
from tagline.hosts.reading import without_host

from tests.contract.images.conftest import DOCKERFILE, locked
from tests.real.engine import ROOT
from tests.real.registry import Registry

PAGE = (ROOT / "docs/how-to/images.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def test_every_command_works_as_written(
    environ: dict[str, str], plain: Registry, base: str, tmp_path: Path
) -> None:
    (tmp_path / "wine/src").mkdir(parents=True)
    tree = tmp_path / "wine"
    (tree / "docker/base_image").mkdir(parents=True)
    (tree / "docker/kubeflow_pipeline").mkdir()
    tiny = ROOT / "tests/projects/tiny"
    for name in ("docker/kubeflow_pipeline/pipeline.py", "src/pipeline_steps/train_model/task.py"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text((tiny / name).read_text())
    (tree / "src/requirements.txt").write_text(locked("six"))
    (tree / "docker/base_image/Dockerfile").write_text(DOCKERFILE.format(base=f"{plain.host}/base:1"))
    said = blocks("yaml")[0].replace("registry.example.com", plain.host)
    (tree / "tagline.yaml").write_text(f"pipeline: wine\n{said}")
    (script,) = blocks("sh")
    env = {**without_host(environ), "TAGLINE_HOME": str(tmp_path / "home")}
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env['PATH']}"
    done = subprocess.run(
        ["bash", "-euc", script], cwd=tree, env=env, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "built, not pushed" in done.stdout
    assert "built and pushed" in done.stdout
    assert "already built" in done.stdout


def test_every_setting_on_the_page_is_one() -> None:
    for text in blocks("yaml"):
        assert config.parse(text, default_name="wine").engine == "docker"
        assert yaml.safe_load(text)["image"]["repository"].startswith("registry.example.com/")


def test_the_steps_of_the_page_are_the_template_s() -> None:
    template = (ROOT / "project-template/template/docker/base_image/Dockerfile").read_text()
    (step,) = blocks("dockerfile")
    lines = [line.strip() for line in step.replace("PYTHONHASHSEED=0 ", "").splitlines()]
    have = [
        line.removeprefix("RUN ").strip() for line in template.replace("PYTHONHASHSEED=0 ", "").splitlines()
    ]
    assert [line.removeprefix("RUN ") for line in lines if line.removeprefix("RUN ") not in have] == []
