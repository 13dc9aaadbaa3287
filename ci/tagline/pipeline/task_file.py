"""A task's signature read from the text of its file: nothing is imported, nothing needs to be installed."""

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from tagline_task.artifacts import ARTIFACTS
from tagline_task.errors import ContractError
from tagline_task.signature import HINT, SINGLE, Parameter, Signature, Slot, parameter
from tagline_task.values import TYPES

from tagline.errors import PipelineError

_PACKAGE = "tagline_task"
_MARKS = (f"{_PACKAGE}.Input", f"{_PACKAGE}.Output")
_OLD_NAMES = {"typing.List": "list", "typing.Dict": "dict"}
_T = TypeVar("_T")
_Function = ast.FunctionDef | ast.AsyncFunctionDef


class TaskFile:
    """One `task.py`, parsed: its imports, its constants and its function.

    The function is the one given to `run(...)`, else the one named like the folder.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.path, self.name = path, name
        try:
            self._tree = ast.parse(path.read_text("utf-8"), str(path))
        except (SyntaxError, ValueError, UnicodeDecodeError) as error:
            line = getattr(error, "lineno", None) or 1
            raise PipelineError(f"task {name} is no Python: {error}", where=f"{path}:{line}") from error
        self._imports = dict(_imports(self._tree))
        self._function = self._find()

    @property
    def docstring(self) -> str:
        """The function's docstring, or ""."""
        return ast.get_docstring(self._function) or ""

    def signature(self) -> Signature:
        """The `Signature` that `tagline_task` reads at run time. Raises `PipelineError` with file:line."""
        function = self._function
        if isinstance(function, ast.AsyncFunctionDef):
            self._fail("is async; write a plain function", function)
        given = function.args
        for extra in (*given.posonlyargs, *filter(None, (given.vararg, given.kwarg))):
            self._fail(
                f"argument {extra.arg} is variadic or positional-only: a task names each argument", extra
            )
        missing = [None] * (len(given.args) - len(given.defaults))
        pairs = [*zip(given.args, [*missing, *given.defaults], strict=True)]
        pairs += [*zip(given.kwonlyargs, given.kw_defaults, strict=True)]
        arguments = tuple(self._argument(each, default) for each, default in pairs)
        return self._checked(lambda: Signature(self.name, arguments, self._returns()).checked(), function)

    def _find(self) -> _Function:
        functions = {each.name: each for each in self._tree.body if isinstance(each, _Function)}
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Call) and self._called(node.func) == f"{_PACKAGE}.run" and node.args:
                run = node.args[0]
                if isinstance(run, ast.Name) and run.id in functions:
                    return functions[run.id]
                self._fail("run() must be given a function that is defined in this file", node)
        if self.name not in functions:
            self._fail(f"has no function {self.name} and no call run(...)", None)
        return functions[self.name]

    def _called(self, node: ast.expr) -> str:
        """The full name of an imported thing: `Input` or `tt.Input` is `tagline_task.Input`."""
        if isinstance(node, ast.Name):
            return self._imports.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            return f"{self._called(node.value)}.{node.attr}"
        return ""

    def _argument(self, given: ast.arg, default: ast.expr | None) -> Parameter | Slot:
        if given.annotation is None:
            self._fail(f"argument {given.arg} has no type; {HINT}", given)
        hint = self._unquoted(given.annotation)
        if isinstance(hint, ast.Subscript) and self._called(hint.value) in _MARKS:
            return self._slot(given, hint, default)
        kind, optional = self._kind(hint)
        if not kind:
            self._fail(f"argument {given.arg} has the type {ast.unparse(hint)}; {HINT}", given)
        if default is None:
            return parameter(given.arg, kind, optional)
        value = self._constant(default, given.arg)
        return self._checked(lambda: parameter(given.arg, kind, optional, value), given)

    def _slot(self, given: ast.arg, hint: ast.Subscript, default: ast.expr | None) -> Slot:
        package, _, kind = self._called(self._unquoted(hint.slice)).rpartition(".")
        if package != _PACKAGE or kind not in ARTIFACTS:
            known = ", ".join(ARTIFACTS)
            self._fail(
                f"argument {given.arg} has the type {ast.unparse(hint)}; Input and Output hold {known}", given
            )
        if default is not None:
            self._fail(f"argument {given.arg} is an artifact and takes no default", given)
        return Slot(given.arg, kind, self._called(hint.value) == _MARKS[1])

    def _unquoted(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            try:
                return ast.copy_location(ast.parse(node.value, mode="eval").body, node)
            except SyntaxError:
                self._fail(f"the type {node.value!r} is no Python", node)
        return node

    def _kind(self, hint: ast.expr) -> tuple[str, bool]:
        """The name of a parameter's type, and whether None is allowed; ("", False) for any other type."""
        hint = self._unquoted(hint)
        if isinstance(hint, ast.BinOp) and isinstance(hint.op, ast.BitOr):
            return self._union([hint.left, hint.right])
        if isinstance(hint, ast.Subscript):
            outer = self._called(hint.value)
            if outer == "typing.Optional":
                return self._kind(hint.slice)[0], True
            if outer == "typing.Union" and isinstance(hint.slice, ast.Tuple):
                return self._union(hint.slice.elts)
            outer = _OLD_NAMES.get(outer, outer)
            return (outer, False) if outer in ("list", "dict") else ("", False)
        name = self._called(hint)
        name = _OLD_NAMES.get(name, name)
        return (name, False) if name in TYPES else ("", False)

    def _union(self, members: list[ast.expr]) -> tuple[str, bool]:
        rest = [each for each in members if not (isinstance(each, ast.Constant) and each.value is None)]
        return (self._kind(rest[0])[0], True) if len(members) == 2 and len(rest) == 1 else ("", False)

    def _constant(self, node: ast.expr, argument: str) -> Any:
        """A default's value: a literal, or the name of a literal assigned once at the top of the file."""
        if isinstance(node, ast.Name):
            assigned = [value for name, value in _assignments(self._tree) if name == node.id]
            if len(assigned) == 1:
                return self._constant(assigned[0], argument)
        try:
            return ast.literal_eval(node)
        except (ValueError, TypeError, SyntaxError, RecursionError):
            self._fail(f"argument {argument} has a default that is no literal: {ast.unparse(node)}", node)

    def _returns(self) -> tuple[Parameter, ...]:
        node = self._function.returns
        if node is None or (isinstance(node, ast.Constant) and node.value is None):
            return ()
        hint = self._unquoted(node)
        fields = self._fields(hint)
        if fields is None:
            return (self._returned(SINGLE, hint),)
        return tuple(self._returned(name, each) for name, each in fields)

    def _fields(self, hint: ast.expr) -> list[tuple[str, ast.expr]] | None:
        """The fields of a NamedTuple: a class of this file, or one written into the annotation."""
        if (
            isinstance(hint, ast.Call)
            and self._called(hint.func) == "typing.NamedTuple"
            and len(hint.args) == 2
        ):
            pairs = [each.elts for each in getattr(hint.args[1], "elts", []) if isinstance(each, ast.Tuple)]
            return [(str(name.value), kind) for name, kind in pairs if isinstance(name, ast.Constant)]
        for each in self._tree.body:
            if isinstance(each, ast.ClassDef) and isinstance(hint, ast.Name) and each.name == hint.id:
                if [self._called(base) for base in each.bases] != ["typing.NamedTuple"]:
                    return None
                lines = [line for line in each.body if isinstance(line, ast.AnnAssign)]
                return [
                    (line.target.id, line.annotation) for line in lines if isinstance(line.target, ast.Name)
                ]
        return None

    def _returned(self, name: str, hint: ast.expr) -> Parameter:
        kind, optional = self._kind(hint)
        if not kind or optional:
            wanted = f"{', '.join(TYPES)} or a NamedTuple of this file"
            self._fail(f"return value {name} has the type {ast.unparse(hint)}; {wanted}", hint)
        return Parameter(name, kind)

    def _checked(self, make: Callable[[], _T], node: ast.AST) -> _T:
        try:
            return make()
        except ContractError as error:
            self._fail(str(error), node)

    def _fail(self, what: str, node: ast.AST | None) -> NoReturn:
        raise PipelineError(f"task {self.name}: {what}", where=f"{self.path}:{getattr(node, 'lineno', 1)}")


def _imports(tree: ast.Module) -> list[tuple[str, str]]:
    """(name here, full name) of every import; submodules of tagline_task are the package itself."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(each.asname or each.name, each.name) for each in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            module = _PACKAGE if node.module.startswith(_PACKAGE + ".") else node.module
            found += [(each.asname or each.name, f"{module}.{each.name}") for each in node.names]
    return found


def _assignments(tree: ast.Module) -> list[tuple[str, ast.expr]]:
    found = []
    for node in tree.body:
        if isinstance(node, ast.Assign):
            found += [(each.id, node.value) for each in node.targets if isinstance(each, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
            found.append((node.target.id, node.value))
    return found
