"""The results as JUnit XML, which Jenkins and GitLab show as tests: one case a step of this call, then the
project's own; a step that an earlier agent did is a case of that agent's report."""

from collections.abc import Iterable
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from tagline.flow.report import Outcome, StepReport
from tagline.flow.results.results import Case, CaseOutcome, Results
from tagline.render.results.text import one_line, printable

STEPS = "tagline"
TESTS = "tests"
_ELEMENTS = {CaseOutcome.FAILED: "failure", CaseOutcome.ERROR: "error", CaseOutcome.SKIPPED: "skipped"}


def junit(results: Results) -> str:
    """The XML document, valid against the schema `junit-10.xsd` that Jenkins' xUnit plugin reads."""
    root = Element("testsuites", name="tagline")
    _suite(root, STEPS, _steps(results))
    if results.cases:
        _suite(root, TESTS, [_told(case) for case in results.cases])
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _steps(results: Results) -> list[Case]:
    cases = []
    first = next((step for step in results.steps if step.outcome is Outcome.FAILED), None)
    for step, parts in results.with_parts():
        cases += [_case(f"{step.step}: {part.step}", part, "") for part in parts]
        cases.append(_case(step.step, step, results.error if step is first else ""))
    return cases


def _case(name: str, step: StepReport, error: str) -> Case:
    match step.outcome:
        case Outcome.DONE:
            return Case(STEPS, name, CaseOutcome.PASSED, step.seconds, step.why)
        case Outcome.NOTHING | Outcome.SKIPPED:
            said = f"{step.outcome}: {step.why}"
            return Case(STEPS, name, CaseOutcome.SKIPPED, step.seconds, said)
        case Outcome.FAILED:
            return Case(STEPS, name, CaseOutcome.FAILED, step.seconds, error or step.why)


def _told(case: Case) -> Case:
    """A test of the project; where it stands, which the schema has no attribute for, is said in its text."""
    place = f"{case.file}:{case.line}\n" if case.file and case.line else ""
    said = case.said and f"{place}{case.said}"
    return Case(case.suite or TESTS, case.name, case.outcome, case.seconds, said)


def _suite(root: Element, name: str, cases: Iterable[Case]) -> None:
    cases = list(cases)
    counts = {
        "tests": len(cases),
        "failures": sum(case.outcome is CaseOutcome.FAILED for case in cases),
        "errors": sum(case.outcome is CaseOutcome.ERROR for case in cases),
        "skipped": sum(case.outcome is CaseOutcome.SKIPPED for case in cases),
    }
    attributes = {"name": name, "time": _time(sum(one.seconds for one in cases))}
    attributes |= {key: str(count) for key, count in counts.items()}
    suite = SubElement(root, "testsuite", attributes)
    for case in cases:
        element = SubElement(
            suite,
            "testcase",
            name=one_line(case.name),
            classname=one_line(case.suite),
            time=_time(case.seconds),
        )
        if case.outcome in _ELEMENTS:
            first = one_line(case.said)
            inner = SubElement(element, _ELEMENTS[case.outcome], message=first, type=str(case.outcome))
            inner.text = printable(case.said)
        elif case.said:
            SubElement(element, "system-out").text = printable(case.said)


def _time(seconds: float) -> str:
    return f"{seconds:.3f}"
