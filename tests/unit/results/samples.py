"""Results for the tests of their forms: a plain one, and one in which every text is hostile."""

from tagline.flow.report import Outcome, StepReport
from tagline.flow.results.results import (
    FORMAT,
    Case,
    CaseOutcome,
    Fragment,
    Measured,
    Place,
    PlanLine,
    Results,
)

HOSTILE = (
    "<script>alert(1)</script> `tick` ``two`` @everyone #1 !2 | \x1b[31m <img src=x onerror=alert(1)>\n"
    "::error::x\n  ::set-output name=a::b\n##[add-mask]y\n/close\n```\n~~~\n</details>\n"
    "[link](https://evil.example) https://evil.example ]]> &amp; \u202eabc \\| <!-- tagline -->"
)


def results(text: str) -> Results:
    """Failed results with this text wherever the repository can put one."""
    return Results(
        format=FORMAT,
        event="pr",
        ref=text,
        head="a" * 40,
        pipeline="fraud",
        headline=[
            Fragment("Merging would release fraud 1.5.0, but check failed: "),
            Fragment(text, quoted=True),
        ],
        exit_code=32,
        error=text,
        plan=[PlanLine("check", text, text)],
        steps=[
            StepReport("check", Outcome.FAILED, text, 12.3),
            StepReport("register", Outcome.NOTHING, text),
        ],
        parts=[[StepReport("lock", Outcome.DONE, text), StepReport(text, Outcome.SKIPPED, text)]],
        cases=[
            Case(text, text, CaseOutcome.FAILED, 0.25, text, "tests/test_a.py", 12),
            Case(text, text, CaseOutcome.ERROR, 0.25, text),
            Case("tests.test_a", "test_b", CaseOutcome.PASSED, 1.5),
            Case("tests.test_a", "test_c", CaseOutcome.SKIPPED, 0.0, text),
        ],
        metrics=[
            Measured(text, "new", {text: 0.25, "auc": 0.912345678}),
            Measured("fraud 1.4.0-r3", "prod", {"auc": 0.9}),
        ],
        places=[Place("tests/test_a.py", 12, text), Place("src/a,b:c.py", 3, text, 5)],
    )
