"""Rules for the common components: what they import must be in the lock of the image that runs them."""

import ast
import re
from collections.abc import Iterator

from tagline.errors import UnknownName
from tagline.pipeline import common
from tagline.pipeline.lint.finding import Level, Rule, Spot
from tagline.pipeline.lint.python import full_names
from tagline.pipeline.lint.source import Source, dotted

_IMPORTED = re.compile(r"tagline(?:_task)?\.components\.(v[1-9][0-9]*)\.([a-z_]+)(?:\..*)?")


def _used(source: Source) -> Iterator[tuple[str, int]]:
    """(name in a pipeline, line) of every common component that a file takes in the project's own image."""
    for name, line in full_names(source.tree):
        if match := _IMPORTED.fullmatch(name):
            yield f"tagline-{match[2].replace('_', '-')}-{match[1]}", line
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and dotted(node.func) in ("tagline.component", "component"):
            match node:
                case ast.Call(args=[ast.Constant(value=str() as name), *_], keywords=keywords):
                    if all(each.arg != "image" for each in keywords):
                        yield name, node.lineno


def _not_locked(source: Source) -> Iterator[Spot]:
    if source.packages is None:
        return
    for name, line in dict(_used(source)).items():
        try:
            found = common.find(name)
        except UnknownName:
            continue  # compiling names the nearest
        lacking = [each for each in found.needs if each not in source.packages] if found else []
        if lacking:
            yield Spot(name, f"it needs {', '.join(lacking)}, which src/requirements.txt does not have", line)


SOURCE_RULES = (
    Rule(
        "component-not-locked",
        Level.WARNING,
        "A common component that imports what the lock lacks ends with exit code 17 in the run.",
        "add the package to src/requirements.in and lock again",
        _not_locked,
    ),
)
