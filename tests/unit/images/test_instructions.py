"""Where a Dockerfile's instructions begin: as BuildKit's parser has it, heredocs and all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tagline.errors import ImageRefused
from tagline.images import dockerfile
from tagline.images.instructions import instructions

NO_HEREDOCS = {
    "a here-string": 'RUN cat <<< "text" > /etc/motd',
    "a shift in double quotes": 'RUN python3 -c "print(1 <<NBITS)" || true',
    "a shift in single quotes": "RUN python3 -c 'print(1 <<NBITS)' || true",
    "a shift of the shell, in quotes": 'RUN echo "$((1 <<N))" || true',
    "a list": 'RUN ["cat", "<<EOF"]',
    "another instruction": "LABEL a=<<EOF",
    "a command": "CMD cat <<EOF",
    "inside a word": "RUN echo a<<EOF",
    "escaped": "RUN echo \\<<EOF",
    "a quote that is not closed": "RUN echo it's <<EOF",
    "nothing after it": "RUN cat <<",
}


@pytest.mark.parametrize("line", NO_HEREDOCS.values(), ids=NO_HEREDOCS)
def test_after_what_is_no_heredoc_every_instruction_is_seen(line: str) -> None:
    text = f"FROM scratch\n{line}\nCOPY src /app\nFROM x:1\n"
    assert dockerfile.copied(text, {}) == ["src"]
    assert [base.reference for base in dockerfile.bases(text, {})] == ["x:1"]


HEREDOCS = {
    "plain": ("RUN cat <<EOF", "EOF"),
    "with a list before it": ("RUN [ -e /x ] || cat <<EOF", "EOF"),
    "a name in quotes": ('RUN cat <<"EOF"', "EOF"),
    "a name in single quotes with a space": ("RUN cat <<'E F'", "E F"),
    "a quoted part": ("RUN cat <<E'O'F", "EOF"),
    "an escaped part": ("RUN cat <<\\EOF", "EOF"),
    "a number before it": ("RUN cat 3<<EOF", "EOF"),
    "tabs before its end": ("RUN cat <<-EOF", "\t\tEOF"),
    "a name that is no name of a variable": ("RUN cat <<-1.2/x", "1.2/x"),
    "a variable that stays": ("RUN cat <<$X", "$X"),
    "two of them": ("RUN cat <<A <<B", "A\nCOPY secret /x\nB"),
    "continued": ("RUN cat \\\n  <<EOF", "EOF"),
    "held back": ("ONBUILD RUN cat <<EOF", "EOF"),
    "the end of a Windows line": ("RUN cat <<EOF", "EOF\r"),
}


@pytest.mark.parametrize(("line", "end"), HEREDOCS.values(), ids=HEREDOCS)
def test_the_lines_of_a_heredoc_are_no_instructions(line: str, end: str) -> None:
    text = f"FROM scratch\n{line}\nCOPY secret /x\nEOF \n{end}\nENV A=b\n"
    assert [one.word for one in instructions(text)] == ["FROM", "RUN", "ENV"]


@pytest.mark.parametrize("line", ["RUN cat <<EOF", "COPY <<-EOF /x", "ADD <<A <<EOF /x", "RUN cat <<'EOF"])
def test_a_heredoc_that_nothing_ends_is_refused_with_its_line(line: str) -> None:
    text = f"FROM scratch\n{line}\n EOF\nEOF \nCOPY src /app\n"
    if "'" in line:  # no shell words, so no heredoc for BuildKit
        assert len(instructions(text)) == 5
        return
    with pytest.raises(ImageRefused, match="no line ends its heredoc") as caught:
        instructions(text)
    assert caught.value.where == "line 2 of the Dockerfile"


@pytest.mark.parametrize("line", ["RUN cat << EOF", "RUN cat ${X#y} <<EOF", "RUN cat ${X+y} <<EOF"])
def test_what_versions_of_buildkit_read_in_two_ways_is_refused(line: str) -> None:
    with pytest.raises(ImageRefused, match="some versions of BuildKit"):
        instructions(f"FROM scratch\n{line}\nCOPY src /app\nEOF\n")
    assert (
        len(instructions(f"FROM scratch\n{line.replace('EOF', 'NEVER')}\nCOPY src /app\n")) == 3
        or "#" in line
    )


def test_only_a_line_feed_ends_a_line() -> None:
    text = "FROM scratch\nRUN echo a\x0cCOPY b\u2028COPY c\nRUN x \\\n# a comment\n\n  y\n"
    assert [(one.word, one.rest, one.line) for one in instructions(text)] == [
        ("FROM", "scratch", 1),
        ("RUN", "echo a\x0cCOPY b\u2028COPY c", 2),
        ("RUN", "x   y", 3),
    ]


CONTENT = st.sampled_from(
    [
        "FROM x:1",
        "COPY secret /x",
        "# a comment",
        "",
        "EOF ",
        " EOF",
        "RUN cat <<OTHER",
        "ENDE",
        "\\",
        "'",
        '"',
    ]
)
PLAIN = st.sampled_from(
    [*NO_HEREDOCS.values(), "COPY a /b", "FROM scratch", "ENV A=b", "RUN x \\\n  y", "# <<EOF"]
)


@st.composite
def blocks(draw: st.DrawFn) -> tuple[str, int]:
    """Some lines of a Dockerfile, and how many instructions they are."""
    if draw(st.booleans()):
        text = draw(PLAIN)
        return text, 0 if text.startswith("#") else 1
    dash, quote = draw(st.sampled_from(["", "-"])), draw(st.sampled_from(["", "'", '"']))
    forms = ["RUN cat {} > /x", "COPY {} /x", "ADD {} /x", "RUN cat '<<NO' {}", "ONBUILD RUN x {}"]
    body = draw(st.lists(CONTENT, max_size=4))
    end = "\t" * draw(st.integers(0, 2)) if dash else ""
    return "\n".join(
        [draw(st.sampled_from(forms)).format(f"<<{dash}{quote}EOF{quote}"), *body, f"{end}EOF"]
    ), 1


@given(st.lists(blocks(), max_size=6))
def test_instructions_after_a_heredoc_are_seen_exactly_as_buildkit_sees_them(
    parts: list[tuple[str, int]],
) -> None:
    expected, line = [], 2
    for text, count in parts:
        expected += [line] if count else []
        line += text.count("\n") + 1
    whole = "\n".join(["FROM scratch", *(text for text, _ in parts), "COPY last /app", "FROM last:1"])
    assert [one.line for one in instructions(whole)] == [1, *expected, line, line + 1]
    assert "last" in dockerfile.copied(whole, {}) and dockerfile.bases(whole, {})[-1].reference == "last:1"
