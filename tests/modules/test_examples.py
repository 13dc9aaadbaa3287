"""The module of examples, whose bindings an engine would generate: it calls functions that the others have."""

import ast
import inspect
import json
from collections.abc import Iterator

import pytest

from tests.fakes.machine import ROOT
from tests.modules import chain

FOLDER = ROOT / "modules/examples"
SOURCE = (FOLDER / "src/tagline_examples/main.py").read_text()


def bindings(tree: ast.AST) -> Iterator[tuple[str, str, ast.Call, ast.Call]]:
    """Each call of a function of a module: the module, the function, and the constructor's and function's call."""
    made: dict[str, ast.Call] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            assert isinstance(node.value, ast.Call)
            made[node.targets[0].id] = node.value
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        owner = node.func.value
        constructor = made.get(owner.id) if isinstance(owner, ast.Name) else owner
        if isinstance(constructor, ast.Call) and isinstance(constructor.func, ast.Attribute):
            yield constructor.func.attr.removeprefix("tagline_"), node.func.attr, constructor, node


def functions() -> list[ast.AST]:
    (cls,) = [node for node in ast.parse(SOURCE).body if isinstance(node, ast.ClassDef)]
    return [node for node in cls.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def understood(call: ast.Call, signature: inspect.Signature) -> None:
    """A binding takes what it needs by place and what it may leave out by name."""
    needed = [p for p in signature.parameters.values() if p.default is p.empty and p.name != "self"]
    assert len(call.args) == len(needed)
    names = {keyword.arg for keyword in call.keywords}
    assert names <= {p.name for p in signature.parameters.values() if p.default is not p.empty}


def test_there_is_an_example_of_each_module() -> None:
    seen = {module for each in functions() for module, *_ in bindings(each)}
    depends = json.loads((FOLDER / "dagger.json").read_text())["dependencies"]
    assert seen == set(chain.NAMES)
    assert {(one["name"], one["source"]) for one in depends} == {
        (f"tagline-{n}", f"../{n}") for n in chain.NAMES
    }


@pytest.mark.parametrize("example", functions(), ids=lambda each: each.name)
def test_an_example_calls_what_the_module_has(example: ast.AST) -> None:
    ((module, function, constructor, call),) = bindings(example)
    cls = chain.main_object(module)
    understood(constructor, inspect.signature(cls))
    assert function in {one.name for one in chain.functions(module)}
    understood(call, inspect.signature(getattr(cls, function)))
