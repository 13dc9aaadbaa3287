"""Everything that a real 2.17.0 server was recorded to answer, the fake answers too."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.contract import replay
from tests.fakes.kfp.world import Quirks

RECORDED = Path(__file__).parents[2] / "fakes/kfp/recorded"
EQUAL = {
    "traces": 161,
    "database": 362,
    "database-utf8mb4": 159,
    "multiuser": 271,
    "k8s-native": 312,
}


@pytest.mark.parametrize("name", EQUAL)
def test_every_recorded_request_is_answered_alike_or_the_difference_has_a_reason(name: str) -> None:
    path = RECORDED / f"{name}.jsonl"

    outcome = replay.replay(path)

    assert not replay.unexplained(outcome, replay.reasons(path))
    assert outcome.equal >= EQUAL[name], outcome.line()


@pytest.mark.parametrize(
    ("quirk", "name", "label"),
    [
        ("upload_hides_denial", "multiuser", "pipeline.upload.private-a.bob"),
        ("any_namespace_by_name", "multiuser", "pipeline.by-name.no-ns.alice"),
        ("names_fold", "database", "upload.name.accent2"),
    ],
)
def test_a_fake_that_is_better_than_the_real_one_differs(quirk: str, name: str, label: str) -> None:
    path = RECORDED / f"{name}.jsonl"

    outcome = replay.replay(path, quirks=replace(Quirks(), **{quirk: False}))

    unexplained = replay.unexplained(outcome, replay.reasons(path))
    assert label in [one.label for one, _ in unexplained]


def test_the_command_ends_with_the_three_numbers_and_says_whether_all_is_explained(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert replay.main([str(RECORDED / "traces.jsonl")]) == 0

    assert capsys.readouterr().out.splitlines()[-1] == "161 equal, 0 differ, 0 not replayable"


def test_in_the_wrong_mode_the_same_recording_differs_and_the_command_fails(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert replay.main([str(RECORDED / "traces.jsonl"), "--mode", "multiuser"]) == 1

    assert " 0 differ" not in capsys.readouterr().out.splitlines()[-1]


def test_lines_that_are_no_requests_are_counted_as_not_replayable(capsys: pytest.CaptureFixture[str]) -> None:
    assert replay.main([str(RECORDED / "k8s-native-kubectl.jsonl")]) == 0

    assert capsys.readouterr().out.splitlines()[-1] == "0 equal, 0 differ, 68 not replayable"
