"""A plan of a CI host's pull request, whose merge commit is no branch's head, carried on in a later job of the host."""

import json
from pathlib import Path

import pytest

from tests.fakes.repositories import git
from tests.flow.stage import Desk


@pytest.fixture
def merged(desk: Desk) -> Desk:
    """A desk with the merge commit of `feature` into main checked out, as GitHub's checkout leaves it."""
    desk.clone.git("switch", "--quiet", "--create", "feature")
    (desk.clone.path / "src/note.py").write_text("")
    desk.clone.commit("fix: a note")
    desk.clone.git("push", "--quiet", "origin", "feature")
    desk.clone.git("switch", "--quiet", "--detach", "main")
    desk.clone.git("merge", "--quiet", "--no-ff", "-m", "Merge feature into main", "feature")
    return desk


def of_a_pull_request(desk: Desk) -> dict[str, str]:
    """What GitHub says of a pull request from a branch of the same repository."""
    head = {"ref": "feature", "sha": git(desk.bare.path, "rev-parse", "feature")}
    head_of_ours = head | {"repo": {"full_name": "team/tiny"}}
    pull = {"number": 7, "head": head_of_ours, "base": {"ref": "main"}}
    event = Path(desk.folder / "event.json")
    event.write_text(json.dumps({"repository": {"default_branch": "main"}, "pull_request": pull}))
    return {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "pull_request",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_REPOSITORY": "team/tiny",
        "GITHUB_REF": "refs/pull/7/merge",
        "GITHUB_SHA": desk.clone.git("rev-parse", "HEAD"),
        "GITHUB_HEAD_REF": "feature",
        "GITHUB_BASE_REF": "main",
    }


def test_a_later_job_of_the_same_host_carries_on_the_plan_of_a_merge_commit(merged: Desk) -> None:
    job = of_a_pull_request(merged)
    planned = merged.tagline("plan", "-o", "plan.json", **job)
    assert planned.code == 0, planned
    done = merged.tagline("run", "plan.json", "--have", "docker", "--state", "state", **job)
    assert done.code == 0, done


def test_an_agent_outside_of_the_host_takes_the_event_from_the_plan(desk: Desk) -> None:
    planned = desk.tagline("plan", "-o", "plan.json", "--event", "pr")
    assert planned.code == 0, planned
    done = desk.tagline("run", "plan.json", "--have", "docker", "--state", "state")
    assert done.code == 0, done
