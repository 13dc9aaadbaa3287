"""`run`: the one call at the end of a task's file, under Kubeflow and by hand."""

import inspect
import os
import sys
from collections.abc import Callable, Sequence
from typing import Any

from tagline_task import command, devices, executor
from tagline_task.errors import ContractError, OutputError, TaskError
from tagline_task.files import write_text
from tagline_task.signature import Signature, place, read

FLAG = "--executor_input"
TERMINATION_LOG = "TAGLINE_TERMINATION_LOG"


def run(function: Callable[..., Any], argv: Sequence[str] | None = None) -> None:
    """Run a task from a command line (`sys.argv[1:]` by default).

    With `--executor_input JSON` it is a container of Kubeflow Pipelines, otherwise a command with an option
    for each argument. What does not fit ends in one sentence and exit code 2 (arguments) or 4 (outputs); an
    exception of `function` itself passes through with its traceback. Secrets come from the environment,
    never from here. Where TAGLINE_TERMINATION_LOG names a file, the error's class and sentence are written
    there, so that who started the task can tell its contract from the task's own exit codes. Where TAGLINE_GPUS
    promises GPUs, the task says which it sees, and does not begin without any.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        _run(function, words)
    except TaskError as error:
        print(f"error: task {getattr(function, '__name__', '?')}: {error}", file=sys.stderr)
        _leave_message(error)
        raise SystemExit(error.exit_code) from None


def _leave_message(error: TaskError) -> None:
    place = os.environ.get(TERMINATION_LOG)
    if place:
        write_text(place, f"{type(error).__name__}: {error}\n")


def _run(function: Callable[..., Any], words: list[str]) -> None:
    signature = _signature(function)
    if seen := devices.proof(os.environ):
        print(seen, file=sys.stderr)
    text = _executor_input(words)
    if text is not None:
        bound = executor.bind(signature, text)
        executor.finish(signature, bound, _call(function, bound.arguments))
        return
    bound = command.bind(signature, words, inspect.getdoc(function) or "")
    summary = command.finish(signature, bound, _call(function, bound.arguments))
    if summary:
        print(summary)


def _signature(function: Callable[..., Any]) -> Signature:
    try:
        return read(function)
    except ContractError as error:
        if not inspect.isfunction(inspect.unwrap(function)):
            raise
        raise ContractError(f"{error} ({place(function)})") from None


def _executor_input(words: list[str]) -> str | None:
    """The JSON after the flag, or None where the command line has no such flag."""
    for index, word in enumerate(words):
        if word.startswith(FLAG + "="):
            return word[len(FLAG) + 1 :]
        if word == FLAG:
            if index + 1 == len(words):
                raise ContractError(f"{FLAG} is missing its value: wants JSON, got nothing")
            return words[index + 1]
    return None


def _call(function: Callable[..., Any], arguments: dict[str, Any]) -> object:
    try:
        return function(**arguments)
    except SystemExit as error:
        if error.code:
            raise
        raise OutputError("left by sys.exit(0) before its outputs were handed over; return instead") from None
