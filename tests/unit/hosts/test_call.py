"""What a host's call means here: the branches that release decide, and a dispatch is no change."""

import pytest
from tagline.hosts import Host
from tagline.hosts.call import Call, Event, Trigger, event_of
from tagline.hosts.reading import VARIABLES, read_call, read_run, without_host

LINES = ["main", "release/1.4"]


@pytest.mark.parametrize(
    ("trigger", "ref", "event"),
    [
        (Trigger.PUSH, "main", Event.MERGE),
        (Trigger.PUSH, "release/1.4", Event.MERGE),
        (Trigger.PUSH, "topic", Event.PR),
        (Trigger.PULL_REQUEST, "main", Event.PR),
        (Trigger.TAG, "main", Event.TAG),
        (Trigger.SCHEDULE, "topic", Event.SCHEDULE),
        (Trigger.DISPATCH, "main", Event.SCHEDULE),
        (Trigger.DISPATCH, "release/1.4", Event.MERGE),
        (Trigger.DISPATCH, "topic", Event.PR),
    ],
)
def test_a_trigger_and_its_ref_are_one_event(trigger: Trigger, ref: str, event: Event) -> None:
    assert event_of(Call(host=Host.GITHUB, trigger=trigger, ref=ref), LINES) is event


def test_without_a_host_nobody_calls() -> None:
    assert read_call({"BRANCH_NAME": "main", "CI": "true"}) is None
    assert read_run({"BUILD_URL": "https://elsewhere.example/"}).url == ""


@pytest.mark.parametrize("host", VARIABLES)
def test_the_variables_of_a_host_can_be_taken_away(host: Host) -> None:
    inside = dict.fromkeys(VARIABLES[host], "jenkins-1") | {"PATH": "/bin"}
    assert without_host(inside) == {"PATH": "/bin"}
    assert read_call(without_host(inside)) is None
