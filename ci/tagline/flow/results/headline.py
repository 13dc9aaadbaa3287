"""The one sentence that a report and a comment begin with: what happens, why, how long, and what stays."""

import statistics

import msgspec

from tagline.flow.report import Outcome, Report
from tagline.flow.results.results import Fragment, ended, first_line
from tagline.git.occasion import Event
from tagline.words import ReleaseTag

LAST_RUNS = 5


class Outlook(msgspec.Struct, frozen=True):
    """What is known beside the report: the release a merge would make and why, training's usual seconds.

    `because` is a commit's subject; `reason` says why there is no release; `serves` names environment, model
    and version of what serves.
    """

    event: Event
    pipeline: str
    release: str = ""
    because: str = ""
    reason: str = ""
    trains: float | None = None
    serves: list[tuple[str, str, str]] = []


def headline(outlook: Outlook, report: Report) -> list[Fragment]:
    """One sentence without its full stop; text of the repository in fragments of its own, marked as quoted."""
    match outlook.event:
        case Event.PR:
            return _pull_request(outlook, report)
        case Event.MERGE if not report.error:
            return _merged(outlook, report)
        case Event.MERGE | Event.TAG | Event.SCHEDULE:
            return [*_told(report), *_keeps(outlook)]


def _pull_request(outlook: Outlook, report: Report) -> list[Fragment]:
    if report.error:
        what = f"{outlook.pipeline} {outlook.release}" if outlook.release else "nothing"
        said = Fragment(first_line(report.error), quoted=True)
        failed = report.steps[-1].step if report.steps else report.event
        return [Fragment(f"Merging would release {what}, but {failed} failed: "), said]
    if not outlook.release:
        return [
            Fragment("Merging releases nothing: "),
            Fragment(outlook.reason, quoted=True),
            *_keeps(outlook),
        ]
    return [*_release("Merging releases", outlook), *_trains(outlook), *_keeps(outlook)]


def _merged(outlook: Outlook, report: Report) -> list[Fragment]:
    claimed = [step.facts for step in report.steps if _did(step.outcome) and "release" in step.facts]
    if not claimed:
        return [*_told(report), *_keeps(outlook)]
    first, *others = [ReleaseTag.read(str(one.get("tag", ""))) for one in claimed]
    named = [f"{one.pipeline} {one.release}" for one in others if one]
    made = ", ".join([str(claimed[0]["release"]), *named])
    if first and first.pipeline:
        outlook = msgspec.structs.replace(outlook, pipeline=first.pipeline)
    models = [str(one) for step in report.steps for one in step.facts.get("models", [])]
    known = msgspec.structs.replace(outlook, release=made)
    trained = [Fragment(f"; trained {', '.join(models)}")] if models else []
    return [*_release("Released", known), *trained, *_keeps(outlook)]


def _did(outcome: Outcome) -> bool:
    return outcome is Outcome.DONE


def _release(verb: str, outlook: Outlook) -> list[Fragment]:
    begin = f"{verb} {outlook.pipeline} {outlook.release}"
    if not outlook.because:
        return [Fragment(begin)]
    return [Fragment(f"{begin} because of "), Fragment(outlook.because, quoted=True)]


def _told(report: Report) -> list[Fragment]:
    """How it ended in the words of its last step."""
    done = [step for step in report.steps if step.outcome is Outcome.DONE]
    if report.error or report.nothing_done or not done:
        return ended(report)
    return [Fragment(f"{done[-1].step}: "), Fragment(done[-1].why, quoted=True)]


def _trains(outlook: Outlook) -> list[Fragment]:
    return [Fragment(f"; trains about {about(outlook.trains)}")] if outlook.trains is not None else []


def _keeps(outlook: Outlook) -> list[Fragment]:
    named = len({model for _, model, _ in outlook.serves}) > 1
    kept = [
        f"{env} keeps {model} {version}" if named else f"{env} keeps {version}"
        for env, model, version in outlook.serves
    ]
    return [Fragment("; " + ", ".join(kept))] if kept else []


def about(seconds: float) -> str:
    """A duration as a person says it: `5 s`, `40 min`, `2.5 h`."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f}".removesuffix(".0") + " h"


def usual(seconds: list[float | None]) -> float | None:
    """The usual duration, by the median of the newest runs whose duration is known; None where none is."""
    known = [one for one in seconds if one is not None][-LAST_RUNS:]
    return statistics.median(known) if known else None
