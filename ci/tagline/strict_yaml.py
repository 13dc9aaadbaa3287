"""YAML read strictly: every mistake is a `ConfigError` with file, line, column and the nearest right word."""

import math
import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, NoReturn

import msgspec
import yaml
from msgspec import inspect

from tagline.errors import ConfigError, NotYetSupported

Path = tuple[str | int, ...]
_TAG = "tag:yaml.org,2002:"
_REASON = re.compile(r"(?P<reason>.*?)(?: - at `(?P<path>\$[^`]*)`)?", re.DOTALL)
_STEP = re.compile(r"\.(?P<key>[^.\[\]]+)|\[(?P<index>[0-9]+)\]|\[\.\.\.\]")
_TYPES = re.compile(r"Expected `([^`]+)`, got `(\w+)`")
_MISSING = re.compile(r"Object missing required field `([^`]+)`")
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]*)?([eE][-+][0-9]+)?|[-+]?\.[0-9]+([eE][-+][0-9]+)?")
_SAID = {"str": "text", "int": "a whole number", "float": "a number", "bool": "true or false"}
_SAID |= {"array": "a list", "object": "a mapping", "null": "empty"}
_PATTERNS = {
    "^[0-9a-f]{64}$": "must be 64 lower-case hex digits, as sha256sum prints them",
    "^([0-9]+([.][0-9]+){1,3}((a|b|rc)[0-9]+)?)?$": "must be one exact version, such as 1.2.0",
    "^(sklearn|xgboost|custom:[^ ]+)$": "must be sklearn, xgboost or custom:src/serve.py",
}


class Mark(msgspec.Struct, frozen=True):
    """Where a value and its key stand (line, column, from 1), and the plain (unquoted) word written there."""

    at: tuple[int, int]
    key_at: tuple[int, int]
    value: Any = None
    word: str = ""


Marks = Mapping[Path, Mark]


class _Loader(yaml.SafeLoader):
    """Refuses aliases: a value stands where it is used."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # the stubs leave it out
            raise yaml.MarkedYAMLError(
                problem="aliases are not read here: write the value out", problem_mark=mark
            )
        return super().compose_node(parent, index)


def load(text: str, where: str) -> tuple[Any, dict[Path, Mark]]:
    """Read one YAML document as plain data, and the mark of each value by its path; empty text gives `{}`.

    Raises `ConfigError` for broken YAML, a key given twice, aliases and foreign tags, and for words that YAML
    reads otherwise than a person does: `no`, `010`, `1:30`, a bare date.
    """
    marks: dict[Path, Mark] = {}
    try:
        node = yaml.compose(text, Loader=_Loader)
        data = {} if node is None else _Reader(where, marks).value(node, (), (1, 1))
    except yaml.MarkedYAMLError as error:
        at = error.problem_mark or error.context_mark
        place = f"{where}:{at.line + 1}:{at.column + 1}" if at else where
        raise ConfigError(f"broken YAML: {error.problem or error.context}", where=place) from error
    except RecursionError as error:
        raise ConfigError("broken YAML: nested too deep", where=where) from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise ConfigError(f"broken YAML: {str(error).splitlines()[0]}", where=where) from error
    marks.setdefault((), Mark((1, 1), (1, 1), data))
    return ({} if data is None else data), marks


class _Reader:
    """Turns nodes into plain data, remembering where each stands."""

    def __init__(self, where: str, marks: dict[Path, Mark]) -> None:
        self.where, self.marks = where, marks

    def value(self, node: yaml.Node, path: Path, key_at: tuple[int, int]) -> Any:
        match node:
            case yaml.MappingNode() if node.tag == f"{_TAG}map":
                data: Any = self.mapping(node, path)
            case yaml.SequenceNode() if node.tag == f"{_TAG}seq":
                data = [self.value(item, (*path, i), _at(item)) for i, item in enumerate(node.value)]
            case yaml.ScalarNode():
                data = self.scalar(node)
            case _:
                self.fail(node, f"the YAML tag {node.tag!r} is not read here", "write a plain value")
        word = node.value if isinstance(node, yaml.ScalarNode) and node.style is None else ""
        self.marks[path] = Mark(_at(node), key_at, data, word)
        return data

    def mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self.scalar(key_node) if isinstance(key_node, yaml.ScalarNode) else None
            if not isinstance(key, str):
                word = key_node.value if isinstance(key_node, yaml.ScalarNode) else "this key"
                self.fail(key_node, f"{word} is not a name", "keys are text; put it in quotes")
            if key in data:
                line, column = self.marks[(*path, key)].key_at
                self.fail(
                    key_node, f"{key!r} is given twice, first in line {line}, column {column}", "keep one"
                )
            data[key] = self.value(value_node, (*path, key), _at(key_node))
        return data

    def scalar(self, node: yaml.ScalarNode) -> str | int | float | bool | None:
        word = node.value
        match node.tag.removeprefix(_TAG):
            case "str":
                return str(word)
            case "null":
                return None
            case "bool" if word.lower() in ("true", "false"):
                return bool(word.lower() == "true")
            case "int" if _DECIMAL.fullmatch(word) and "." not in word and len(word) <= 20:
                return int(word)
            case "float" if _DECIMAL.fullmatch(word) and math.isfinite(float(word)):
                return float(word)
            case "bool" | "int" | "float" | "timestamp" as kind:
                read = {"bool": "true or false", "timestamp": "a date"}.get(
                    kind, "a number in a form that misleads"
                )
                self.fail(node, f"YAML reads {word} as {read}", f'write "{word}" in quotes, or what is meant')
            case _:
                self.fail(node, f"the YAML tag {node.tag!r} is not read here", "write a plain value")

    def fail(self, node: yaml.Node, what: str, fix: str) -> NoReturn:
        line, column = _at(node)
        raise ConfigError(what, where=f"{self.where}:{line}:{column}", fix=fix)


def _at(node: yaml.Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def check_keys(data: Any, shape: type, marks: Marks, where: str, later: Mapping[str, str]) -> None:
    """Raise for the first key that `shape` does not know at that depth, or the first word that is no choice.

    `ConfigError` names the nearest known one; `NotYetSupported` is for a key of `later` (key → what it is).
    """
    _check(data, inspect.type_info(shape), (), _Judge(marks, where, later))


class _Judge(msgspec.Struct, frozen=True):
    marks: Marks
    where: str
    later: Mapping[str, str]

    def unknown_key(self, path: Path, known: list[str]) -> NoReturn:
        key = str(path[-1])
        line, column = self.marks[path].key_at
        place = f"{self.where}:{line}:{column}"
        if key in self.later:
            what = f"{_dotted(path)}: {self.later[key]} come with a later version of tagline"
            raise NotYetSupported(what, where=place, fix=f"take {key!r} out")
        raise ConfigError(f"unknown key {_dotted(path)!r}", where=place, fix=_nearest(key, known))

    def no_choice(self, path: Path, choices: list[str]) -> NoReturn:
        mark = self.marks[path]
        line, column = mark.at
        what = f"{_dotted(path)}: {mark.value!r} is not one of {', '.join(choices)}"
        raise ConfigError(what, where=f"{self.where}:{line}:{column}", fix=_nearest(mark.value, choices))


def _check(data: Any, shape: inspect.Type, path: Path, judge: _Judge) -> None:
    match shape:
        case inspect.Metadata(type=inner):
            _check(data, inner, path, judge)
        case inspect.UnionType(types=types):
            for each in types:
                _check(data, each, path, judge)
        case inspect.StructType(fields=fields) if isinstance(data, dict):
            known = {field.encode_name: field.type for field in fields}
            for key in data:
                if key not in known:
                    judge.unknown_key((*path, key), list(known))
                _check(data[key], known[key], (*path, key), judge)
        case inspect.DictType(value_type=inner) if isinstance(data, dict):
            for key in data:
                _check(data[key], inner, (*path, key), judge)
        case inspect.ListType(item_type=inner) if isinstance(data, list):
            for i, item in enumerate(data):
                _check(item, inner, (*path, i), judge)
        case inspect.EnumType(cls=cls) if isinstance(data, str) and data not in (
            choices := [e.value for e in cls]
        ):
            judge.no_choice(path, choices)


def _nearest(word: str, known: list[str]) -> str:
    near = get_close_matches(word, known, n=1, cutoff=0)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"{hint}known: {', '.join(sorted(known))}"


def _dotted(path: Path) -> str:
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return "".join(steps).removeprefix(".") or "the file"


_TIMES = re.compile(r"(time|timeout|duration)$")  # names of keys that hold a duration


def translate(error: msgspec.ValidationError, marks: Marks, where: str) -> ConfigError:
    """The validation error in a person's words, at the line and column of the value that is wrong."""
    match = _REASON.fullmatch(str(error))
    reason, steps = (match["reason"], match["path"] or "$") if match else (str(error), "$")
    path = _find(steps, reason, marks)
    mark = marks.get(path, marks[()])
    line, column = mark.at
    said, fix = _say(reason, mark)
    if fix and mark.word.isdigit() and path and _TIMES.search(str(path[-1])):
        fix = f"write it with its unit: {mark.word}s"
    return ConfigError(f"{_dotted(path)} {said}", where=f"{where}:{line}:{column}", fix=fix)


