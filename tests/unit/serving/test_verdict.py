"""What makes an answer bad."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tagline.platforms.local.serving.verdict import Answer, Kind, asked, judge, prediction

NO_NUMBERS = ["NaN", "nan", "Infinity", "-Infinity", "inf", "-inf"]
FINITE = st.floats(allow_nan=False, allow_infinity=False)
NESTED = st.recursive(
    FINITE | st.integers(-(2**60), 2**60) | st.text().filter(lambda text: text not in NO_NUMBERS),
    st.lists,
    max_leaves=20,
)


def answer(status: int = 200, body: bytes = b'{"predictions": [1]}', seconds: float = 0.1) -> Answer:
    return Answer(status, body, [("Content-Type", "application/json")], seconds)


@given(st.lists(NESTED, min_size=1))
def test_any_finite_prediction_is_good(values: list[object]) -> None:
    assert prediction(json.dumps({"predictions": values}).encode(), {}) is None
    assert prediction(json.dumps({"outputs": [{"name": "y", "data": values}]}).encode(), {}) is None


@given(
    st.lists(FINITE), st.sampled_from([float("nan"), float("inf"), float("-inf"), None]), st.integers(0, 3)
)
def test_one_number_that_is_not_finite_makes_a_prediction_bad_at_any_depth(
    values: list[float], bad: float | None, depth: int
) -> None:
    value: object = [*values, bad]
    for _ in range(depth):
        value = [value]
    assert prediction(json.dumps({"predictions": [value]}).encode(), {}) is Kind.NON_FINITE


@given(st.binary())
def test_any_bytes_get_a_verdict(body: bytes) -> None:
    assert prediction(body, {}) in (None, Kind.UNPARSABLE, Kind.NON_FINITE)


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"error": "no model"}',
        b'{"predictions": []}',
        b'{"predictions": null}',
        b'{"predictions": 1}',
        b'{"outputs": []}',
        b'{"outputs": [1]}',
        b'{"outputs": [{"name": "y"}]}',
        b'{"outputs": [{"name": "y", "data": []}]}',
        b"[1]",
    ],
)
def test_an_answer_without_any_prediction_is_bad(body: bytes) -> None:
    assert judge(answer(body=body), 0) is Kind.UNPARSABLE


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_the_name_of_what_is_no_finite_number_is_bad(text: str) -> None:
    assert prediction(json.dumps({"predictions": [1.0, text]}).encode(), {}) is Kind.NON_FINITE
    assert prediction(json.dumps({"predictions": [{"score": text}]}).encode(), {}) is Kind.NON_FINITE
    assert (
        prediction(json.dumps({"outputs": [{"name": "y", "data": [text]}]}).encode(), {}) is Kind.NON_FINITE
    )
    assert prediction(json.dumps({"predictions": [f"{text} or so"]}).encode(), {}) is None


def test_as_many_predictions_are_wanted_as_instances_were_sent_where_that_is_known() -> None:
    two = answer(body=b'{"predictions": [1, 2]}')
    assert judge(two, 0, 2) is None
    assert judge(two, 0, None) is None
    assert judge(two, 0, 3) is Kind.UNPARSABLE
    assert judge(answer(body=b'{"predictions": []}'), 0, 0) is None


def test_instances_are_counted_in_short_plain_json_only() -> None:
    assert asked(b'{"instances": [[1, 2], {"a": 3}]}') == 2
    assert asked(json.dumps({"instances": [[1.0] * 10] * 5000}).encode()) is None
    assert [asked(body) for body in (None, b"", b"{}", b"\x1f\x8b", b'{"instances": 1}')] == [None] * 5


def test_a_number_past_what_a_float_holds_is_bad() -> None:
    assert prediction(b'{"predictions": [1e999]}', {}) is Kind.NON_FINITE


def test_an_empty_field_of_a_prediction_is_a_missing_number() -> None:
    assert prediction(b'{"predictions": [{"class": "a", "score": null}]}', {}) is Kind.NON_FINITE


def test_an_empty_field_beside_a_tensor_is_not_a_missing_number() -> None:
    assert (
        prediction(b'{"id": null, "outputs": [{"name": "y", "parameters": null, "data": [1]}]}', {}) is None
    )


def test_of_a_binary_v2_answer_only_the_json_head_is_read() -> None:
    head = json.dumps({"outputs": [{"name": "y", "parameters": {"binary_data_size": 4}}]}).encode()
    assert prediction(head + b"\x00\x01\x02\x03", {"Inference-Header-Content-Length": str(len(head))}) is None


def test_a_prediction_too_long_to_parse_is_still_searched() -> None:
    long = b'{"predictions": [' + b"1.0," * 1_100_000 + b"%s]}"
    assert prediction(long % b"1", {}) is None
    assert prediction(long % b"NaN", {}) is Kind.NON_FINITE


@given(st.integers(100, 599))
def test_the_status_alone_decides_where_it_is_an_error(status: int) -> None:
    kind = judge(answer(status), 0)
    if status in (401, 403, 429) or 200 <= status < 300:
        assert kind is None
    elif status >= 400:
        assert kind == f"{status // 100}xx"
    else:
        assert kind is Kind.UNPARSABLE


def test_an_answer_is_slow_past_its_bound_and_never_without_one() -> None:
    assert judge(answer(seconds=0.3), 0.2) is Kind.SLOW
    assert judge(answer(seconds=0.1), 0.2) is None
    assert judge(answer(seconds=100), 0) is None
