"""What a call leaves for people and programs to read later: the struct behind report.json and all its forms."""

import re
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING

import msgspec

from tagline.errors import INTERRUPTED, TaglineError
from tagline.flow.report import Outcome, Report, StepReport, Told

if TYPE_CHECKING:
    from tagline.flow.steps import Plan

FORMAT = 1
_FILE_LINE = re.compile(r"(?:^|[\s:])([^\s:]+)(?: at [0-9a-f]{7,40})?:([1-9][0-9]{0,8})(?::([0-9]{1,8}))?$")


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is read back is exactly what was written."""


class Fragment(Strict, frozen=True):
    """A piece of the first sentence; `quoted` is text of the repository, which is never taken for ours."""

    text: str
    quoted: bool = False


class PlanLine(Strict, frozen=True):
    """One planned step: its name, what it is about, and why."""

    step: str
    subject: str
    reason: str


class CaseOutcome(StrEnum):
    """How one test of the project ended."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"


class Case(Strict, frozen=True):
    """One test of the project: `suite` groups it, `seconds` it took, `file` and `line` (from 1, 0 = unknown)."""

    suite: str
    name: str
    outcome: CaseOutcome
    seconds: float = 0.0
    said: str = ""
    file: str = ""
    line: int = 0


class Cases(msgspec.Struct, frozen=True):
    """Told once the project's tests have run: each of them."""

    cases: list[Case]


class Place(Strict, frozen=True):
    """A line of the repository that an error speaks of; `line` and `column` count from 1, 0 = unknown."""

    file: str
    line: int
    said: str
    column: int = 0


class Measured(Strict, frozen=True):
    """The metrics of one model version, and where it stands: `new`, or the environment that it serves."""

    version: str
    stands: str
    metrics: dict[str, float]


class Results(Strict, frozen=True):
    """One call of tagline, whole: what was planned, done and measured, and how it ended.

    `ref` is a branch or tag, `head` a commit; `parts` are the smaller steps that each of `steps` was made of.
    `earlier` are the steps that agents before this one had done: shown, and counted in their reports alone.
    """

    format: int
    event: str
    ref: str
    head: str
    pipeline: str
    headline: list[Fragment]
    exit_code: int = 0
    error: str = ""
    plan: list[PlanLine] = []
    steps: list[StepReport] = []
    parts: list[list[StepReport]] = []
    cases: list[Case] = []
    metrics: list[Measured] = []
    places: list[Place] = []
    earlier: list[StepReport] = []

    @property
    def failed(self) -> bool:
        """Whether something went wrong: an exit code alone may say that another job goes on."""
        return bool(self.error)

    def with_parts(self) -> list[tuple[StepReport, list[StepReport]]]:
        """Each step with the smaller ones that it was made of."""
        missing: list[list[StepReport]] = [[]] * (len(self.steps) - len(self.parts))
        return list(zip(self.steps, [*self.parts, *missing], strict=False))


def after(results: Results, earlier: int) -> Results:
    """The results of a plan so far as those of its last agent: the first `earlier` steps are of agents before it."""
    return msgspec.structs.replace(
        results,
        steps=results.steps[earlier:],
        parts=results.parts[earlier:],
        earlier=results.steps[:earlier],
    )


class Listener:
    """Hears what a call tells, passes it on, and keeps what belongs in the results."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self.steps: list[StepReport] = []
        self.cases: list[Case] = []

    def tell(self, told: object) -> None:
        match told:
            case Cases():
                self.cases = told.cases
            case StepReport():
                self.steps.append(told)
            case _:
                pass
        self._told(told)

    def parts(self, report: Report) -> list[list[StepReport]]:
        """The smaller steps that were told before each step of the report."""
        found: dict[int, list[StepReport]] = {}
        waiting: list[StepReport] = []
        for step in self.steps:
            if any(step is one for one in report.steps):
                found[id(step)], waiting = waiting, []
            else:
                waiting.append(step)
        return [found.get(id(step), []) for step in report.steps]


def place_of(where: str, said: str) -> Place | None:
    """The file and line that an error's `where` names, such as `tagline.yaml:3:5`; None where it names none."""
    match = _FILE_LINE.search(where) if "\n" not in where else None
    if match is None or match[1].startswith("/") or "://" in where:
        return None
    return Place(match[1], int(match[2]), said, int(match[3] or 0))


def places(report: Report, cases: list[Case]) -> list[Place]:
    """Every line that the report's error and the failed tests speak of, the error's first."""
    own = place_of(report.where, report.error.splitlines()[0]) if report.error else None
    failed = (CaseOutcome.FAILED, CaseOutcome.ERROR)
    tests = [
        Place(case.file, case.line, f"{case.name}: {first_line(case.said)}")
        for case in cases
        if case.outcome in failed and case.file and case.line
    ]
    return [*([own] if own else []), *tests]


def first_line(text: str) -> str:
    """The first line that says something."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def plan_lines(plan: "Plan", name_of: Callable[..., str]) -> list[PlanLine]:
    """A plan as lines: a step's name, its subject, its reason."""
    return [
        PlanLine(
            name_of(step),
            str(getattr(step, "release", "") or getattr(step, "promotion", "") or ""),
            step.reason,
        )
        for step in plan.steps
    ]


def of_error(error: TaglineError, event: str) -> Results:
    """The results of a call that ended before its first step."""
    failed = StepReport("begin", Outcome.FAILED, error.what)
    report = Report(event, "", [failed], error.exit_code, str(error), error.where)
    headline = [Fragment("Nothing was begun: "), Fragment(first_line(error.what), quoted=True)]
    return simple(report, headline=headline)


def interrupted(event: str) -> Results:
    """The results of a call that was ended from outside."""
    failed = StepReport(event, Outcome.FAILED, "interrupted")
    report = Report(event, "", [failed], INTERRUPTED, "interrupted")
    return simple(report, headline=[Fragment(f"{event} was interrupted; the next call goes on")])


def simple(
    report: Report, listener: Listener | None = None, headline: list[Fragment] | None = None
) -> Results:
    """The results of a command that has no plan: `check`, `train`."""
    cases = listener.cases if listener else []
    return Results(
        format=FORMAT,
        event=report.event,
        ref="",
        head=report.head,
        pipeline="",
        headline=headline or ended(report),
        exit_code=report.exit_code,
        error=report.error,
        steps=report.steps,
        parts=listener.parts(report) if listener else [],
        cases=cases,
        places=places(report, cases),
    )


def ended(report: Report) -> list[Fragment]:
    """How a call ended, in one sentence, where nothing better is known of it."""
    last = report.steps[-1] if report.steps else None
    if report.error:
        name = last.step if last else report.event
        return [Fragment(f"{name} failed: "), Fragment(first_line(report.error), quoted=True)]
    if report.nothing_done and last:
        return [Fragment("Nothing to do: "), Fragment(last.why, quoted=True)]
    done = [step for step in report.steps if step.outcome is Outcome.DONE] or report.steps
    names = ", ".join(step.step for step in done)
    return [Fragment(f"{report.event}: {names} done" if done else f"{report.event}: done")]
