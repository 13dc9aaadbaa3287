"""Conditions of compiled branches: the part of CEL that kfp writes, read once and judged without a cluster."""

import re
from collections.abc import Callable, Mapping
from operator import eq, ge, gt, le, lt, ne
from typing import Any

import msgspec

from tagline.errors import PipelineError

_TOKEN = re.compile(
    r"\s*(?:(?P<input>inputs\.parameter_values\['(?P<name>[^'\\]*)'\])"
    r"|(?P<number>-?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)"
    r"|'(?P<text>[^'\\\n]*)'"
    r"|(?P<word>true|false|null|int|double)\b"
    r"|(?P<sign>&&|\|\||[=!<>]=|[<>!()]))"
)
_ORDER: dict[str, Callable[[Any, Any], bool]] = {"<": lt, "<=": le, ">": gt, ">=": ge}
_SAME: dict[str, Callable[[Any, Any], bool]] = {"==": eq, "!=": ne}
_WORDS = {"true": True, "false": False, "null": None}


class Literal(msgspec.Struct, frozen=True, tag=True):
    """A value that stands in the condition."""

    value: str | int | float | bool | None


class Input(msgspec.Struct, frozen=True, tag=True):
    """An input parameter of the task that has the condition."""

    name: str


class Cast(msgspec.Struct, frozen=True, tag=True):
    """`int(x)` or `double(x)`."""

    kind: str
    inner: "Expression"


class Not(msgspec.Struct, frozen=True, tag=True):
    """The opposite of a condition."""

    inner: "Expression"


class Pair(msgspec.Struct, frozen=True, tag=True):
    """A comparison of two values, or `&&`, or `||`."""

    sign: str
    left: "Expression"
    right: "Expression"


Expression = Literal | Input | Cast | Not | Pair


def read_condition(text: str) -> Expression:
    """Read a condition; raises `PipelineError` where it is none that kfp writes and the backend reads.

    kfp 2.17 writes a text with a quote in it unescaped, which no backend can read either.
    """
    tokens = _Tokens(text)
    found = _either(tokens)
    if tokens.left:
        raise tokens.broken()
    return found


def holds(condition: Expression, given: Mapping[str, Any]) -> bool:
    """Whether a condition is true of the input parameters; raises `PipelineError` where it is no yes or no."""
    found = _value(condition, given)
    if not isinstance(found, bool):
        raise PipelineError(f"a condition is {found!r}, neither true nor false")
    return found


class _Tokens:
    """The tokens of a condition, taken from the left."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.left: list[tuple[str, str]] = []
        place = 0
        while place < len(text.rstrip()):
            match = _TOKEN.match(text, place)
            if not match:
                raise self.broken()
            kind = next(
                name for name in ("input", "number", "text", "word", "sign") if match[name] is not None
            )
            self.left.append((kind, match["name"] if kind == "input" else match[kind]))
            place = match.end()

    def broken(self) -> PipelineError:
        return PipelineError(
            f"the condition {self._text!r} cannot be read",
            fix="compare a parameter with a number, true, false, or a text without quotes and backslashes",
        )

    def take(self, *signs: str) -> str:
        """The next sign, taken, where it is one of these; "" where it is not."""
        if self.left and self.left[0][0] == "sign" and self.left[0][1] in signs:
            return self.left.pop(0)[1]
        return ""

    def demand(self, sign: str) -> None:
        if not self.take(sign):
            raise self.broken()

    def next(self) -> tuple[str, str]:
        if not self.left:
            raise self.broken()
        return self.left.pop(0)


def _either(tokens: _Tokens) -> Expression:
    found = _both(tokens)
    while tokens.take("||"):
        found = Pair("||", found, _both(tokens))
    return found


def _both(tokens: _Tokens) -> Expression:
    found = _compared(tokens)
    while tokens.take("&&"):
        found = Pair("&&", found, _compared(tokens))
    return found


def _compared(tokens: _Tokens) -> Expression:
    left = _one(tokens)
    sign = tokens.take(*_ORDER, *_SAME)
    return Pair(sign, left, _one(tokens)) if sign else left


def _one(tokens: _Tokens) -> Expression:
    if tokens.take("!"):
        return Not(_one(tokens))
    if tokens.take("("):
        return _closed(tokens)
    kind, text = tokens.next()
    match kind:
        case "input":
            return Input(text)
        case "text":
            return Literal(text)
        case "number":
            return Literal(int(text) if re.fullmatch("-?[0-9]+", text) else float(text))
        case "word" if text in _WORDS:
            return Literal(_WORDS[text])
        case "word":
            tokens.demand("(")
            return Cast(text, _closed(tokens))
    raise tokens.broken()


def _closed(tokens: _Tokens) -> Expression:
    found = _either(tokens)
    tokens.demand(")")
    return found


def _value(one: Expression, given: Mapping[str, Any]) -> Any:
    match one:
        case Literal(value):
            return value
        case Input(name):
            if name not in given:
                raise PipelineError(f"a condition reads {name!r}, which has no value")
            return given[name]
        case Cast(kind, inner):
            return _cast(kind, _value(inner, given))
        case Not(inner):
            return not holds(inner, given)
        case Pair("&&", left, right):
            return holds(left, given) and holds(right, given)
        case Pair("||", left, right):
            return holds(left, given) or holds(right, given)
        case Pair(sign, left, right):
            return _compare(sign, _value(left, given), _value(right, given))


def _cast(kind: str, value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise PipelineError(f"a condition takes {value!r} for a number")
    try:
        return int(value) if kind == "int" else float(value)
    except (ValueError, OverflowError) as error:
        raise PipelineError(f"a condition takes {value!r} for a number") from error


def _compare(sign: str, left: Any, right: Any) -> bool:
    """Values of two kinds are never equal, as in CEL, and have no order; numbers are of one kind."""
    alike = _kind(left) is _kind(right)
    if sign in _SAME:
        return _SAME[sign](left, right) if alike else sign == "!="
    if not alike or _kind(left) not in {bool, float, str}:
        raise PipelineError(f"a condition compares {left!r} {sign} {right!r}, which have no order")
    return _ORDER[sign](left, right)


def _kind(value: Any) -> type:
    return float if type(value) in {int, float} else type(value)
