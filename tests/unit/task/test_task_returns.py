"""Return values as output parameters, by a real process."""

import pytest


def one_sentence(err: str) -> str:
    """The error of a run that ended without a traceback: exactly one line."""
    lines = err.strip().splitlines()
    assert len(lines) == 1, err
    return lines[0]


def test_a_return_value_is_written_as_output_parameter_and_file(task):
    task.write("def task() -> int:\n    return 7")
    task.under_kfp(task.executor_input(returned=["output"]))
    assert task.output() == {"parameterValues": {"output": 7}}
    assert (task.folder / "root/deep/values/output").read_text() == "7"


def test_a_named_tuple_is_one_output_parameter_for_each_field(task):
    body = """
from typing import NamedTuple
class Sizes(NamedTuple):
    rows: int
    name: str
    ok: bool
    parts: list[int]
def task() -> Sizes:
    return Sizes(3, "wine", True, [1, 2])
"""
    task.write(body)
    assert task.under_kfp(task.executor_input(returned=["name", "ok", "parts", "rows"])).code == 0
    assert task.output()["parameterValues"] == {"rows": 3, "name": "wine", "ok": True, "parts": [1, 2]}
    files = {path.name: path.read_text() for path in (task.folder / "root/deep/values").iterdir()}
    assert files == {"rows": "3", "name": "wine", "ok": "true", "parts": "[1, 2]"}


def test_a_single_output_parameter_may_have_any_name_in_the_pipeline(task):
    task.write("def task() -> int:\n    return 7")
    task.under_kfp(task.executor_input(returned=["rows"]))
    assert task.output() == {"parameterValues": {"rows": 7}}


@pytest.mark.parametrize("value", ["'7'", "None", "float('nan')", "2.5"])
def test_a_return_value_of_another_type_is_an_error(task, value):
    task.write(f"def task() -> int:\n    return {value}")
    ended = task.under_kfp(task.executor_input(returned=["output"]))
    assert ended.code == 4
    assert one_sentence(ended.err).startswith("error: task task: return value output wants int, got ")


def test_a_return_value_that_is_not_finite_is_an_error(task):
    task.write("def task() -> float:\n    return float('nan')")
    ended = task.under_kfp(task.executor_input(returned=["output"]))
    assert (ended.code, one_sentence(ended.err)) == (
        4,
        "error: task task: return value output must be finite, got nan",
    )
