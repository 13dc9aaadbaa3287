"""An override says what it overrides, and why."""

import pytest
from tagline.errors import BadWord
from tagline.flow.promoting.overrides import Override, read
from tagline.flow.promoting.wording import gate_event
from tagline.git.events import Verdict as Said
from tagline.model.gate import Counts, Outcome, Verdict
from tagline.words import Promotion


@pytest.mark.parametrize(
    ("text", "reason", "override"),
    [
        ("", "new data", None),
        ("  ", "new data", None),
        ("the hold-out is stale", "", Override(False, "the hold-out is stale")),
        ("scorer: new classes", "", Override(True, "new classes")),
        ("Scorer new classes", "", Override(True, "new classes")),
        ("scorer", "new classes", Override(True, "new classes")),
        ("scorers disagree", "", Override(False, "scorers disagree")),
    ],
)
def test_an_override_is_read_with_its_reason(text: str, reason: str, override: Override | None) -> None:
    assert read(text, reason) == override


@pytest.mark.parametrize("text", ["scorer", "scorer:", "scorer : "])
def test_an_override_without_a_reason_is_refused(text: str) -> None:
    with pytest.raises(BadWord, match="gives no reason"):
        read(text, " ")


COUNTS = Counts(rows=72, candidate_wrong=40, served_wrong=0, worse=40, better=0)
REFUSED = Verdict(Outcome.REFUSED, "loss", False, COUNTS, 0.6, 0.1, 1e-5, "worse on 40 rows")


def test_an_override_of_the_scorer_overrules_no_verdict() -> None:
    event = gate_event(Promotion("prod", "wine", 2), REFUSED, Override(True, "new classes"))
    assert event.verdict is Said.REFUSED
    assert "candidate's scorer (new classes)" in event.why


def test_an_override_of_the_gate_overrules_it_and_keeps_what_it_said() -> None:
    event = gate_event(Promotion("prod", "wine", 2), REFUSED, Override(False, "stale data"))
    assert event.verdict is Said.OVERRIDDEN
    assert event.why == "overridden (stale data); the gate said: worse on 40 rows"


def test_without_an_override_a_refusal_stands() -> None:
    assert gate_event(Promotion("prod", "wine", 2), REFUSED, None).verdict is Said.REFUSED