def place(marks: Marks, path: Path, where: str) -> str:
    """Where a value stands, as file:line:column: the file alone for one that is not written there."""
    mark = marks.get(path)
    return f"{where}:{mark.at[0]}:{mark.at[1]}" if mark and path else where


def _say(reason: str, mark: Mark) -> tuple[str, str]:
    if missing := _MISSING.fullmatch(reason):
        return f"lacks the key {missing[1]!r}", f"add {missing[1]}: …"
    for pattern, said in _PATTERNS.items():
        if pattern in reason:
            return said, ""
    if not (types := _TYPES.match(reason)):
        return f"is {mark.value!r}: {reason[:1].lower()}{reason[1:]}".replace("`", ""), ""
    wanted = " or ".join(_SAID.get(name.strip(), name.strip()) for name in types[1].split("|"))
    got = _SAID.get(types[2], types[2])
    if "text" in wanted and mark.word:
        return f"must be {wanted}: YAML reads {mark.word} as {got}", f'put it in quotes: "{mark.word}"'
    return f"must be {wanted}, and is {got}", ""


def _find(steps: str, reason: str, marks: Marks) -> Path:
    """The marked path that `$.a[0].b` means; where `[...]` hides a key, the one with the wrong type."""
    wanted = [m["key"] or (int(m["index"]) if m["index"] else None) for m in _STEP.finditer(steps)]
    fits = [
        path
        for path in marks
        if len(path) == len(wanted) and all(w is None or w == p for w, p in zip(wanted, path, strict=True))
    ]
    if len(fits) > 1 and (types := _TYPES.match(reason)):
        fits = [path for path in fits if _json_type(marks[path].value) == types[2]]
    if len(fits) == 1 or not wanted:
        return fits[0] if fits else ()
    return _find(steps[: list(_STEP.finditer(steps))[-1].start()], "", marks)


def _json_type(value: Any) -> str:
    return {"dict": "object", "list": "array", "NoneType": "null"}.get(name := type(value).__name__, name)
