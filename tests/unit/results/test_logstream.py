"""Nothing that a repository prints gives GitHub's runner a command, however it is cut into writes."""

import io
import sys

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tagline.render.logstream import Harmless, harmless

PIECES = st.lists(st.text(":# [\r\n\tae", max_size=6), max_size=12)


def printed(*pieces: str) -> str:
    stream = io.StringIO(newline="")
    guard = Harmless(stream)
    for piece in pieces:
        guard.write(piece)
    return stream.getvalue()


def is_command(line: str) -> bool:
    """As the runner reads a line: `ActionCommand.TryParseV2` trims its start, `TryParse` looks anywhere."""
    return line.lstrip().startswith("::") or "##[" in line


def lines(text: str) -> list[str]:
    return text.replace("\r", "\n").split("\n")


@pytest.mark.parametrize(
    "text",
    [
        "::set-output name=a::b",
        "  ::error::x",
        "a\n::warning::x",
        "a\r::debug::x",
        "x ##[add-mask]y",
        "\t::x",
    ],
)
def test_a_command_is_set_apart(text: str) -> None:
    assert any(is_command(line) for line in lines(text))
    assert not any(is_command(line) for line in lines(printed(text)))


@given(PIECES)
def test_no_sequence_of_writes_makes_a_command(pieces: list[str]) -> None:
    assert not any(is_command(line) for line in lines(printed(*pieces)))


@given(PIECES)
def test_nothing_is_lost_and_only_blanks_are_added(pieces: list[str]) -> None:
    assert printed(*pieces).replace(" ", "") == "".join(pieces).replace(" ", "")


def test_what_is_no_command_stays_as_it_is() -> None:
    text = "tests/test_a.py::test_b failed\n# [x] :: y\na::b\n"
    assert printed(text) == text


def test_click_finds_no_way_past_the_guard_where_the_stream_speaks_ascii(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii", errors="replace"))
    with harmless():
        click.echo("::error::x")
        sys.stdout.flush()
    assert raw.getvalue() == b": :error::x\n"


def test_our_own_commands_pass_on_lines_of_their_own() -> None:
    stream = io.StringIO()
    guard = Harmless(stream)
    guard.write("half a line")
    guard.commands(["::error::ours", "::notice::ours"])
    guard.write("::error::theirs\n")
    assert stream.getvalue() == "half a line\n::error::ours\n::notice::ours\n: :error::theirs\n"
