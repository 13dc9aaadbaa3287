"""The shell of the page for any CI is run as it is written there."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from tagline.platforms.local.serving.ports import free_port

from tests.ci.components import ROOT
from tests.ci.gitlab.world import library
from tests.fakes.machine import BIN, Done, Machine
from tests.flow.stage import LEDGER, Desk, new_desk

PAGE = (ROOT / "docs/how-to/any-ci.md").read_text()
HEADS = re.findall(r"^### (.+)\n", PAGE, re.MULTILINE)
# what each CI says of a scheduled call
SAYS = {"Azure Pipelines": {"BUILD_REASON": "Schedule"}}


def blocks(language: str, text: str = PAGE) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def script(example: Any) -> str:
    """The shell of an example: a text, or a list of lines, by whatever name that CI has for it."""
    found = list(_scripts(example))
    assert len(found) == 1, found
    return found[0]


def _scripts(value: Any) -> Iterator[str]:
    if isinstance(value, list):
        for each in value:
            yield from _scripts(each)
    elif isinstance(value, dict):
        for name, each in value.items():
            if name in {"script", "source"} and isinstance(each, str):
                yield each
            elif name == "script" and isinstance(each, list):
                yield "\n".join(each)
            elif name != "pipelines":  # Bitbucket's use the step that is defined once
                yield from _scripts(each)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    made = new_desk(tmp_path_factory.mktemp("any") / "desk")
    library(made.folder / "host/platform", made.folder / "library")
    yield made
    made.close()


def run(desk: Desk, shell: str, **variables: str) -> Done:
    """Run it as the CI's agent would, where tagline is baked into the agent."""
    known = {
        "TAGLINE_LIBRARY": str(desk.folder / "host/platform/tagline.git"),
        "TAGLINE_BIN": f"{BIN}/tagline",
    }
    machine = Machine(desk.clone.path, desk.environ(**known | variables, TAGLINE_PORT=str(free_port())))
    return machine.shell(f"set -eu\n{shell}", timeout=280)


@pytest.fixture
def line() -> str:
    (found,) = blocks("sh")
    assert found.count("\n") == 1
    return found


def test_the_one_line_checks_a_branch(desk: Desk, line: str) -> None:
    desk.clone.git("switch", "--quiet", "--create", "feature")
    done = run(desk, line, EVENT="pr")
    desk.clone.git("switch", "--quiet", "main")
    assert done.code == 0, done.out
    assert LEDGER not in desk.refs()


def test_the_one_line_releases_a_merge(desk: Desk, line: str) -> None:
    done = run(desk, line, EVENT="merge")
    assert done.code == 0, done.out
    assert "refs/tags/v0.1.0" in desk.refs()


def test_the_page_has_the_examples_that_it_promises() -> None:
    assert HEADS == ["Azure Pipelines", "Bitbucket Pipelines", "Tekton", "Argo Workflows"]
    assert len(blocks("yaml")) == len(HEADS)


@pytest.mark.parametrize("name", HEADS)
def test_the_shell_of_an_example_makes_the_scheduled_call(desk: Desk, name: str) -> None:
    example = yaml.safe_load(blocks("yaml", PAGE[PAGE.index(f"### {name}") :])[0])
    done = run(desk, script(example), **SAYS.get(name, {"EVENT": "schedule"}))
    assert done.code == 0, done.out
    assert "schedule: " in done.out


@pytest.mark.parametrize("name", ["the one line", *HEADS])
def test_an_agent_that_gets_no_tagline_fails_by_bootstraps_own_words(
    desk: Desk, line: str, name: str
) -> None:
    example = line
    if name in HEADS:
        example = script(yaml.safe_load(blocks("yaml", PAGE[PAGE.index(f"### {name}") :])[0]))
    done = run(desk, example, **{"EVENT": "schedule", **SAYS.get(name, {})}, TAGLINE_BIN="/nowhere/tagline")
    said = "tagline bootstrap: TAGLINE_BIN names /nowhere/tagline, which is no command here\n"
    assert (done.code, done.out.endswith(said)) == (1, True), done


def test_the_words_of_bootstraps_variables_are_all_on_the_page() -> None:
    head = (ROOT / "templates/bootstrap.sh").read_text().partition("set -eu")[0]
    named = re.findall(r"#   (TAGLINE_\w+)", head)
    assert len(named) == 7
    assert [name for name in named if f"`{name}`" not in PAGE] == []


def test_a_desk_is_left_as_it_was_found(desk: Desk) -> None:
    assert desk.clone.git("status", "--porcelain") == ""
