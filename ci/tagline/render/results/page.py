"""The results as one HTML page that needs nothing else: no script, no font, no request."""

from collections.abc import Iterable

from tagline.flow.report import Outcome, StepReport
from tagline.flow.results.results import Case, CaseOutcome, Results
from tagline.render.results.markdown import by_earlier, metric_names, plain
from tagline.render.results.text import markup

_COLOURS = {
    Outcome.DONE: "good",
    Outcome.NOTHING: "idle",
    Outcome.SKIPPED: "idle",
    Outcome.FAILED: "bad",
}
_STYLE = """
:root { color-scheme: light dark; --line: #d8dee4; --soft: #f6f8fa; --good: #1a7f37; --bad: #cf222e; --idle: #59636e }
@media (prefers-color-scheme: dark) {
  :root { --line: #3d444d; --soft: #1b2027; --good: #3fb950; --bad: #f85149; --idle: #9198a1 }
}
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem }
h1 { font-size: 1.35rem; line-height: 1.35; overflow-wrap: anywhere; border-left: .35rem solid; padding-left: .8rem }
h1.good { border-color: var(--good) } h1.bad { border-color: var(--bad) }
h2 { font-size: 1.05rem; margin: 2rem 0 .5rem }
.scroll { overflow-x: auto }
table { border-collapse: collapse; width: 100% }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .6rem; text-align: left; vertical-align: top }
td { min-width: 4rem; overflow-wrap: anywhere }
td.why { min-width: 16rem }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
tr.part td:first-child { padding-left: 1.8rem }
.good { color: var(--good) } .bad { color: var(--bad) } .idle { color: var(--idle) }
h1.good, h1.bad { color: inherit }
td.state { white-space: nowrap }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; background: var(--soft); border-radius: .3rem }
code { padding: .1em .3em; overflow-wrap: anywhere }
pre { padding: .8rem; white-space: pre-wrap; overflow-wrap: anywhere }
footer { color: var(--idle); margin-top: 2.5rem; font-size: .85rem }
"""


def page(results: Results) -> str:
    """The whole document, every text in it escaped."""
    title = markup(plain(results.headline))
    state = "bad" if results.failed else "good"
    sentence = "".join(
        f"<code>{markup(one.text)}</code>" if one.quoted else markup(one.text) for one in results.headline
    )
    body = [f'<h1 class="{state}">{sentence}</h1>', *_failure(results), *_steps(results)]
    body += [*_metrics(results), *_tests(results.cases), *_plan(results), _footer(results)]
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            '<head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title><style>{_STYLE}</style></head>",
            f"<body>{''.join(body)}</body>",
            "</html>",
            "",
        ]
    )


def _failure(results: Results) -> list[str]:
    if not results.error:
        return []
    return [f"<h2>Exit code {results.exit_code}</h2>", f"<pre>{markup(results.error)}</pre>"]


def _table(head: Iterable[str], rows: Iterable[str]) -> str:
    return f'<div class="scroll"><table><tr>{"".join(head)}</tr>{"".join(rows)}</table></div>'


def _heads(*names: str) -> list[str]:
    return [f"<th>{markup(name)}</th>" for name in names]


def _steps(results: Results) -> list[str]:
    rows = [_step(step, "", by_earlier(step)) for step in results.earlier]
    for step, parts in results.with_parts():
        rows += [_step(step, ""), *(_step(part, "part") for part in parts)]
    heads = [*_heads("step", ""), '<th class="number">took</th>', *_heads("why")]
    return ["<h2>Steps</h2>", _table(heads, rows)] if rows else []


def _step(step: StepReport, kind: str, by: str = "") -> str:
    took = f"{step.seconds:.1f} s" if step.seconds else ""
    return (
        f'<tr class="{kind}"><td>{markup(step.step)}</td>'
        f'<td class="state {_COLOURS[step.outcome]}">{markup(step.outcome)}{by}</td>'
        f'<td class="number">{took}</td><td class="why">{markup(step.why)}</td></tr>'
    )


def _metrics(results: Results) -> list[str]:
    if not results.metrics:
        return []
    heads = ["<th>metric</th>"] + [
        f'<th class="number">{markup(f"{one.version} ({one.stands})")}</th>' for one in results.metrics
    ]
    rows = []
    for name in metric_names(results.metrics):
        values = [f"{one.metrics[name]:.6g}" if name in one.metrics else "" for one in results.metrics]
        cells = "".join(f'<td class="number">{markup(value)}</td>' for value in values)
        rows.append(f"<tr><td>{markup(name)}</td>{cells}</tr>")
    return ["<h2>Metrics</h2>", _table(heads, rows)]


def _tests(cases: list[Case]) -> list[str]:
    if not cases:
        return []
    counts = {kind: sum(case.outcome is kind for case in cases) for kind in CaseOutcome}
    said = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
    bad = [case for case in cases if case.outcome in (CaseOutcome.FAILED, CaseOutcome.ERROR)]
    rows = [
        f'<tr><td class="bad">{markup(f"{case.suite} {case.name}".strip())}</td>'
        f'<td class="why"><pre>{markup(case.said)}</pre></td></tr>'
        for case in bad
    ]
    table = [_table(_heads("failed test", ""), rows)] if rows else []
    return ["<h2>The project's tests</h2>", f"<p>{markup(said)}</p>", *table]


def _plan(results: Results) -> list[str]:
    if not results.plan:
        return []
    rows = [
        f"<tr><td>{markup(line.step)}</td><td>{markup(line.subject)}</td>"
        f'<td class="why">{markup(line.reason)}</td></tr>'
        for line in results.plan
    ]
    return ["<h2>Plan</h2>", _table(_heads("step", "", "reason"), rows)]


def _footer(results: Results) -> str:
    said = " ".join(filter(None, (results.event, results.ref and f"of {results.ref}", results.head)))
    return f"<footer>tagline: {markup(said)}</footer>"
