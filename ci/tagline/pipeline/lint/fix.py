"""What `tagline lint --fix` writes: only what has one right answer."""

import io
import re
import tokenize
from collections.abc import Sequence

from tagline.pipeline.lint.suppress import Suppression

_COMMENT = re.compile(r"\s*#\s*tagline:\s*ignore\[.*$")


def without_v2(text: str) -> str:
    """A Python text with `kfp` in the place of `kfp.v2`, in code alone: texts and comments stay."""
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    lines = text.splitlines(keepends=True)
    for first, dot, last in reversed(list(zip(tokens, tokens[1:], tokens[2:], strict=False))):
        if (first.string, dot.string, last.string) == ("kfp", ".", "v2") and first.start[0] == last.end[0]:
            row = first.start[0] - 1
            lines[row] = lines[row][: first.end[1]] + lines[row][last.end[1] :]
    return "".join(lines)


def without_unused(text: str, unused: Sequence[Suppression]) -> str:
    """A text without the comments whose every suppression is unused; a line of only such a comment goes."""
    lines = text.splitlines(keepends=True)
    for number in sorted({each.line for each in unused}, reverse=True):
        line = lines[number - 1]
        named = re.search(r"ignore\[([^\]]*)\]", line)
        rules = {each.strip() for each in named[1].split(",")} if named else set()
        if rules != {each.rule for each in unused if each.line == number}:
            continue
        rest = _COMMENT.sub("", line.rstrip("\n"))
        lines[number - 1 : number] = [rest + "\n"] if rest.strip() else []
    return "".join(lines)
