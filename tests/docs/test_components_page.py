"""The page on common components is run: its commands, its test, and its pipelines as Kubeflow would take them."""

import re
from pathlib import Path

import pytest
from tagline.pipeline import common, compiled
from tagline.pipeline.compile import compile_file
from tagline.pipeline.lint import registry
from tagline.pipeline.lint.finding import Level, Scope

from tests.components import page
from tests.fakes.machine import Machine


def test_every_component_is_on_the_page_and_in_the_readme_of_a_new_project() -> None:
    readme = (page.ROOT / "project-template/template/README.md.jinja").read_text()
    for each in common.every("v1"):
        assert f"`{each.function}`" in page.TEXT and f"`{each.function}`" in readme


def test_every_command_of_the_page_works_as_written(machine: Machine) -> None:
    done = machine.shell("set -eu\n" + "\n".join(page.shell()))
    assert done.code == 0, done.out
    assert '{"train_rows": 125, "validation_rows": 18, "test_rows": 35}' in done.out
    rows = [int(found) for found in re.findall(r"^rows = (\d+)$", done.out, re.MULTILINE)]
    assert rows[0] == 35 and 10 <= rows[1] <= 14
    assert (machine.folder / "out/report").exists()


def test_the_test_of_the_page_passes(tmp_path: Path) -> None:
    names: dict[str, object] = {}
    exec(compile(page.python("tests/test_split.py")[0], "test_split.py", "exec"), names)
    names["test_no_wine_is_lost"](tmp_path)  # type: ignore[operator]


@pytest.mark.parametrize("number", [0, 1])
def test_the_pipelines_of_the_page_compile_without_an_error(tmp_path: Path, number: int) -> None:
    file = page.project(tmp_path, number)
    out = compile_file(file, tmp_path / "out.yaml")
    found = registry.compiled_findings(compiled.read(out), Scope.FILE)
    assert [each for each in found if each.level is Level.ERROR] == []
    assert {each.rule for each in found} <= {"limits-missing"}
