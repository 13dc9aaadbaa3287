"""What a command did, step by step, for the terminal, for programs, and for the exit code."""

import time
from collections.abc import Callable
from enum import StrEnum
from typing import Any

import msgspec

from tagline.errors import TaglineError

Told = Callable[[object], None]


class Outcome(StrEnum):
    """How a step ended. `NOTHING` is success that did nothing, and says why."""

    DONE = "done"
    NOTHING = "nothing to do"
    SKIPPED = "not run"
    FAILED = "failed"


class StepReport(msgspec.Struct, frozen=True):
    """One step: its name, how it ended, why in words, how long it took, and facts for programs."""

    step: str
    outcome: Outcome
    why: str
    seconds: float = 0.0
    facts: dict[str, Any] = {}


class Report(msgspec.Struct):
    """All steps of one call; `exit_code` is the first failure's, `error` its text, `where` its place."""

    event: str
    head: str
    steps: list[StepReport] = []
    exit_code: int = 0
    error: str = ""
    where: str = ""

    @property
    def nothing_done(self) -> bool:
        return not self.error and all(step.outcome is Outcome.NOTHING for step in self.steps)


class Said(msgspec.Struct, frozen=True):
    """A line for the person who waits."""

    text: str


def done(step: str, why: str, **facts: Any) -> StepReport:
    """A step that did its work."""
    return StepReport(step, Outcome.DONE, why, facts=facts)


def nothing(step: str, why: str, **facts: Any) -> StepReport:
    """A step that had nothing to do, and why."""
    return StepReport(step, Outcome.NOTHING, why, facts=facts)


def skipped(step: str, why: str) -> StepReport:
    """A step that was left out, and why."""
    return StepReport(step, Outcome.SKIPPED, why)


def perform(report: Report, told: Told, steps: list[tuple[str, Callable[[], StepReport]]]) -> Report:
    """Do the named steps in order until one fails; a failure ends as its error's exit code in the report."""
    for name, act in steps:
        begun = time.monotonic()
        try:
            result = act()
        except TaglineError as error:
            result = StepReport(name, Outcome.FAILED, error.what)
            report.error, report.exit_code, report.where = str(error), error.exit_code, error.where
        result = msgspec.structs.replace(result, seconds=round(time.monotonic() - begun, 1))
        report.steps.append(result)
        told(result)
        if report.error:
            break
    return report
