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
        (Trigger.SCHEDULE, "main", Event.SCHEDULE),
        (Trigger.SCHEDULE, "", Event.SCHEDULE),
        (Trigger.SCHEDULE, "release/1.4", Event.MERGE),
        (Trigger.SCHEDULE, "topic", Event.PR),
        (Trigger.DISPATCH, "main", Event.SCHEDULE),
        (Trigger.DISPATCH, "release/1.4", Event.MERGE),
        (Trigger.DISPATCH, "topic", Event.PR),
    ],
)
def test_a_trigger_and_its_ref_are_one_event(trigger: Trigger, ref: str, event: Event) -> None:
    assert event_of(Call(host=Host.GITHUB, trigger=trigger, ref=ref), LINES) is event


@pytest.mark.parametrize(
    ("causes", "trigger"),
    [
        ("hudson.triggers.TimerTrigger$TimerTriggerCause", Trigger.SCHEDULE),
        ("jenkins.branch.BranchEventCause,hudson.triggers.TimerTrigger$TimerTriggerCause", Trigger.PUSH),
        ("jenkins.branch.BranchEventCause,hudson.model.Cause$UserIdCause", Trigger.PUSH),
        ("hudson.model.Cause$UserIdCause", Trigger.DISPATCH),
    ],
)
def test_a_push_among_the_causes_of_a_jenkins_build_is_never_lost(causes: str, trigger: Trigger) -> None:
    call = read_call({"JENKINS_URL": "http://j/", "BRANCH_NAME": "main", "TAGLINE_BUILD_CAUSES": causes})
    assert call is not None
    assert call.trigger is trigger


def test_a_schedule_of_a_tag_is_the_tags_job() -> None:
    given = {"GITLAB_CI": "true", "CI_PIPELINE_SOURCE": "schedule", "CI_COMMIT_TAG": "promote/prod/wine/1"}
    call = read_call(given)
    assert call is not None
    assert call.trigger is Trigger.TAG


def test_without_a_host_nobody_calls() -> None:
    assert read_call({"BRANCH_NAME": "main", "CI": "true"}) is None
    assert read_run({"BUILD_URL": "https://elsewhere.example/"}).url == ""


@pytest.mark.parametrize("host", VARIABLES)
def test_the_variables_of_a_host_can_be_taken_away(host: Host) -> None:
    inside = dict.fromkeys(VARIABLES[host], "jenkins-1") | {"PATH": "/bin"}
    assert without_host(inside) == {"PATH": "/bin"}
    assert read_call(without_host(inside)) is None
