"""Results as text for a person: plain lines in CI, colour on a terminal."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tagline.flow.agents.handover import Ran
    from tagline.flow.agents.saved import Saved
    from tagline.flow.desk.traffic import Tally
    from tagline.flow.promoting.asking import Asked, Preview
    from tagline.flow.promoting.rollback import RolledBack
    from tagline.flow.report import Report
    from tagline.flow.steps import Plan
    from tagline.flow.views.doctor import Finding
    from tagline.flow.views.past import Entry
    from tagline.flow.views.status import PlaceStatus, Status
    from tagline.platforms.local.serving import LogTail, PlatformStatus


def table(rows: Iterable[Iterable[str]], indent: str = "  ") -> str:
    """Left-aligned columns, two spaces apart."""
    cells = [list(row) for row in rows]
    if not cells:
        return ""
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    lines = ("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)) for row in cells)
    return "\n".join((indent + line).rstrip() for line in lines)


def plan_text(plan: "Plan") -> str:
    """The plan of a call, each step with its reason."""
    from tagline.flow.ci import name_of

    rows = [[name_of(step), _subject(step), step.reason] for step in plan.steps]
    return f"plan for {plan.event} of {plan.ref}:\n{table(rows)}"


def saved_text(saved: "Saved") -> str:
    """A saved plan: each step with its reason and what an agent must have for it."""
    rows = [[one.step, one.subject, ",".join(one.needs) or "any", one.reason] for one in saved.steps]
    lines = [f"plan for {saved.event} of {saved.ref}, each step with what it needs:", table(rows)]
    if saved.environments:
        lines.append(f"environments with work: {', '.join(saved.environments)}")
    return "\n".join(lines)


def ran_text(ran: "Ran") -> str:
    """The closing lines of an agent's part; the last says what the next agent must have."""
    if (not ran.needs_agent and not ran.report.exit_code) or ran.report.error:
        return report_text(ran.report)
    return f"{ran.report.event}: this agent's part is done\nneeds-agent: {','.join(ran.needs_agent) or 'any'}"


def _subject(step: Any) -> str:
    return str(getattr(step, "release", "") or getattr(step, "promotion", "") or "")


def report_text(report: "Report") -> str:
    """The closing line of a call; its steps were told while they ran."""
    if report.error:
        return f"{report.event}: failed with exit code {report.exit_code}"
    if report.nothing_done:
        return f"{report.event}: nothing to do: {report.steps[-1].why}"
    return f"{report.event}: done"


def asked_text(asked: "Asked") -> str:
    """What `tagline promote` did, and what comes next."""
    if asked.nothing:
        return f"nothing to do: {asked.nothing}"
    return (
        f"asked for {asked.model} {asked.version} in {asked.env} by the tag {asked.tag}\n"
        f"CI acts on it; by hand: tagline ci --event tag --ref {asked.tag}"
    )


def preview_text(preview: "Preview") -> str:
    """What a promotion would do."""
    steps = ", ".join(f"{step} %" for step in preview.steps)
    rows = [
        ["version", preview.version],
        ["serves now", preview.serves or "nothing"],
        ["gate", preview.verdict.sentence],
        ["rollout", f"{steps}; {preview.seconds:g} s at least, {preview.at_most:g} s at most"],
        ["traffic", _outlook_text(preview)],
    ]
    if preview.outlook is None:
        rows = [*rows[:3], ["rollout", "nothing serves yet: 100 % at once"]]
    return f"{preview.model} to {preview.env}:\n{table(rows)}"


def _outlook_text(preview: "Preview") -> str:
    seen = preview.outlook
    if seen is None or seen.requests is None:
        return "no number of requests would let it in"
    needed = f"about {seen.requests} requests are needed where nobody errs"
    if seen.rate is None:
        return f"{needed}; today's traffic cannot be seen: the platform is down"
    if seen.seconds is None:
        return f"{needed}: too many for {preview.at_most:g} s at today's {seen.rate:.3g} a second"
    return f"{needed}: let in after {seen.seconds:.0f} s at today's {seen.rate:.3g} a second"


