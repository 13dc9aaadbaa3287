"""A hidden value is not seen, whichever common encoder wrote it, wherever it lies, however the text is cut."""

import base64
import html
import json
import re
import textwrap
from collections.abc import Callable
from itertools import pairwise
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tagline_task import masking
from tagline_task.masking import MASK, Cutter, words

TOKEN = "".join(f"{number * 7919 % 10007:04x}Qz" for number in range(24))[:141]
AROUND = st.text(alphabet="jk~;µ \n", max_size=90)


def url(safe: str) -> Callable[[str], str]:
    return lambda text: quote(text, safe=safe)


def capitals(character: str) -> str:
    """As JSON, `<` and what is not ASCII as \\u003C."""
    written = f"\\u{ord(character):04x}" if character in "<>&" else json.dumps(character)[1:-1]
    return written.upper().replace("\\U", "\\u") if written.startswith("\\u") else written


ENCODERS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "quote": quote,
    "quote_plus": quote_plus,
    "encodeURIComponent": url("!~*'()"),
    "encodeURI": url(";/?:@&=+$,#!~*'()"),
    "requests": url("!#$%&'()*+,/:;=?@[]~"),
    "a form": lambda text: urlencode({"x": text}),
    "json": json.dumps,
    "json, not ASCII": lambda text: json.dumps(text, ensure_ascii=False),
    "json with an escaped slash": lambda text: json.dumps(text).replace("/", "\\/"),
    "json for HTML": lambda text: re.sub("[<>&']", lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text)),
    "json in capitals": lambda text: "".join(map(capitals, text)),
    "repr": repr,
    "repr of bytes": lambda text: repr(text.encode()),
    "html": html.escape,
    "html without quotes": lambda text: html.escape(text, quote=False),
    "markupsafe": lambda text: html.escape(text).replace("&#x27;", "&#39;").replace("&quot;", "&#34;"),
    "hex": lambda text: text.encode().hex(),
}


def cut_and_masked(text: str, hidden: str, cuts: list[int]) -> str:
    """What is shown of the text when it comes in parts that end at the cuts."""
    cutter = Cutter(words([hidden]), MASK)
    places = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    return "".join(cutter.feed(text[a:b]) for a, b in pairwise(places)) + cutter.end()


secrets = st.one_of(
    st.text(alphabet="abcXYZ019/+&<>'\"%@: é€\\(!-_.", min_size=8, max_size=40),
    st.text(st.characters(codec="utf-8", exclude_characters="\n\r"), min_size=8, max_size=40),
).filter(lambda text: len(text.strip()) >= 8 and text == text.strip() and len(text.splitlines()) == 1)
cuts = st.lists(st.integers(0, 10_000), max_size=6)


@pytest.mark.parametrize("encoder", ENCODERS)
@settings(deadline=None, max_examples=60)
@given(secrets, AROUND, AROUND, cuts)
def test_no_form_and_no_part_of_a_value_is_shown(
    encoder: str, secret: str, before: str, after: str, cuts: list[int]
) -> None:
    assume(not set(secret) & set("jk~;µ"))
    shown = cut_and_masked(ENCODERS[encoder](before + secret + after), secret, cuts)
    assert MASK in shown
    assert ENCODERS[encoder](secret).strip("b'\"x=") not in shown
    assert not any(secret[at : at + 8] in shown for at in range(len(secret) - 7))


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a/b(c)!d'efgh ij", "a%2Fb(c)!d'efgh%20ij"),
        ("p@ss:w/ord!x", "p%40ss%3Aw%2Ford!x"),
        ("pä<ss/wörd", repr("pä<ss/wörd".encode())[2:-1]),
        ("pä<ss/wörd", "p\\u00e4\\u003css\\/w\\u00f6rd"),
        ("it's <b>&", "it&#039;s &lt;b&gt;&amp;"),
    ],
)
def test_what_other_programs_write_of_a_value_is_masked(value: str, shown: str) -> None:
    assert masking.replace(f"got {shown} so", words([value]), MASK) == "got *** so"


def encoded(data: bytes, columns: int, end: str, urlsafe: bool) -> str:
    text = (base64.urlsafe_b64encode if urlsafe else base64.b64encode)(data).decode()
    return "".join(text[at : at + columns] + end for at in range(0, len(text), columns))


@settings(deadline=None, max_examples=400)
@given(
    st.binary(min_size=8, max_size=150).map(lambda data: base64.b85encode(data).decode()),
    st.text(alphabet="jk ", max_size=90),
    st.sampled_from([64, 76, 120]),
    st.sampled_from(["\n", "\r\n", "\n    ", "\\n", "\\r\\n"]),
    st.booleans(),
    cuts,
)
def test_base64_that_is_wrapped_shows_nothing_of_the_value(
    secret: str, before: str, columns: int, end: str, urlsafe: bool, cuts: list[int]
) -> None:
    text = encoded(f"{before}{secret}{before}".encode(), columns, end, urlsafe)
    shown = cut_and_masked(text, secret, cuts).replace(end, "")
    own = text.replace(end, "")[-(-len(before) * 8 // 6) : (len(before) + len(secret)) * 8 // 6]
    assert MASK in shown
    assert not any(own[at : at + 8] in shown for at in range(len(own) - 7))


def test_a_token_as_plain_base64_and_openssl_write_it_is_masked() -> None:
    for text in (base64.encodebytes(TOKEN.encode()).decode(), encoded(TOKEN.encode(), 64, "\n", False)):
        assert masking.replace(f"got\n{text}end\n", words([TOKEN]), MASK).startswith("got\n***")
        assert len(masking.replace(text, words([TOKEN]), MASK)) < 8


def test_wrapped_base64_in_json_or_repr_is_masked() -> None:
    wrapped = base64.encodebytes(TOKEN.encode())
    for text in (json.dumps(wrapped.decode()), repr(wrapped)):
        assert len(masking.replace(text, words([TOKEN]), MASK)) < 12


def test_lines_that_are_no_words_of_a_value_stay_as_they_are() -> None:
    text = textwrap.fill("epoch loss accuracy " * 200, 76)
    assert masking.replace(text, words([TOKEN]), MASK) == text


def test_a_line_break_that_is_cut_in_its_middle_hides_nothing() -> None:
    text = json.dumps(base64.encodebytes(TOKEN.encode()).decode())
    at = text.index("\\n") + 1
    assert len(cut_and_masked(text, TOKEN, [at])) < 12


def test_blank_lines_without_end_are_not_held_for_ever() -> None:
    cutter = Cutter(words([TOKEN]), MASK)
    start = base64.b64encode(TOKEN.encode()).decode()[:20]
    assert len("".join(cutter.feed(part) for part in [start, *["\n" * 1000] * 20])) > 15_000
