"""Errors at their line, as the hosts read them: GitHub's workflow commands, GitLab's code quality report."""

import hashlib
from typing import Any

from tagline.flow.results.results import Place, Results
from tagline.render.results.text import command_data, command_property, one_line

SHOWN = 10  # GitHub keeps ten errors of a step


def workflow_commands(results: Results) -> list[str]:
    """`::error file=…,line=…::…` for each place, at most ten; one without a place where the call failed elsewhere."""
    lines = [_error(place) for place in results.places[:SHOWN]]
    if results.error and not lines:
        lines.append(f"::error title=tagline::{command_data(one_line(results.error.splitlines()[0]))}")
    return lines


def _error(place: Place) -> str:
    parts = {"file": place.file, "line": str(place.line), "col": str(place.column or ""), "title": "tagline"}
    said = ",".join(f"{key}={command_property(one_line(value))}" for key, value in parts.items() if value)
    return f"::error {said}::{command_data(one_line(place.said))}"


def code_quality(results: Results) -> list[dict[str, Any]]:
    """GitLab's code quality report: a list, empty where no error has a place.

    A fingerprint is the same in the next run, wherever the line has moved to.
    """
    return [
        {
            "description": one_line(place.said),
            "check_name": "tagline",
            "fingerprint": hashlib.sha256(f"{place.file}\n{place.said}".encode()).hexdigest(),
            "severity": "major",
            "location": {"path": place.file, "lines": {"begin": place.line}},
        }
        for place in results.places
    ]
