"""The story that `make demo` plays, from an empty repository to a bad model that is taken back by itself."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.__main__ import STORY
from demo.stage import Stage


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stage, dict[str, str]]]:
    """The stage after the story, and what each scene printed."""
    stage = Stage(tmp_path_factory.mktemp("story"))
    stage.clear()
    scenes: dict[str, str] = {}
    try:
        for scene in STORY:
            stage.heard.clear()
            scene(stage)
            scenes[scene.__name__] = "".join(stage.heard)
        yield stage, scenes
    finally:
        stage.type("tagline local down")


@pytest.mark.timeout(900)
def test_a_merge_releases_trains_and_registers_by_itself(told: tuple[Stage, dict[str, str]]) -> None:
    said = told[1]["first_model"]
    assert "release: wine 0.1.0" in said
    assert "registered model wine 0.1.0-r1" in said


def test_the_first_model_passes_by_the_floor_and_serves(told: tuple[Stage, dict[str, str]]) -> None:
    said = told[1]["first_promotion"]
    assert "the gate judges 0.1.0-r1 against the declared floor" in said
    assert "0.1.0-r1 let in" in said


def test_a_better_model_is_let_in_by_steps_and_no_request_is_lost(told: tuple[Stage, dict[str, str]]) -> None:
    said = told[1]["better_model"]
    assert "step 1 of 2: 10 %" in said
    assert "0.2.0-r1 let in" in said
    sent, lost = re.findall(r"(\d+) requests sent, (\d+) lost", said)[-1]
    assert int(sent) > 300
    assert int(lost) == 0


def test_a_model_that_fails_live_is_taken_back_and_no_client_sees_it(
    told: tuple[Stage, dict[str, str]],
) -> None:
    said = told[1]["bad_model"]
    assert "passed: on 0 of 72 rows" in said
    (bad,) = re.findall(r"0.2.1-r1 taken back: (\d+) bad responses of the canary", said)
    assert 1 <= int(bad) <= 12
    assert re.findall(r"requests sent, (\d+) lost", said)[-1] == "0"


def test_the_good_model_still_served_after_it(told: tuple[Stage, dict[str, str]]) -> None:
    first_status = told[1]["afterwards"].split("$ tagline history")[0]
    assert re.search(r"serves   0\.2\.0-r1", first_status)


def test_a_rollback_goes_one_further_and_the_ledger_is_sound(told: tuple[Stage, dict[str, str]]) -> None:
    stage, _ = told
    (place,) = json.loads(stage.type("tagline status --json", quiet=True))["places"]
    assert (place["serves"], place["decided"]) == ("0.1.0-r1", "0.1.0-r1")
    assert sorted(place["blocked"]) == ["0.2.0-r1", "0.2.1-r1"]
    assert "the ledger is sound" in stage.type("tagline verify", quiet=True)


def test_the_stage_leaves_the_surrounding_repository_alone(told: tuple[Stage, dict[str, str]]) -> None:
    assert (told[0].folder / "wine/.git").is_dir()


def test_the_story_takes_its_files_from_the_template(told: tuple[Stage, dict[str, str]]) -> None:
    assert Path(told[0].folder / "wine/tagline.yaml").read_text().startswith("pipeline: wine\n")
