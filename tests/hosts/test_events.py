"""Every event of every CI host, from the table of files: its variables mean what the file says."""

import re
from pathlib import Path

import pytest
from tagline.errors import EventNotUsable
from tagline.hosts import Host
from tagline.hosts.call import Trigger, event_of
from tagline.hosts.reading import VARIABLES, read_call

from tests.hosts.table import FILES, environ, load, name

LINES = ["main", "release/1.4"]
EVENTS = {"merge", "pr", "tag", "schedule"}


@pytest.mark.parametrize("file", FILES, ids=name)
def test_the_variables_of_an_event_are_read_as_the_table_says(file: Path, tmp_path: Path) -> None:
    one = load(file)
    if one.problem:
        with pytest.raises(EventNotUsable, match=one.problem):
            read_call(environ(one, tmp_path))
        return
    call = read_call(environ(one, tmp_path))
    assert call == one.call
    assert event_of(call, LINES) is one.means


@pytest.mark.parametrize("file", FILES, ids=name)
def test_a_file_of_the_table_says_where_it_comes_from(file: Path) -> None:
    one = load(file)
    assert one.host == file.parent.name
    assert re.fullmatch(r"2\d{3}-\d{2}-\d{2}", one.date)
    assert all(address.startswith("https://") for address in one.documentation)
    assert one.documentation or one.evidence == "recorded"
    assert set(one.variables) <= set(VARIABLES[one.host])


@pytest.mark.parametrize("host", VARIABLES)
def test_the_table_holds_every_kind_of_event_of_a_host(host: Host) -> None:
    mine = [load(file) for file in FILES if file.parent.name == host]
    assert {one.means.value for one in mine if one.means} == EVENTS
    calls = [one.call for one in mine if one.call]
    assert {call.pull.fork for call in calls if call.pull} == {True, False}
    assert Trigger.DISPATCH in {call.trigger for call in calls}
    assert host is Host.GITLAB or any(call.run.rerun for call in calls)
    spaces = [one.workspace for one in mine if one.workspace]
    assert any(space.depth for space in spaces) and not all(space.branch for space in spaces)


@pytest.mark.parametrize("host", VARIABLES)
def test_every_variable_that_is_read_is_in_some_file_of_the_table(host: Host) -> None:
    given = {variable for file in FILES if file.parent.name == host for variable in load(file).variables}
    assert set(VARIABLES[host]) - given <= {"GITHUB_EVENT_PATH"}


def test_a_payload_that_cannot_be_read_is_an_error_and_no_guess(tmp_path: Path) -> None:
    broken = tmp_path / "event.json"
    broken.write_text("{")
    variables = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": str(broken)}
    with pytest.raises(EventNotUsable, match="cannot be read"):
        read_call(variables)


def test_a_pull_request_without_a_payload_is_treated_as_a_forks() -> None:
    variables = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_REF": "refs/pull/7/merge",
    }
    call = read_call(variables)
    assert call and call.pull and (call.pull.number, call.pull.fork) == (7, True)
