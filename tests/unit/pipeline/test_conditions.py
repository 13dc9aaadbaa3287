"""Conditions of branches, against Python's own judgement of the same comparison."""

import operator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kfp.dsl import pipeline_channel
from tagline.errors import PipelineError
from tagline.pipeline.conditions import holds, read_condition

SIGNS = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
TEXT = st.text(st.characters(exclude_characters="'\\\n", exclude_categories=["Cs"]))
NUMBER = st.integers(-(10**9), 10**9) | st.floats(allow_nan=False, allow_infinity=False)
KFP = {int: "Integer", float: "Float", str: "String", bool: "Boolean"}


def by_kfp(left: Any, sign: str, right: Any, negate: bool = False) -> str:
    """The condition that kfp writes for a comparison of a parameter named `x` with a value."""
    from kfp.compiler import pipeline_spec_builder as builder

    channel = pipeline_channel.PipelineParameterChannel(name="x", channel_type=KFP[type(left)])
    operation = pipeline_channel.ConditionOperation(sign, channel, right, negate=negate)
    return builder._binary_operations_to_cel_conjunctive([operation])


def true(text: str, **values: Any) -> bool:
    return holds(read_condition(text), {f"pipelinechannel--{name}": value for name, value in values.items()})


@given(NUMBER, st.sampled_from(sorted(SIGNS)), NUMBER, st.booleans())
def test_numbers_compare_as_in_python(left: float, sign: str, right: float, negate: bool) -> None:
    assert true(by_kfp(left, sign, right, negate), x=left) is (SIGNS[sign](left, right) is not negate)


@given(TEXT, st.sampled_from(sorted(SIGNS)), TEXT)
def test_texts_compare_as_in_python(left: str, sign: str, right: str) -> None:
    assert true(by_kfp(left, sign, right), x=left) is SIGNS[sign](left, right)


@given(st.booleans(), st.sampled_from(["==", "!="]), st.booleans())
def test_truths_compare_as_in_python(left: bool, sign: str, right: bool) -> None:
    assert true(by_kfp(left, sign, right), x=left) is SIGNS[sign](left, right)


@given(st.lists(st.booleans(), min_size=1, max_size=5), st.lists(st.sampled_from(["&&", "||"]), min_size=4))
def test_and_binds_closer_than_or_and_not_closest(truths: list[bool], signs: list[str]) -> None:
    words = [f"!({str(not one).lower()})" for one in truths]
    text, python = words[0], str(truths[0])
    for sign, word, one in zip(signs, words[1:], truths[1:], strict=False):
        text, python = f"{text} {sign} {word}", f"{python} {'and' if sign == '&&' else 'or'} {one}"
    assert true(text) is eval(python)


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    try:
        read_condition(text)
    except PipelineError as error:
        assert "cannot be read" in error.what


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("inputs.parameter_values['pipelinechannel--x'] == '2'", 2, False),
        ("inputs.parameter_values['pipelinechannel--x'] != '2'", 2, True),
        ("inputs.parameter_values['pipelinechannel--x'] == 1", True, False),
        ("int(inputs.parameter_values['pipelinechannel--x']) == 2", 2.0, True),
        ("double(int(inputs.parameter_values['pipelinechannel--x'])) == 1.5", 1, False),
        ("inputs.parameter_values['pipelinechannel--x'] == double(1)", 1.0, True),
    ],
)
def test_values_of_two_kinds_are_never_equal(text: str, value: object, expected: bool) -> None:
    assert true(text, x=value) is expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("inputs.parameter_values['pipelinechannel--x'] == 'it's'", "cannot be read"),
        ("'inputs.parameter_values['pipelinechannel--x']' == 'a'", "cannot be read"),
        (r"inputs.parameter_values['pipelinechannel--x'] == 'a\d'", "cannot be read"),
        ("inputs.parameter_values['pipelinechannel--y'] == 1", "has no value"),
        ("inputs.parameter_values['pipelinechannel--x'] < 1", "have no order"),
        ("int(inputs.parameter_values['pipelinechannel--x']) < 1", "for a number"),
        ("1", "neither true nor false"),
        ("!(1", "cannot be read"),
        ("1 == ", "cannot be read"),
    ],
)
def test_what_has_no_answer_is_an_error_that_says_why(text: str, words: str) -> None:
    with pytest.raises(PipelineError, match=words):
        true(text, x="a")
