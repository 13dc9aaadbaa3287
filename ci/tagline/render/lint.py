"""A lint as text for a person, and as SARIF 2.1.0 for code scanning."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

from tagline import __version__
from tagline.flow.checking.linting import Lint
from tagline.pipeline.lint.finding import Finding
from tagline.pipeline.lint.registry import BY_ID
from tagline.pipeline.lint.suppress import RULES

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_RULES = {**BY_ID, **{rule.id: rule for rule in RULES}}


def text(lint: Lint) -> str:
    """Each finding at its file and line, then what was let stand, then the count."""
    lines = [f"wrote {name}" for name in lint.fixed]
    lines += [f"{_where(finding)}{finding}" for finding in lint.findings]
    lines += [
        f"let stand: {_where(each)}{each.rule}: {each.place}: {reason}" for each, reason in lint.silenced
    ]
    warnings = len(lint.findings) - lint.errors
    lines.append(f"{len(lint.files)} file(s): {lint.errors} error(s), {warnings} warning(s)")
    return "\n".join(lines)


def _where(finding: Finding) -> str:
    if not finding.file:
        return ""
    return f"{finding.file}:{finding.line}: " if finding.line else f"{finding.file}: "


def sarif(lint: Lint) -> dict[str, Any]:
    """A SARIF log with one run: each rule that is known, each finding, the suppressed ones marked as such."""
    order = {name: number for number, name in enumerate(sorted(_RULES))}
    results = [_result(finding, order) for finding in lint.findings]
    for finding, reason in lint.silenced:
        silenced = {"kind": "inSource", "justification": reason}
        results.append({**_result(finding, order), "suppressions": [silenced]})
    driver = {"name": "tagline", "version": __version__, "rules": [_rule(name) for name in order]}
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


def _rule(name: str) -> dict[str, Any]:
    rule = _RULES[name]
    return {
        "id": name,
        "shortDescription": {"text": rule.why},
        "help": {"text": rule.fix},
        "defaultConfiguration": {"level": str(rule.level)},
    }


def _result(finding: Finding, order: dict[str, int]) -> dict[str, Any]:
    place: dict[str, Any] = {"logicalLocations": [{"name": finding.place}]}
    if finding.file:
        place["physicalLocation"] = {"artifactLocation": {"uri": _uri(finding.file)}}
        place["physicalLocation"]["region"] = {"startLine": max(finding.line, 1)}
    return {
        "ruleId": finding.rule,
        "ruleIndex": order[finding.rule],
        "level": str(finding.level),
        "message": {"text": f"{finding.place}: {finding.reason}; {finding.fix}"},
        "locations": [place],
    }


def _uri(file: str) -> str:
    """A file as code scanning wants it: relative to the working folder where it lies in it."""
    path = Path(file).absolute()
    here = Path.cwd()
    return quote(path.relative_to(here).as_posix()) if path.is_relative_to(here) else path.as_uri()
