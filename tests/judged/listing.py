"""The judged findings: read, counted by rule, and written as the table of docs/explanation/lint.md."""

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec

FILE = Path(__file__).with_name("judged.csv")
HELD_OUT = Path(__file__).with_name("held-out.csv")  # drawn and judged before any rule was mended on it
CHOSEN = Path(__file__).with_name("held-out-repositories.csv")


class Entry(msgspec.Struct, frozen=True):
    """One finding in a public repository at one commit, and whether a person took it for right.

    `says` is the finding's own reason, "" in the old list; `why` the reason of the verdict.
    """

    repository: str
    commit: str
    path: str
    rule: str
    line: str
    place: str
    verdict: str
    why: str
    says: str = ""

    @property
    def right(self) -> bool:
        return self.verdict == "right"


def entries(file: Path = FILE) -> list[Entry]:
    with file.open(newline="") as lines:
        return [Entry(**row) for row in csv.DictReader(lines)]


def table(judged: Sequence[Entry]) -> str:
    """Rule × findings × right, with the sum, as a Markdown table."""
    every, right = Counter(one.rule for one in judged), Counter(one.rule for one in judged if one.right)
    rows = [f"| `{rule}` | {every[rule]} | {right[rule]} |" for rule in sorted(every)]
    total = f"| **all** | **{every.total()}** | **{right.total()}** |"
    return "\n".join(["| rule | findings judged | right |", "|---|---|---|", *rows, total])


def precision(judged: Sequence[Entry]) -> str:
    """Rule × findings × right × per cent, with the sum, as a Markdown table."""
    every, right = Counter(one.rule for one in judged), Counter(one.rule for one in judged if one.right)
    rows = [_row(f"`{rule}`", right[rule], every[rule]) for rule in sorted(every)]
    total = _row("**all**", right.total(), every.total())
    return "\n".join(["| rule | findings judged | right | per cent |", "|---|---|---|---|", *rows, total])


def _row(name: str, right: int, every: int) -> str:
    return f"| {name} | {every} | {right} | {100 * right / every:.0f} |"
