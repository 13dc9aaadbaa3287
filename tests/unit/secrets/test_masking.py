"""The mask: no value of 8 characters or more survives, however it is encoded or cut; all else stays."""

import base64
import io
import json
import logging
import pickle
import re
import sys
import time
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tagline_task import masking
from tagline_task.masking import MASK, Cutter, Hidden, MaskedStream, Secret, replace, words

VALUES = st.text(min_size=8, max_size=40).filter(lambda text: len(text.strip()) >= 8)
PLAIN = st.text(alphabet="abc \n", max_size=20)


@settings(deadline=None)
@given(st.text(alphabet="xyz=}", min_size=8), PLAIN, PLAIN)
def test_a_hidden_value_is_masked_and_all_else_stays(value: str, before: str, after: str) -> None:
    assert replace(f"{before}{value}{after}", words([value]), MASK) == f"{before}***{after}"


def test_every_long_line_of_a_hidden_key_is_masked_and_a_short_one_is_not() -> None:
    key = "-----BEGIN KEY-----\nMIIEvgIBAD\n}\n"
    assert replace("got MIIEvgIBAD and {}", words([key]), MASK) == "got *** and {}"


def test_a_value_of_seven_characters_would_mask_ordinary_words_and_is_left() -> None:
    assert words(["1234567", ""]) == []


@settings(deadline=None)
@given(VALUES, st.binary(max_size=5), st.binary(max_size=5))
def test_base64_of_bytes_that_hold_the_value_never_shows_it(value: str, before: bytes, after: bytes) -> None:
    data = value.encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        shown = replace(encode(before + data + after).decode(), words([value]), MASK)
        # 8 characters carry 48 bits: fewer of the value's own survive than would say anything of it
        assert MASK in shown
        assert len(shown) <= len(encode(before + after).decode()) + len(MASK) + 8


@settings(deadline=None)
@given(VALUES)
def test_url_json_and_repr_forms_are_masked(value: str) -> None:
    forms = [quote(value), quote(value, safe=""), quote_plus(value), json.dumps(value), repr(value)]
    forms.append(re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), quote(value)))
    for form in forms:
        shown = replace(form, words([value]), MASK)
        assert MASK in shown, form
        assert value not in shown


@settings(deadline=None)
@given(
    st.lists(st.text(alphabet="ab", min_size=8, max_size=10), min_size=1, max_size=3),
    st.lists(st.text(alphabet="abc", max_size=6), max_size=5),
    st.integers(0, 9),
    st.integers(1, 12),
)
def test_no_value_survives_however_the_text_is_cut(
    hidden: list[str], around: list[str], which: int, size: int
) -> None:
    text = "".join([*around, hidden[which % len(hidden)], *around])
    cutter = Cutter(words(hidden), MASK)
    shown = "".join(cutter.feed(text[at : at + size]) for at in range(0, len(text), size)) + cutter.end()
    assert not any(value in shown for value in hidden)


@settings(deadline=None)
@given(st.text(alphabet="abc", max_size=60), st.integers(1, 7))
def test_a_text_without_the_values_passes_whole(text: str, size: int) -> None:
    cutter = Cutter(words(["SUPERSECRETVALUE", "abcabcXX"]), MASK)
    shown = "".join(cutter.feed(text[at : at + size]) for at in range(0, len(text), size)) + cutter.end()
    assert shown == text


def test_a_long_log_with_a_long_key_is_masked_in_little_time() -> None:
    """A key of 50 lines is 600 words; what is looked for at each cut must not grow with their length."""
    key = "\n".join(base64.b64encode(f"{number:048d}".encode()).decode() for number in range(50))
    part = (b"epoch 1 of 20: loss 0.693, MDAwMDAwMDAw\n" * 1600)[: 1 << 16]
    cutter = Cutter(masking.in_bytes(words([key])), MASK.encode())
    began = time.process_time()
    shown = b"".join(cutter.feed(part) for _ in range(40)) + cutter.end()
    assert shown == part * 40
    assert time.process_time() - began < 10


def test_data_is_cleaned_at_any_depth_and_numbers_stay() -> None:
    hidden = Hidden()
    hidden.add(["s3cret-value"])
    data = {"a": ["x s3cret-value", 1, None, {"s3cret-value": 2.5}]}
    assert hidden.clean_all(data) == {"a": ["x ***", 1, None, {"***": 2.5}]}


def own_streams(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Give this process an stdout of its own for the rest of the test, and return it."""
    out = io.StringIO()
    monkeypatch.setattr(masking, "HIDDEN", Hidden())
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    return out


def test_a_logging_handler_that_took_the_stream_before_is_masked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    out = own_streams(monkeypatch)
    handler = logging.StreamHandler(sys.stdout)
    logger = logging.getLogger("of the test")
    logger.addHandler(handler)
    try:
        masking.install(masking.HIDDEN)
        masking.HIDDEN.add(["s3cret-value"])
        logger.warning("got s3cret-value")
    finally:
        logger.removeHandler(handler)
    handler.flush()
    assert out.getvalue() == "got ***\n"


def test_bytes_below_the_text_are_masked_and_none_is_lost() -> None:
    below = io.BytesIO()
    hidden = Hidden()
    hidden.add(["s3cret-value"])
    stream: MaskedStream[str] = MaskedStream(io.TextIOWrapper(below), hidden, str)
    stream.buffer.write(b"a s3cret-value, and s3cr")
    stream.write("text s3")
    stream.flush()
    assert below.getvalue() == b"a ***, and s3crtext s3"


def test_a_masked_stream_is_put_in_place_once(monkeypatch: pytest.MonkeyPatch) -> None:
    own_streams(monkeypatch)
    masking.install()
    first = sys.stdout
    masking.install()
    assert sys.stdout is first


def test_a_secret_hides_itself_and_is_not_written_anywhere() -> None:
    secret = Secret("s3cret-value")
    assert "s3cret" not in f"{secret} {secret!r} {[secret]}"
    assert secret.open() == "s3cret-value" and not Secret("")
    with pytest.raises(TypeError):
        pickle.dumps(secret)
