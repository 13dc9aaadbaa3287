"""A tagline.yaml that is broken, misspelt, or asks for what a later version brings: refused by name and place."""

import pytest

from tests.flow.stage import Desk

FILE = "tagline.yaml"
LATER = [
    ("approvals: {prod: 2}\n", "approvals"),
    ("signers: [ada@example.org]\n", "signers"),
    ("schedules: {nightly: {cron: '0 3 * * *'}}\n", "schedules"),
]


def written(desk: Desk, text: str) -> None:
    (desk.clone.path / FILE).write_text(text)


def added(desk: Desk, line: str) -> None:
    with (desk.clone.path / FILE).open("a") as file:
        file.write(line)


def test_broken_yaml_is_refused_with_its_line(desk: Desk) -> None:
    written(desk, "pipeline: tiny\nserving: {runtime: sklearn\ngate: [\n")
    desk.merge("feat: broken")
    before = desk.refs()
    found = desk.tagline("ci")
    assert found.code == 20
    assert "broken YAML" in found.err
    assert "where: main:tagline.yaml:3:5" in found.err
    assert desk.refs() == before


@pytest.mark.parametrize("command", ["check", "compile"])
def test_broken_yaml_in_the_work_tree_is_found_before_a_commit(desk: Desk, command: str) -> None:
    written(desk, "pipeline: tiny\nserving: {runtime: sklearn\n")
    found = desk.tagline(command)
    assert found.code == 20
    assert FILE in found.err


def test_an_unknown_key_is_refused_with_line_column_and_the_nearest(desk: Desk) -> None:
    desk.change(FILE, "environments:", "enviroments:")
    desk.merge("feat: misspelt")
    before = desk.refs()
    found = desk.tagline("ci")
    assert found.code == 20
    assert "unknown key 'enviroments'" in found.err
    assert "where: main:tagline.yaml:2:1" in found.err
    assert "environments" in found.err.partition("fix:")[2]
    assert desk.refs() == before


def test_an_unknown_key_deep_inside_is_refused_where_it_stands(desk: Desk) -> None:
    desk.change(FILE, "floor: 0.60", "flor: 0.60")
    found = desk.tagline("check")
    assert found.code == 20
    assert "flor" in found.err
    assert "tagline.yaml:8:37" in found.err
    assert "'floor'" in found.err


def test_a_wrong_value_is_refused_where_it_stands(desk: Desk) -> None:
    desk.change(FILE, "floor: 0.60", "floor: sixty")
    found = desk.tagline("check")
    assert found.code == 20
    assert "tagline.yaml:8:" in found.err
    assert "floor" in found.err


@pytest.mark.parametrize(
    ("line", "what", "fix"),
    [
        (
            "parameters: {seconds: soon}\n",
            "parameters.seconds: parameter 'seconds' is 'soon', the pipeline wants NUMBER_DOUBLE",
            "give it a number",
        ),
        ("smoke: {secnods: 1}\n", "smoke.secnods: unknown parameter", "'seconds'"),
    ],
)
def test_a_parameter_that_the_pipeline_cannot_take_is_refused_by_check_where_it_stands(
    desk: Desk, line: str, what: str, fix: str
) -> None:
    added(desk, line)
    found = desk.tagline("check")
    assert found.code in {20, 21}, found
    assert what in found.err
    assert "tagline.yaml:10:" in found.err
    assert fix in found.err.partition("fix:")[2]


@pytest.mark.parametrize(("line", "name"), LATER)
def test_what_a_later_version_brings_is_refused_by_name(desk: Desk, line: str, name: str) -> None:
    added(desk, line)
    desk.merge("feat: later")
    before = desk.refs()
    found = desk.tagline("ci")
    assert found.code == 22
    assert name in found.err
    assert FILE in found.err
    assert desk.refs() == before


def test_several_metrics_are_refused_by_name(desk: Desk) -> None:
    desk.change(FILE, "metrics: {wrong: {", "metrics: {slow: {max_drop: 0.1}, wrong: {")
    desk.merge("feat: two metrics")
    found = desk.tagline("ci")
    assert found.code == 22
    assert "gate.metrics has 2 metrics" in found.err
    assert "exactly one" in found.err


def test_a_policy_that_breaks_on_main_stops_a_promotion_from_an_older_commit(released: Desk) -> None:
    assert released.tagline("promote", "tiny", "--to", "prod").code == 0
    added(released, "approvals: {prod: 2}\n")
    released.merge("docs: more care")
    before = released.refs()
    released.clone.git("checkout", "--quiet", "HEAD^")
    found = released.tagline("ci", "--event", "tag", "--ref", "promote/prod/tiny/1")
    assert found.code == 22
    assert "approvals" in found.err
    assert "where: main:tagline.yaml:10:1" in found.err
    assert released.refs() == before


def test_an_unknown_environment_names_the_nearest(released: Desk) -> None:
    before = released.refs()
    found = released.tagline("promote", "tiny", "--to", "prd")
    assert found.code == 21
    assert "unknown environment 'prd'" in found.err
    assert "did you mean 'prod'? known: prod, staging" in found.err
    assert released.refs() == before


@pytest.mark.parametrize(
    "command",
    [
        ["promote", "tinny", "--to", "prod"],
        ["rollback", "tinny", "--env", "prod"],
        ["unblock", "tinny", "0.1.0-r1", "--env", "prod", "--reason", "checked"],
    ],
)
def test_an_unknown_model_names_the_nearest(released: Desk, command: list[str]) -> None:
    before = released.refs()
    found = released.tagline(*command)
    assert found.code == 21
    assert "unknown model 'tinny'" in found.err
    assert "did you mean 'tiny'?" in found.err
    assert released.refs() == before


def test_a_tag_made_by_hand_for_an_unknown_environment_is_an_error_and_no_event(released: Desk) -> None:
    released.clone.tag("promote/prdo/tiny/1", message="Promote tiny\n")
    before = released.refs()
    found = released.tagline("ci", "--event", "tag", "--ref", "promote/prdo/tiny/1")
    assert found.code == 21
    assert "unknown environment 'prdo'" in found.err
    assert "did you mean 'prod'?" in found.err
    assert "the tag promote/prdo/tiny/1" in found.err
    assert "take the tag back: git push origin :refs/tags/promote/prdo/tiny/1" in found.err
    assert released.refs() == before


def test_a_label_that_the_frozen_data_lack_is_found_by_check(desk: Desk) -> None:
    desk.change(FILE, "label: label", "label: lable")
    found = desk.tagline("check")
    assert found.code == 60, found
    assert "no column 'lable'" in found.err


@pytest.mark.parametrize("version", ["1.0", "0.1.0", "latest"])
def test_a_word_that_is_no_version_is_refused_with_its_grammar(released: Desk, version: str) -> None:
    found = released.tagline("promote", "tiny", "--to", "prod", "--version", version)
    assert found.code == 24
    assert f"{version!r} is not a model version" in found.err
    assert "such as 1.4.0-r3" in found.err


def test_a_name_against_its_grammar_is_refused_with_it(desk: Desk) -> None:
    desk.change(FILE, "[staging, prod]", "[staging, Prod_EU]")
    found = desk.tagline("check")
    assert found.code == 24
    assert "'Prod_EU' is not an environment" in found.err
