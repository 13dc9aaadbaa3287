"""The list of judged findings says what it is said to say: enough, precise, and of rules that there are."""

import csv
import re
from collections import Counter

from tagline.pipeline.lint import registry

from tests.fakes.machine import ROOT
from tests.judged.listing import CHOSEN, HELD_OUT, Entry, entries, precision, table

JUDGED = entries()
HELD = entries(HELD_OUT)
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
    for each in [*JUDGED, *HELD]:
        assert re.fullmatch(r"[\w.-]+/[\w.-]+", each.repository)
        assert re.fullmatch("[0-9a-f]{40}", each.commit)
        assert each.rule in registry.BY_ID
        assert each.verdict in ("right", "wrong")
        assert each.why


def test_every_rules_count_stands_in_the_page() -> None:
    assert table(JUDGED) in PAGE


def test_two_hundred_findings_are_judged_that_the_rules_had_not_been_mended_on() -> None:
    assert len(HELD) >= 200
    assert all(each.says for each in HELD)
    assert not {each.repository for each in HELD} & {each.repository for each in JUDGED}


def test_the_held_out_findings_are_of_repositories_chosen_before_and_of_many_owners() -> None:
    with CHOSEN.open(newline="") as lines:
        chosen = {(row["repository"], row["commit"]) for row in csv.DictReader(lines)}
    assert {(each.repository, each.commit) for each in HELD} <= chosen
    owners = Counter(each.repository.partition("/")[0] for each in HELD)
    assert len(owners) >= 15
    assert max(owners.values()) <= len(HELD) / 5


def test_no_held_out_finding_is_counted_twice() -> None:
    assert [
        place for place, count in Counter((*key(each), each.says) for each in HELD).items() if count > 1
    ] == []


def test_the_held_out_precision_stands_in_the_page_as_it_is() -> None:
    assert precision(HELD) in PAGE