def rollback_text(done: "RolledBack") -> str:
    """What a rollback did."""
    lines = [f"{done.to} serves {done.model} in {done.env}"]
    if done.taken_back:
        lines.append(f"{done.taken_back} was taken back and is blocked there")
    if done.tag:
        lines.append(f"recorded as {done.tag}")
    if not done.taken_back:
        lines.append("nothing was taken back: no tag is needed")
    if done.unpushed:
        again = f"tagline rollback {done.model} --env {done.env} --to {done.to}"
        lines.append(f"not in git yet: {done.unpushed}\n  fix:   {again}")
    return "\n".join(lines)


def status_text(status: "Status") -> str:
    """The three truths, and the next command."""
    parts = [f"{status.pipeline} on {status.platform}, as of {status.as_of}"]
    parts += ["the remote does not answer: this is what was last seen of it"] if status.offline else []
    parts += ["", "releases:"]
    rows = [
        [
            f"{one.pipeline} {one.release}".strip(),
            one.commit[:10],
            ", ".join(one.models) or "no model",
            ", ".join(one.trainings),
        ]
        for one in status.releases
    ]
    parts.append(table(rows) or "  none")
    for place in status.places:
        parts += ["", *_place_lines(place)]
    parts += [f"\nunreadable tag, nobody acts on it: {name}" for name in status.unreadable]
    parts += [f"\nunfinished: {status.unfinished}"] if status.unfinished else []
    return "\n".join([*parts, "", f"next: {status.next}"])


def _place_lines(place: "PlaceStatus") -> list[str]:
    asked = f"{place.asked_version or '?'} by {place.asked}" if place.asked else "nothing"
    state = " (open)" if place.asked_open else f" ({place.ended})" if place.ended else ""
    weights = ", ".join(f"{version} {weight} %" for version, weight in place.weights.items())
    down = "" if place.up or not place.serves else " (the local platform is down)"
    lines = [
        f"{place.env}/{place.model}:",
        f"  asked    {asked}{state}",
        f"  decided  {place.decided or 'nothing'}",
        f"  serves   {place.serves or 'nothing'}{down}" + (f"  [{weights}]" if weights else ""),
    ]
    if place.serves and place.url:
        lines.append(f"  at       {place.url}")
    lines += [f"  blocked  {version}: {why}" for version, why in place.blocked.items()]
    return lines + [f"  differs  {said}" for said in place.disagree]


def history_text(entries: "list[Entry]") -> str:
    """Events, oldest first."""
    if not entries:
        return "nothing happened yet"
    return table([[one.at[:19].replace("T", " "), one.actor, one.text] for one in entries], indent="")


def doctor_text(findings: "list[Finding]") -> str:
    """Findings, each with its way out."""
    lines = []
    for finding in findings:
        lines.append(f"{finding.level:<8} {finding.what}")
        if finding.fix:
            lines.append(f"         fix: {finding.fix}")
    return "\n".join(lines)


def local_text(status: "PlatformStatus") -> str:
    """The platform's processes."""
    if not status.up:
        return "the local platform is down: tagline local up"
    rows = [
        [one.name, str(one.phase), f"pid {one.pid}" if one.pid else "", one.note] for one in status.processes
    ]
    failed = [f"  {name}: {why}" for name, why in status.failures.items()]
    return "\n".join([f"the local platform is up at {status.url}", table(rows), *failed])


def logs_text(tails: "list[LogTail]") -> str:
    """The ends of logs, each under its name."""
    return (
        "\n\n".join(f"== {tail.name} ({tail.path})\n{tail.text.rstrip()}" for tail in tails) or "no logs yet"
    )


def tally_text(tally: "Tally") -> str:
    """What a stream of requests came to."""
    versions = ", ".join(f"{name or 'no version'} {count}" for name, count in sorted(tally.versions.items()))
    return f"{tally.sent} requests sent, {tally.lost} lost; answered by {versions or 'nobody'}"
