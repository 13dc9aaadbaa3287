"""The page on Dagger: every `dagger call` in it names a module, a function and arguments that there are."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from tagline.cli.group import cli
from tagline.engines.dagger import chains, runner
from tagline.flow.checking import in_dagger

from tests.modules import chain

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/how-to/dagger.md").read_text()
CALLS = [line for line in PAGE.splitlines() if line.startswith("dagger call ")]
ENDS = {"contents", "export", "terminal"}


def flags(words: Iterator[str], names: dict[str, object]) -> str:
    """Take options off the words as long as they are of these names; the first word that is none."""
    for word in words:
        if not word.startswith("--"):
            return word
        name = word.removeprefix("--").replace("-", "_")
        assert name in names, f"{word} is not one of {sorted(names)}"
        if names[name] is not bool:
            next(words)
    return ""


@pytest.mark.parametrize("line", CALLS)
def test_a_call_of_the_page_is_one_that_the_module_takes(line: str) -> None:
    words = iter(shlex.split(line)[2:])
    assert next(words) == "-m"
    found = re.fullmatch(r"\$LIBRARY/modules/(\w+)@v1", next(words))
    assert found
    functions = {one.name: one for one in chain.functions(found[1])}
    kinds = {name: {key: kind for key, (kind, _) in one.arguments.items()} for name, one in functions.items()}
    name = flags(words, kinds[""])
    assert name in functions
    assert flags(words, kinds[name]) in {*ENDS, ""}


def test_every_function_is_called_and_listed_on_the_page() -> None:
    called = {re.sub(r".*modules/(\w+)@v1.*", r"\1", line) for line in CALLS}
    assert called == set(chain.NAMES)
    rows = [row for row in PAGE.splitlines() if row.startswith("| ")]
    for one in (each for name in chain.NAMES for each in chain.functions(name) if each.name):
        held = {None: "while the tree is the same", "": "while the tree is the same"}
        (row,) = [row for row in rows if f"`{one.name}`" in row.split("|")[2]]
        policy = {"session": "in one session", "never": "never"}.get(one.cache or "", held[""])
        assert row.rstrip(" |").endswith(policy)
        assert any(f" {one.name} " in line for line in CALLS)


def test_the_names_of_the_page_are_those_of_the_code() -> None:
    for name in (runner.RUNNER_VARIABLE, runner.CLI_VARIABLE, in_dagger.BASE_VARIABLE, chains.BASE):
        assert f"`{name}`" in PAGE
    engine = next(one for one in cli.get_command(None, "ci").params if one.name == "engine")  # type: ignore[union-attr,arg-type]
    assert "tagline ci --engine dagger\n" in PAGE and "dagger" in engine.type.choices  # type: ignore[attr-defined]
