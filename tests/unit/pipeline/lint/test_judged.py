"""The list of judged findings says what it is said to say: enough, precise, and of rules that there are."""

import re
from collections import Counter

from tagline.pipeline.lint import registry

from tests.fakes.machine import ROOT
from tests.judged.listing import Entry, entries, table

JUDGED = entries()
PAGE = (ROOT / "docs/explanation/lint.md").read_text()


def key(entry: Entry) -> tuple[str, ...]:
    return entry.repository, entry.commit, entry.path, entry.rule, entry.line, entry.place


def test_two_hundred_findings_and_more_are_judged() -> None:
    assert len(JUDGED) >= 200


def test_nine_of_ten_are_right() -> None:
    assert sum(each.right for each in JUDGED) / len(JUDGED) >= 0.9


def test_no_finding_is_counted_twice_but_where_a_place_holds_several() -> None:
    assert [place for place, count in Counter(map(key, JUDGED)).items() if count > 1] == []


def test_each_entry_names_a_commit_a_rule_a_verdict_and_why() -> None:
    for each in JUDGED:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+", each.repository)
        assert re.fullmatch("[0-9a-f]{40}", each.commit)
        assert each.rule in registry.BY_ID
        assert each.verdict in ("right", "wrong")
        assert each.why


def test_every_rules_count_stands_in_the_page() -> None:
    assert table(JUDGED) in PAGE
