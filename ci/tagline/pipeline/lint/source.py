"""A Python file as the rules look at it: its tree, its components, and the imports of each."""

import ast
import builtins
import sys
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import msgspec

from tagline.errors import PipelineError
from tagline.pipeline.lint import pins

# what `from kfp.dsl import *` and `from typing import *`, which kfp writes before each component, bring
_KFP = "Artifact BaseArtifact ClassificationMetrics Collected ConcatPlaceholder Condition ContainerSpec Dataset Elif"
_KFP += " Else ExitHandler HTML If IfPresentPlaceholder Input InputPath Markdown Metrics Model OneOf Output OutputPath"
_KFP += (
    " ParallelFor PipelineArtifactChannel PipelineTask PipelineTaskFinalStatus SlicedClassificationMetrics"
)
_KFP += " component container_component get_uri graph_component importer pipeline dsl kfp EmbeddedInput TaskConfig"
_KFP += " KubernetesWorkspaceConfig notebook_component run_notebook"
_KFP += " PIPELINE_JOB_NAME_PLACEHOLDER PIPELINE_JOB_ID_PLACEHOLDER PIPELINE_ROOT_PLACEHOLDER"
_KFP += " PIPELINE_TASK_NAME_PLACEHOLDER PIPELINE_TASK_ID_PLACEHOLDER WORKSPACE_PATH_PLACEHOLDER"
_KFP += " PipelineConfig WorkspaceConfig TaskConfigField TaskConfigPassthrough"
_TYPING = (
    "Any Callable Dict List Literal Mapping NamedTuple Optional Sequence Set Tuple Type Union cast overload"
)
_TYPING += " Annotated Generic Iterable Iterator TypedDict TypeVar Generator Deque DefaultDict FrozenSet Text"
GIVEN = frozenset(f"{_KFP} {_TYPING}".split()) | set(dir(builtins)) | {"__name__", "__file__"}


class Component(msgspec.Struct, frozen=True):
    """A lightweight component's function, and what its decorator says that it installs."""

    function: ast.FunctionDef
    decorator: ast.expr

    def keyword(self, name: str) -> ast.expr | None:
        given = self.decorator.keywords if isinstance(self.decorator, ast.Call) else []
        return next((each.value for each in given if each.arg == name), None)


class Source:
    """What the rules ask of one Python file.

    `locked` is what a task may import: locked packages and the project's own modules. `packages` are those that the
    project's lock names. None where that is not known. `kfp_1` says that the project pins kfp 1.
    """

    def __init__(
        self,
        text: str,
        file: str,
        locked: frozenset[str] | None = None,
        packages: frozenset[str] | None = None,
        *,
        kfp_1: bool = False,
    ) -> None:
        self.text, self.file, self.locked, self.packages = text, file, locked, packages
        self.kfp_1 = kfp_1
        try:
            self.tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError) as error:
            line = getattr(error, "lineno", 0)
            raise PipelineError(
                f"Python cannot read it: {error}", where=f"{file}:{line}" if line else file
            ) from error

    @cached_property
    def components(self) -> list[Component]:
        """The functions that are decorated with `@dsl.component` or `@component`."""
        return [
            Component(node, each)
            for node in self.tree.body
            if isinstance(node, ast.FunctionDef)
            for each in node.decorator_list
            if dotted(each.func if isinstance(each, ast.Call) else each) in self._decorators
        ]

    @cached_property
    def _decorators(self) -> set[str]:
        named = {"dsl.component", "kfp.dsl.component"}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and node.module in ("kfp.dsl", "kfp.v2.dsl"):
                named |= {each.asname or each.name for each in node.names if each.name == "component"}
        return named


def read(path: Path, locked: frozenset[str] | None = None, packages: frozenset[str] | None = None) -> Source:
    """Read a Python file; raises `PipelineError` where it is missing or no Python."""
    try:
        return Source(path.read_text(), str(path), locked, packages, kfp_1=pins.kfp_1(path))
    except (OSError, UnicodeDecodeError) as error:
        raise PipelineError(f"the source cannot be read: {error}", where=str(path)) from error


def dotted(node: ast.expr) -> str:
    """`a.b.c` of a chain of names; "" for anything else."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name):
            outer = dotted(value)
            return f"{outer}.{name}" if outer else ""
    return ""


def bound(tree: ast.AST) -> set[str]:
    """Every name that is bound anywhere below a node: too many rather than too few."""
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                found.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case ast.arg(arg=name) | ast.ExceptHandler(name=str() as name) | ast.MatchAs(name=str() as name):
                found.add(name)
            case ast.MatchStar(name=str() as name) | ast.MatchMapping(rest=str() as name):
                found.add(name)
            case ast.Import(names=names) | ast.ImportFrom(names=names):
                found |= {each.asname or each.name.partition(".")[0] for each in names}
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                found |= set(names)
    return found


def read_names(body: list[ast.stmt]) -> Iterator[tuple[str, int]]:
    """Each name that statements read, with its line; annotations are left out, they are not evaluated there."""
    for statement in body:
        for node in ast.walk(_bare(statement)):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                yield node.id, node.lineno


def _bare(statement: ast.stmt) -> ast.stmt:
    for node in ast.walk(statement):
        match node:
            case ast.AnnAssign():
                node.annotation = ast.Constant(None)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                node.returns = None
            case ast.arg():
                node.annotation = None
    return statement


def imported(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """(top-level module, line) of every import that is not the standard library's and is not tried only."""
    tried = {id(each) for node in ast.walk(tree) if isinstance(node, ast.Try) for each in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in tried:
            continue
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [each.name for each in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module]
        foreign = [name for name in names if name.partition(".")[0] not in sys.stdlib_module_names]
        yield from ((name, getattr(node, "lineno", 0)) for name in foreign)
