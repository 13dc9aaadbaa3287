"""Rules for places that are written into a pipeline: this machine's paths and addresses, one bucket."""

import ast
import re
from collections.abc import Iterator

from tagline.pipeline.lint.finding import ON_CLUSTER, Level, Rule, Spot
from tagline.pipeline.lint.view import View, literal

_PATH = re.compile(r"(?:file://)?(?:/home/(?!jovyan\b|user\b)[\w.-]+|/Users/[\w.-]+)(?:/|$)|[A-Za-z]:\\\\?\w")
_ADDRESS = re.compile(
    r"(?:https?|grpc|postgres(?:ql)?|mysql|mongodb|redis|s3)://(?:[^\s/@]*@)?"
    r"(localhost|127\.0\.0\.1|(?!0\.0\.0\.0)(?:[0-9]{1,3}\.){3}[0-9]{1,3})\b"
    r"|\b((?!0\.0\.0\.0)(?:10|192\.168|172\.(?:1[6-9]|2[0-9]|3[01]))(?:\.[0-9]{1,3}){2,3}:[0-9]{2,5})\b"
)

_LOOPBACK = ("localhost", "127.0.0.1")


def _texts(view: View) -> Iterator[tuple[str, str]]:
    """(place, text) of every text that is given, and of every text in the Python that tasks carry."""
    for place, _, value in view.values():
        if literal(value):
            yield place, value
    for task, nodes in view.nodes.items():
        skipped = _docstrings(nodes)
        for node in nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
                yield task, node.value


def _docstrings(nodes: list[ast.AST]) -> set[int]:
    return {
        id(node.value)
        for node in nodes
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def _own_paths(view: View) -> Iterator[Spot]:
    seen = set()
    for place, text in _texts(view):
        if (match := _PATH.match(text)) and (place, text) not in seen:
            seen.add((place, text))
            yield Spot(place, f"{match[0]}… is there on one person's machine")


def _addresses(view: View) -> Iterator[Spot]:
    seen = set()
    for place, text in _texts(view):
        match = _ADDRESS.search(text)
        if match and place in view.programs and (match[1] or "") in _LOOPBACK:
            continue  # the program may have started that server itself
        if match and (found := (place, match[1] or match[2])) not in seen:
            seen.add(found)
            yield Spot(place, f"the address {found[1]} is written into it")


def _root(view: View) -> Iterator[Spot]:
    root = view.ir.get("defaultPipelineRoot", "")
    if literal(root):
        yield Spot("the pipeline", f"its root is {root} wherever it runs")


RULES = (
    Rule(
        "path-of-one-machine",
        Level.WARNING,
        "A path below somebody's home is not in the container.",
        "hand the data over as an artifact, or name it by a URI",
        _own_paths,
        ON_CLUSTER,
    ),
    Rule(
        "address-of-one-machine",
        Level.WARNING,
        "localhost is the task's own pod, and a number moves with the machine.",
        "a parameter with the service's name, given by each environment",
        _addresses,
        ON_CLUSTER,
    ),
    Rule(
        "root-hard-coded",
        Level.WARNING,
        "Runs of all environments write into one place, and cannot be told apart or kept apart.",
        "take pipeline_root out; give it when the run is started",
        _root,
        ON_CLUSTER,
    ),
)
