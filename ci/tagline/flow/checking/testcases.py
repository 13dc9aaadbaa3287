"""Reads the JUnit file that a project's own tests leave: written by foreign code, so bounded and unbelieved."""

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from tagline import foreign
from tagline.flow.results.results import Case, CaseOutcome

BYTES_LIMIT = 16 * 2**20
CASES_LIMIT = 5_000
TEXT_LIMIT = 4_000
NAME_LIMIT = 300
_DECLARATIONS = re.compile(rb"<!(DOCTYPE|ENTITY)", re.IGNORECASE)
_WORST = (
    ("error", CaseOutcome.ERROR),
    ("failure", CaseOutcome.FAILED),
    ("skipped", CaseOutcome.SKIPPED),
)


def read(file: Path) -> list[Case]:
    """The tests in a JUnit file, at most 5,000 of them; none where it is missing or no such file.

    What is too large, a link, no plain file, broken XML or XML with declarations is taken for missing: the
    tests' exit code has judged already, and this file only tells which.
    """
    try:
        content = foreign.read(file, BYTES_LIMIT)
    except (OSError, ValueError):
        return []
    if _DECLARATIONS.search(content):
        return []
    try:
        root = ElementTree.fromstring(content)
    except ElementTree.ParseError:
        return []
    cases = (_case(element) for element in root.iter("testcase"))
    return [case for case, _ in zip(cases, range(CASES_LIMIT), strict=False)]


def _case(element: ElementTree.Element) -> Case:
    tag, outcome = next(
        ((tag, outcome) for tag, outcome in _WORST if element.find(tag) is not None), ("", CaseOutcome.PASSED)
    )
    found = element.find(tag) if tag else None
    said = "" if found is None else "\n".join(_texts(found))
    return Case(
        suite=element.get("classname", "")[:NAME_LIMIT],
        name=element.get("name", "")[:NAME_LIMIT] or "unnamed",
        outcome=outcome,
        seconds=_seconds(element.get("time", "")),
        said=said[:TEXT_LIMIT],
        file=_relative(element.get("file", ""))[:NAME_LIMIT],
        line=_line(element.get("line", "")),
    )


def _texts(element: ElementTree.Element) -> Iterator[str]:
    yield from filter(None, (element.get("message", "").strip(), (element.text or "").strip()))


def _seconds(text: str) -> float:
    """A duration in seconds; 0 for what is no number, below 0 or absurd."""
    try:
        value = float(text.replace(",", ""))
    except ValueError:
        return 0.0
    return value if 0 <= value < 10**7 else 0.0


def _relative(path: str) -> str:
    """The path, if it lies inside the repository; "" otherwise."""
    return path if path and not Path(path).is_absolute() and ".." not in Path(path).parts else ""


def _line(text: str) -> int:
    """pytest counts lines from 0 here; 0 means unknown for us."""
    return int(text) + 1 if text.isascii() and text.isdigit() and len(text) < 9 else 0
