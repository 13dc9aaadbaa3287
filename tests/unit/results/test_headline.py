"""The first sentence: what happens, why, how long it takes, and what stays."""

from typing import Any

import pytest
from tagline import errors
from tagline.flow.report import Outcome, Report, StepReport
from tagline.flow.results.headline import Outlook, about, headline, usual
from tagline.flow.results.results import Listener, interrupted, of_error, place_of
from tagline.git.occasion import Event
from tagline.render.results.markdown import plain

SERVES = [("prod", "fraud", "1.4.0-r3")]
CHECKED = StepReport("check", Outcome.DONE, "6 checks passed")


def said(outlook: Outlook, *steps: StepReport, **report: Any) -> str:
    return plain(headline(outlook, Report("x", "a" * 40, list(steps), **report)))


def test_a_pull_request_says_what_merging_releases_why_how_long_and_what_stays() -> None:
    outlook = Outlook(Event.PR, "fraud", "1.5.0", "feat: more", "", 2400.0, SERVES)
    assert said(outlook, CHECKED) == (
        "Merging releases fraud 1.5.0 because of `feat: more`; trains about 40 min; prod keeps 1.4.0-r3"
    )


def test_what_is_not_known_is_left_out() -> None:
    assert said(Outlook(Event.PR, "fraud", "0.1.0"), CHECKED) == "Merging releases fraud 0.1.0"


def test_a_pull_request_that_changes_nothing_says_why() -> None:
    outlook = Outlook(Event.PR, "fraud", reason="no commit since 1.4.0 affects fraud", serves=SERVES)
    expected = "Merging releases nothing: `no commit since 1.4.0 affects fraud`; prod keeps 1.4.0-r3"
    assert said(outlook, CHECKED) == expected


def test_a_failed_check_is_what_a_pull_request_says_first() -> None:
    failed = StepReport("check", Outcome.FAILED, "the tests failed")
    outlook = Outlook(Event.PR, "fraud", "1.5.0", "feat: more")
    text = said(outlook, failed, error="the tests failed\n  where: x", exit_code=32)
    assert text == "Merging would release fraud 1.5.0, but check failed: `the tests failed`"


def test_a_merge_says_what_was_released_and_trained() -> None:
    made = StepReport("release", Outcome.DONE, "fraud 1.5.1", facts={"release": "1.5.1"})
    trained = StepReport("training", Outcome.DONE, "model 1.5.1-r1", facts={"models": ["1.5.1-r1"]})
    outlook = Outlook(Event.MERGE, "fraud", "1.5.0", "feat: more", serves=SERVES)
    assert said(outlook, CHECKED, made, trained) == (
        "Released fraud 1.5.1 because of `feat: more`; trained 1.5.1-r1; prod keeps 1.4.0-r3"
    )


def test_a_merge_with_nothing_to_release_says_so() -> None:
    nothing = StepReport("nothing", Outcome.NOTHING, "contained in 1.5.0")
    assert said(Outlook(Event.MERGE, "fraud"), nothing) == "Nothing to do: `contained in 1.5.0`"


def test_several_models_are_named() -> None:
    serves = [("prod", "fraud", "1.4.0-r3"), ("prod", "risk", "1.4.0-r4")]
    outlook = Outlook(Event.PR, "fraud", "1.5.0", serves=serves)
    assert said(outlook, CHECKED).endswith("; prod keeps fraud 1.4.0-r3, prod keeps risk 1.4.0-r4")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "1 s"), (5.4, "5 s"), (89, "89 s"), (2400, "40 min"), (9000, "2.5 h"), (7200, "2 h")],
)
def test_durations_are_said_as_people_say_them(seconds: float, text: str) -> None:
    assert about(seconds) == text


def test_the_usual_duration_is_the_median_of_the_last_five_that_are_known() -> None:
    assert usual([9000.0, None, 10.0, 20.0, None, 30.0, 40.0, 1000.0]) == 30.0
    assert usual([None]) is None


@pytest.mark.parametrize(
    ("where", "file", "line"),
    [
        ("tagline.yaml:3:5", "tagline.yaml", 3),
        ("main:tagline.yaml:3:5", "tagline.yaml", 3),
        ("tagline.yaml at 0123456789ab:7:1", "tagline.yaml", 7),
        ("src/requirements.txt:12", "src/requirements.txt", 12),
    ],
)
def test_the_line_that_an_error_speaks_of_is_found(where: str, file: str, line: int) -> None:
    place = place_of(where, "x")
    assert place
    assert (place.file, place.line) == (file, line)


@pytest.mark.parametrize(
    "where", ["", "tests/", "http://host:80", "/etc/passwd:3", "\nfailed a.py:3", "HEAD", "a:0"]
)
def test_what_is_no_line_of_the_repository_is_no_place(where: str) -> None:
    assert place_of(where, "x") is None


def test_an_error_before_the_first_step_is_a_result_too() -> None:
    made = of_error(errors.TestsFailed("bad", where="tagline.yaml:3:5"), "pr")
    assert (made.exit_code, made.places[0].line, plain(made.headline)) == (32, 3, "Nothing was begun: `bad`")


def test_smaller_steps_belong_to_the_step_that_was_told_after_them() -> None:
    listener = Listener(lambda told: None)
    small = StepReport("lock", Outcome.DONE, "x")
    for step in (small, CHECKED):
        listener.tell(step)
    assert listener.parts(Report("pr", "", [CHECKED])) == [[small]]


def test_what_was_interrupted_is_a_result_too() -> None:
    made = interrupted("ci")
    assert (made.exit_code, plain(made.headline)) == (130, "ci was interrupted; the next call goes on")
