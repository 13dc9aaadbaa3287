"""What a task takes and gives, read from its function: binding, help and compiling share this description."""

import inspect
import os
import types
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tagline_task.artifacts import ARTIFACTS, INPUT, OUTPUT, Artifact
from tagline_task.errors import ContractError
from tagline_task.values import TYPES, fit, shown

RESERVED = ("executor_input", "help", "Output")  # the last is kfp's own
SINGLE = "output"  # the output parameter of a function that returns one value
HINT = "write int, float, str, bool, list, dict, Input[...] or Output[...]"


@dataclass(frozen=True)
class Parameter:
    """A value: its type's name, its default where it has one; `optional` says that None is a value too."""

    name: str
    kind: str
    required: bool = True
    default: Any = None
    optional: bool = False


@dataclass(frozen=True)
class Slot:
    """An artifact: the name of its type, and whether the task writes it."""

    name: str
    kind: str
    output: bool = False


@dataclass(frozen=True)
class Signature:
    """A task: arguments in their order, and the output parameters that its return value carries."""

    task: str
    arguments: tuple[Parameter | Slot, ...] = ()
    returns: tuple[Parameter, ...] = ()

    @property
    def parameters(self) -> list[Parameter]:
        return [each for each in self.arguments if isinstance(each, Parameter)]

    def slots(self, *, output: bool) -> list[Slot]:
        """The input artifacts, or the output artifacts."""
        return [each for each in self.arguments if isinstance(each, Slot) and each.output == output]

    def checked(self) -> "Signature":
        """Itself; raises `ContractError` where names clash or are taken."""
        names = [each.name for each in (*self.arguments, *self.returns)]
        for name in names:
            if name in RESERVED:
                raise ContractError(f"argument {name} has a name that tagline_task uses itself; rename it")
            if names.count(name) > 1:
                raise ContractError(f"output {name} has the name of another argument; rename it")
        return self


def parameter(name: str, kind: str, optional: bool, default: object = inspect.Parameter.empty) -> Parameter:
    """A parameter with its default checked: a task whose default has another type is wrong before it runs."""
    if default is inspect.Parameter.empty:
        return Parameter(name, kind, optional=optional)
    if default is None:
        if not optional:
            raise ContractError(f"argument {name} wants {kind}, its default is None; write {kind} | None")
        return Parameter(name, kind, required=False, optional=True)
    return Parameter(name, kind, False, fit(kind, default, f"argument {name} (its default)"), optional)


def read(function: Callable[..., Any]) -> Signature:
    """The signature of a task's function. Raises `ContractError`: one sentence naming argument and type."""
    code = inspect.unwrap(function)
    name = getattr(code, "__name__", "")
    if not inspect.isfunction(code):
        raise ContractError(f"run() wants a function, got {shown(function)}")
    try:
        hints = typing.get_type_hints(code, include_extras=True)
    except NameError as error:
        raise ContractError(f"a type in the signature of {name} is not imported: {error}") from None
    arguments = tuple(
        _argument(each, hints.get(each.name)) for each in inspect.signature(code).parameters.values()
    )
    return Signature(name, arguments, _returns(hints.get("return"))).checked()


def place(function: Callable[..., Any]) -> str:
    """`file:line` of a task's function, for messages."""
    code = inspect.unwrap(function).__code__
    return f"{os.path.relpath(code.co_filename)}:{code.co_firstlineno}"


def _argument(given: inspect.Parameter, hint: Any) -> Parameter | Slot:
    if given.kind not in (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY):
        raise ContractError(
            f"argument {given.name} is variadic or positional-only: a task names each argument"
        )
    if hint is None:
        raise ContractError(f"argument {given.name} has no type; {HINT}")
    if typing.get_origin(hint) is typing.Annotated:
        return _slot(given, hint)
    kind, optional = _kind(hint)
    if not kind:
        raise ContractError(f"argument {given.name} has the type {_spelled(hint)}; {HINT}")
    return parameter(given.name, kind, optional, given.default)


def _slot(given: inspect.Parameter, hint: Any) -> Slot:
    kind, *marks = typing.get_args(hint)
    if kind not in ARTIFACTS.values() or marks not in ([INPUT], [OUTPUT]):
        known = ", ".join(ARTIFACTS)
        raise ContractError(
            f"argument {given.name} has the type {_spelled(hint)}; Input and Output hold {known}"
        )
    if given.default is not inspect.Parameter.empty:
        raise ContractError(f"argument {given.name} is an artifact and takes no default")
    return Slot(given.name, kind.__name__, marks == [OUTPUT])


def _kind(hint: Any) -> tuple[str, bool]:
    """The name of a parameter's type and whether None is allowed; ("", False) where it is none of the six."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        rest = [each for each in typing.get_args(hint) if each is not type(None)]
        return (
            (_kind(rest[0])[0], True) if len(rest) == 1 and len(typing.get_args(hint)) == 2 else ("", False)
        )
    plain = typing.get_origin(hint) or hint
    name = getattr(plain, "__name__", "")
    return (name, False) if TYPES.get(name) is plain else ("", False)


def _returns(hint: Any) -> tuple[Parameter, ...]:
    if hint is None or hint is type(None):
        return ()
    if isinstance(hint, type) and issubclass(hint, tuple) and hasattr(hint, "_fields"):
        fields = typing.get_type_hints(hint)
        return tuple(_returned(name, fields.get(name)) for name in hint._fields)
    return (_returned(SINGLE, hint),)


def _returned(name: str, hint: Any) -> Parameter:
    kind, optional = _kind(hint)
    if not kind or optional:
        raise ContractError(
            f"return value {name} has the type {_spelled(hint)}; {', '.join(TYPES)} or a NamedTuple"
        )
    return Parameter(name, kind)


def _spelled(hint: Any) -> str:
    if typing.get_origin(hint) is typing.Annotated:
        return f"Input or Output of {_spelled(typing.get_args(hint)[0])}"
    return getattr(hint, "__name__", "") or str(hint)


__all__ = ["Artifact", "Parameter", "Signature", "Slot", "parameter", "place", "read"]
