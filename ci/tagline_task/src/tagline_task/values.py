"""The values a parameter may have: the six types, how text becomes one, and what JSON cannot hold."""

import json
import math
import numbers
import re
from typing import Any

from tagline_task.errors import ContractError

TYPES: dict[str, type] = {"int": int, "float": float, "str": str, "bool": bool, "list": list, "dict": dict}
_INTEGER = re.compile(r"[+-]?[0-9]+")
_BOOLEANS = {"true": True, "false": False}
_SHOWN = 80


def shown(value: object) -> str:
    """`value` as an error message prints it, cut at 80 characters."""
    text = repr(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def fit(kind: str, value: object, argument: str) -> Any:
    """`value` as type `kind`; numbers cross between int and float only where nothing is lost.

    Kubeflow carries every number as a double, so 3.0 is a valid int. Raises `ContractError`.
    """
    if kind in ("int", "float") and isinstance(value, numbers.Real) and not isinstance(value, bool):
        if kind == "float":
            return float(value)
        if isinstance(value, numbers.Integral) or float(value).is_integer():
            return int(value) if isinstance(value, numbers.Integral) else int(float(value))
    elif kind not in ("int", "float") and isinstance(value, TYPES[kind]):
        return value
    raise ContractError(f"{argument} wants {kind}, got {shown(value)}")


def parse(kind: str, text: str, argument: str) -> Any:
    """The value that a command line's `text` stands for; list and dict are JSON. Raises `ContractError`."""
    try:
        return fit(kind, _read(kind, text), argument)
    except (ValueError, RecursionError):
        raise ContractError(f"{argument} wants {kind}, got {shown(text)}") from None


def _read(kind: str, text: str) -> object:
    match kind:
        case "str":
            return text
        case "float":
            return float(text)
        case "int":
            return int(text) if _INTEGER.fullmatch(text) else text
        case "bool":
            return _BOOLEANS.get(text.lower(), text)
        case _:
            return json.loads(text)


def number(value: object, what: str) -> int | float:
    """`value` as a plain number (NumPy's scalars too; bool is none). Raises `ContractError`."""
    if isinstance(value, numbers.Integral) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        return float(value)
    raise ContractError(f"{what} wants a number, got {shown(value)}")


def to_json(value: Any, place: str, mapped: list[str]) -> Any:
    """`value` as strict JSON holds it; what had to be mapped is named in `mapped`.

    NaN and the infinities become the strings "NaN", "Infinity", "-Infinity", which is how protobuf's own JSON
    writes them (https://protobuf.dev/programming-guides/json/): a bare NaN is no JSON, and a null is no value
    that Kubeflow's metadata store takes. NumPy's scalars become numbers. Raises `ContractError` for the rest.
    """
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, numbers.Real):
        plain = number(value, place)
        if math.isfinite(plain):
            return plain
        mapped.append(place)
        return "NaN" if math.isnan(plain) else "Infinity" if plain > 0 else "-Infinity"
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise ContractError(f"{place} has a key that is no string: {shown(value)}")
        return {key: to_json(item, f"{place}.{key}", mapped) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item, f"{place}[{index}]", mapped) for index, item in enumerate(value)]
    raise ContractError(f"{place} cannot be written as JSON: {shown(value)}")
