"""The comment under a pull request: one sentence, then how it went, the metrics and the plan."""

from collections.abc import Iterable, Iterator

from tagline.flow.report import Outcome, StepReport
from tagline.flow.results.results import CaseOutcome, Fragment, Measured, Results
from tagline.render.results.text import block, cell, code, one_line, ours

LIMIT = 60_000  # GitHub takes 65,536 characters in a comment, the others more
_MARKS = {
    Outcome.DONE: "✅ done",
    Outcome.NOTHING: "➖ nothing to do",
    Outcome.SKIPPED: "➖ not run",
    Outcome.FAILED: "❌ failed",
}
FAILED_SHOWN = 10
METRICS_SHOWN = 30


def comment(results: Results, *, trusted: bool = True) -> str:
    """The results in Markdown, beginning with their sentence; at most 60,000 characters.

    Text of the repository stands in code spans and blocks only. What is not `trusted` (written by a run of
    a fork) has no word of its own outside of them.
    """
    parts = [sentence(results.headline, trusted=trusted)]
    if not trusted:
        parts.append("This was reported by a run of the fork's own code: nothing of it is vouched for.")
    parts += [
        part for part in (_steps(results), _failure(results), _metrics(results), _plan(results)) if part
    ]
    if results.head:
        parts.append(f"<sub>{code(results.event, 40)} of {code(results.ref or results.head[:12], 200)}, ")
        parts[-1] += f"commit {code(results.head[:12])}</sub>"
    return _bounded(parts)


def _bounded(parts: list[str]) -> str:
    """The parts that fit, in order; what is left out is said."""
    kept: list[str] = []
    for part in parts:
        if sum(len(one) + 2 for one in kept) + len(part) > LIMIT:
            kept.append("The rest does not fit here: it is in the report of the run.")
            break
        kept.append(part)
    return "\n\n".join(kept) + "\n"


def sentence(headline: Iterable[Fragment], *, trusted: bool = True) -> str:
    """The first sentence; what is quoted, or all of it where it is not trusted, in code spans."""
    fragments = list(headline)
    if not trusted:
        return code("".join(one.text for one in fragments), 700)
    return "".join(code(one.text) if one.quoted else ours(one.text) for one in fragments) + "."


def plain(headline: Iterable[Fragment]) -> str:
    """The first sentence for a terminal, a chat or a title: one line, quotes around what is quoted."""
    return one_line("".join(f"`{one.text}`" if one.quoted else one.text for one in headline), 700)


def _steps(results: Results) -> str:
    rows = list(_rows(results))
    if not rows:
        return ""
    return "\n".join(["| step | | |", "|---|---|---|", *rows])


def _rows(results: Results) -> Iterator[str]:
    for step in results.earlier:
        yield _row(step.step, step, by_earlier(step))
    for step, parts in results.with_parts():
        yield _row(step.step, step)
        for part in parts:
            yield _row(f"{step.step}: {part.step}", part)


def by_earlier(step: StepReport) -> str:
    """What follows the outcome of a step that an agent before this one did: `done by an earlier agent`."""
    return " by an earlier agent" if step.outcome is Outcome.DONE else ", said an earlier agent"


def _row(name: str, step: StepReport, by: str = "") -> str:
    took = f" ({step.seconds:.0f} s)" if step.seconds >= 1 else ""
    return f"| {cell(name, 80)} | {_MARKS[step.outcome]}{by}{took} | {cell(step.why)} |"


def _failure(results: Results) -> str:
    if not results.error:
        return ""
    bad = (CaseOutcome.FAILED, CaseOutcome.ERROR)
    failed = [case for case in results.cases if case.outcome in bad]
    lines = [f"- {code(f'{case.suite} {case.name}'.strip(), 200)}" for case in failed[:FAILED_SHOWN]]
    if len(failed) > FAILED_SHOWN:
        lines.append(f"- and {len(failed) - FAILED_SHOWN} more")
    tests = f"\n\nFailed tests:\n\n{chr(10).join(lines)}" if lines else ""
    return f"Exit code {results.exit_code}:\n\n{block(results.error)}{tests}"


def metric_names(measured: list[Measured]) -> list[str]:
    """Every metric that any version has, in the order they are met."""
    return list(dict.fromkeys(name for one in measured for name in one.metrics))


def _metrics(results: Results) -> str:
    if not results.metrics:
        return ""
    titles = [cell(f"{one.version} ({one.stands})", 80) for one in results.metrics]
    lines = [f"| metric | {' | '.join(titles)} |", "|---|" + "---:|" * len(titles)]
    for name in metric_names(results.metrics)[:METRICS_SHOWN]:
        values = [f"{one.metrics[name]:.6g}" if name in one.metrics else "" for one in results.metrics]
        lines.append(f"| {cell(name, 60)} | {' | '.join(values)} |")
    return "\n".join(lines)


def _plan(results: Results) -> str:
    if not results.plan:
        return ""
    lines = []
    for line in results.plan:
        subject = f" {code(line.subject, 100)}" if line.subject else ""
        lines.append(f"1. {code(line.step, 40)}{subject}: {code(line.reason)}")
    return "<details><summary>Plan</summary>\n\n" + "\n".join(lines) + "\n\n</details>"
