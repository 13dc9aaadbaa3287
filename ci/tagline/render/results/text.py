"""Text of a repository made harmless: for Markdown, HTML, XML and the commands that CI hosts read from a log."""

import html
import re

_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
_RUNS = re.compile(r"`+")
# Words of ours may hold these and nothing else that Markdown, a mention or a link begins with.
_PLAIN = re.compile(r"[^\w .,;:%+()/'-]", re.ASCII)


def printable(text: str) -> str:
    """The text without control characters, marks that turn its direction, and halves of characters."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str, limit: int = 500) -> str:
    """The text as one printable line, shortened to `limit` characters."""
    line = " ".join(printable(text).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def code(text: str, limit: int = 500) -> str:
    """A Markdown code span: in it no HTML, link, mention, reference or quick action means anything."""
    line = one_line(text, limit)
    if not line:
        return ""
    fence = "`" * (max((len(run) for run in _RUNS.findall(line)), default=0) + 1)
    edge = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{edge}{line}{edge}{fence}"


def cell(text: str, limit: int = 300) -> str:
    """A code span inside a table, where a bar would end the cell: it is drawn as another one."""
    return code(text.replace("|", "\N{BOX DRAWINGS LIGHT VERTICAL}"), limit)


def block(text: str, limit: int = 8_000) -> str:
    """A fenced block of Markdown whose fence is longer than any in the text; its end is kept where it is cut."""
    shown = printable(text)
    shown = shown if len(shown) <= limit else "…" + shown[-limit:]
    fence = "`" * max(3, max((len(run) for run in _RUNS.findall(shown)), default=0) + 1)
    return f"{fence}text\n{shown.rstrip()}\n{fence}"


def ours(text: str) -> str:
    """Words of ours in Markdown: names, versions, numbers. Anything else in them becomes a code span."""
    return code(text) if _PLAIN.search(text.strip()) or "://" in text else text


def markup(text: str) -> str:
    """The text for HTML, inside elements and attributes alike."""
    return html.escape(printable(text), quote=True)


def command_data(text: str) -> str:
    """The message of a GitHub workflow command: its own line ends and percent signs are encoded."""
    return printable(text).replace("%", "%25").replace("\n", "%0A")


def command_property(text: str) -> str:
    """A property of a GitHub workflow command: commas and colons are encoded too."""
    return command_data(text).replace(":", "%3A").replace(",", "%2C")
