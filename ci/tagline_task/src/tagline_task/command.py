"""One run by hand: a task as a command, `python task.py --data wine.csv --test-size 0.3`.

Each argument is an option, with dashes or underscores; inputs are paths, outputs default to `out/<name>`.
"""

import argparse
import difflib
import json
import os
from collections.abc import Sequence
from typing import Any, NoReturn

from tagline_task.artifacts import ARTIFACTS, Artifact, Metrics
from tagline_task.errors import ContractError
from tagline_task.executor import (
    Bound,
    check_written,
    give,
    plain_metadata,
    returned_values,
    warn_of_mapped,
    write_metrics,
)
from tagline_task.signature import Parameter, Signature, Slot
from tagline_task.values import parse, shown

OUT = "out"


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ContractError(f"{message}; see --help")


def bind(signature: Signature, argv: Sequence[str], help_text: str) -> Bound:
    """Arguments and outputs from a command line. Raises `ContractError`, or SystemExit for --help."""
    given, strangers = _parser(signature, help_text).parse_known_args(list(argv))
    if strangers:
        raise ContractError(_stranger(signature, strangers[0]))
    texts: dict[str, str | None] = vars(given)
    arguments: dict[str, Any] = {}
    for each in signature.arguments:
        text = texts[each.name]
        arguments[each.name] = _value(each, text) if isinstance(each, Parameter) else _artifact(each, text)
    outputs = [give(slot.name, arguments[slot.name]) for slot in signature.slots(output=True)]
    return Bound(arguments, outputs)


def finish(signature: Signature, bound: Bound, returned: object) -> str:
    """Check that everything declared was given; the summary for who ran it. Raises `OutputError`."""
    check_written(bound.outputs)
    warn_of_mapped(bound.outputs)
    lines = [f"{name} = {json.dumps(value)}" for name, value in returned_values(signature, returned).items()]
    for given in bound.outputs:
        write_metrics(given)
        logged = json.dumps(plain_metadata(given)) if given.artifact.metadata else ""
        lines.append(f"{given.name}: {given.artifact.path} {logged}".rstrip())
    return "\n".join(lines)


def option(name: str) -> str:
    """An argument's name on the command line."""
    return "--" + name.replace("_", "-")


def _parser(signature: Signature, help_text: str) -> _Parser:
    parser = _Parser(
        description=help_text, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for each in signature.arguments:
        names = dict.fromkeys([option(each.name), f"--{each.name}"])
        constant: dict[str, Any] = {"nargs": "?", "const": "true"} if each.kind == "bool" else {}
        parser.add_argument(
            *names, dest=each.name, metavar=each.kind.upper(), help=_help(each).replace("%", "%%"), **constant
        )
    return parser


def _help(each: Parameter | Slot) -> str:
    match each:
        case Slot(output=True):
            return f"where to write it (default {OUT}/{each.name})"
        case Slot():
            return "a file or folder to read (required)"
        case Parameter(required=True):
            return "required"
        case Parameter():
            return f"default {json.dumps(each.default)}"


def _value(wanted: Parameter, text: str | None) -> Any:
    if text is not None:
        return parse(wanted.kind, text, f"argument {option(wanted.name)}")
    if wanted.required and not wanted.optional:
        raise ContractError(f"argument {option(wanted.name)} is missing: wants {wanted.kind}, got nothing")
    return wanted.default


def _artifact(slot: Slot, text: str | None) -> Artifact:
    kind = ARTIFACTS[slot.kind]
    if slot.output:
        return kind(os.path.abspath(text or os.path.join(OUT, slot.name)), name=slot.name)
    wanted = f"wants {slot.kind}, a file or folder"
    if text is None:
        raise ContractError(f"argument {option(slot.name)} is missing: {wanted}, got nothing")
    if not os.path.exists(text):
        raise ContractError(f"argument {option(slot.name)} {wanted}, got {shown(text)}, which does not exist")
    artifact = kind(os.path.abspath(text), name=slot.name)
    if isinstance(artifact, Metrics) and os.path.isfile(text):
        artifact.metadata.update(_logged(text, option(slot.name)))
    return artifact


def _logged(path: str, name: str) -> dict[str, Any]:
    try:
        with open(path, encoding="utf-8") as stream:
            data = json.load(stream)
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise ContractError(
            f"argument {name} wants Metrics, a JSON object of numbers by name, got {shown(path)}"
        )
    return data


def _stranger(signature: Signature, word: str) -> str:
    options = [option(each.name) for each in signature.arguments]
    near = difflib.get_close_matches(word.partition("=")[0], options, n=1)
    hint = f"did you mean {near[0]}?" if near else f"it takes {', '.join(options) or 'none'}"
    return f"unknown argument {shown(word)}: {hint}"
