"""All rules by id, and what they find in a compiled file or a source."""

from collections.abc import Iterable

from tagline.pipeline.compiled import Compiled
from tagline.pipeline.lint import (
    arguments,
    caching,
    components,
    graph,
    images,
    names,
    places,
    python,
    resources,
    secrets,
)
from tagline.pipeline.lint.finding import Finding, Level, Rule, Scope
from tagline.pipeline.lint.source import Source
from tagline.pipeline.lint.view import View

THEMES: dict[str, tuple[Rule, ...]] = {
    "resources": resources.RULES,
    "images": images.RULES,
    "secrets": secrets.RULES,
    "names": names.RULES,
    "graph": graph.RULES,
    "arguments": arguments.RULES,
    "caching": caching.RULES,
    "places": places.RULES,
    "python": python.RULES,
}
SOURCE_THEMES: dict[str, tuple[Rule, ...]] = {
    "secrets": secrets.SOURCE_RULES,
    "python": python.SOURCE_RULES,
    "components": components.SOURCE_RULES,
}
COMPILED = tuple(rule for rules in THEMES.values() for rule in rules)
SOURCE = tuple(rule for rules in SOURCE_THEMES.values() for rule in rules)
BY_ID = {rule.id: rule for rule in (*COMPILED, *SOURCE)}


def compiled_findings(compiled: Compiled, scope: Scope = Scope.FILE, file: str = "") -> list[Finding]:
    """Every finding in a compiled pipeline, errors first."""
    view = View(compiled)
    found = [finding for rule in COMPILED if scope in rule.scopes for finding in rule.findings(view, file)]
    return ordered(found)


def source_findings(source: Source) -> list[Finding]:
    """Every finding in a Python file, errors first."""
    return ordered(finding for rule in SOURCE for finding in rule.findings(source, source.file))


def ordered(found: Iterable[Finding]) -> list[Finding]:
    """Errors first, then by rule, file, line and place; nothing is said twice."""
    return sorted(
        dict.fromkeys(found),
        key=lambda each: (each.level is Level.WARNING, each.rule, each.file, each.line, each.place),
    )
