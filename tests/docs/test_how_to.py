"""The how-to pages for agents and platforms are run: their commands, their examples, the errors they quote."""

import re
from pathlib import Path

import pytest
from tagline import config, platform_file
from tagline.errors import ConfigError

from tests.fakes.machine import ROOT, Machine

HOW_TO = ROOT / "docs/how-to"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
TINY = """set -e
git init -q --bare -b main remote.git && git clone -q remote.git first
cp -r {root}/tests/projects/tiny/. first && cd first && git switch -q -c main && echo '{more}' >> tagline.yaml
git add -A && git commit -q -m 'feat: first' && git push -q -u origin main
cd .. && git clone -q remote.git second"""


def blocks(page: str, language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall((HOW_TO / page).read_text()) if kind == language]


def ready(machine: Machine, more: str) -> None:
    made = machine.shell(TINY.format(root=ROOT, more=more))
    assert made.code == 0, made.out


@pytest.mark.timeout(600)
def test_the_commands_that_hand_a_plan_over_work_as_written(machine: Machine) -> None:
    ready(machine, "gpu: 1")
    done = machine.shell("set -eu\n" + "\n".join(blocks("hand-over.md", "sh")))
    assert done.code == 0, done.out
    order = [
        "needs-agent: gpu",
        "needs-agent: platform,push",
        "[ok] release: tiny 0.1.0",
        "needs-agent: gpu,platform,push",
        "no open promotion",
    ]
    places = [done.out.index(line) for line in order]
    assert places == sorted(places)


def example() -> platform_file.Found:
    (text,) = blocks("platform-file.md", "yaml")
    return platform_file.parse(text, "platform.yaml")


def test_the_platform_file_by_example_is_one_and_names_every_floor() -> None:
    floors = example().file.floors
    assert all(getattr(floors, name) for name in floors.__struct_fields__)
    (text,) = blocks("platform-file.md", "yaml")
    assert [line for line in text.splitlines() if "#" not in line and not line.startswith("  ")] == [
        "floors:"
    ]


def test_the_repository_of_several_pipelines_by_example_is_one() -> None:
    (text,) = blocks("several-pipelines.md", "yaml")
    own = config.parse(text)
    assert [one.pipeline for one in own.each()] == ["churn", "fraud"]
    assert own.model_names() == ["fraud", "leaver", "stayer"]


def test_the_repository_on_a_kubeflow_platform_by_example_is_one() -> None:
    (text,) = blocks("kubeflow-pipelines.md", "yaml")
    own = config.parse(text)
    assert own.schedules["nightly"].parameters == {"trees": 500}


def test_the_error_that_the_page_quotes_is_the_one_that_comes() -> None:
    text = (ROOT / "tests/projects/tiny/tagline.yaml").read_text().replace("max_drop: 0.10", "max_drop: 0.2")
    with pytest.raises(ConfigError) as caught:
        platform_file.read(text, f"main:{config.FILE}", "tiny", example())
    quoted = next(block for block in blocks("platform-file.md", "text") if "error:" in block)
    assert quoted.splitlines()[:2] == f"error: {caught.value}".splitlines()[:2]


def test_a_platform_file_is_tried_as_the_page_says(machine: Machine, tmp_path: Path) -> None:
    ready(machine, "gpu: 0")
    (text,) = blocks("platform-file.md", "yaml")
    (tmp_path / "platform.yaml").write_text(text)
    (command,) = blocks("platform-file.md", "sh")
    tried = machine.shell(f"cd first\n{command}".replace("/etc/tagline", str(tmp_path)))
    assert tried.code == 20, tried.out
    assert "rollout.step_time is 3s, and the platform 'acme' allows at least 2m" in tried.out
