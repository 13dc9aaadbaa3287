"""What the hosts are asked: who may push tags, and which pull request a commit of a fork is the head of."""

from typing import Any

import pytest
from tagline.errors import HostRefused
from tagline.hosts.api import TagRule

from tests.contract.hosts.conftest import github_at, gitlab_at
from tests.fakes.hosts.github import FakeGitHub
from tests.fakes.hosts.gitlab import FakeGitLab

COMMIT = "c" * 40


def ruleset(number: int, include: list[str], rules: list[str], **more: Any) -> dict[str, Any]:
    above = [{"actor_id": 5, "actor_type": "RepositoryRole", "bypass_mode": "always"}]
    made = {
        "id": number,
        "name": f"rules {number}",
        "target": "tag",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": include, "exclude": []}},
        "rules": [{"type": one} for one in rules],
        "bypass_actors": [*above, {"actor_id": 9, "actor_type": "Team", "bypass_mode": "always"}],
    }
    return made | more


def test_github_tells_the_active_rules_over_tags_and_who_is_above_them(fake_github: FakeGitHub) -> None:
    all_three = ["creation", "update", "deletion"]
    fake_github.rulesets = [
        ruleset(1, ["refs/tags/promote/**/*"], all_three),
        ruleset(2, ["~ALL"], ["deletion"]),
        ruleset(3, ["refs/tags/*"], all_three, enforcement="disabled"),
        ruleset(4, ["refs/heads/*"], all_three, target="branch"),
    ]
    assert github_at(fake_github).tag_rules() == [
        TagRule("refs/tags/promote/**/*", ["role admin", "Team 9"], True),
        TagRule("~ALL", None, False),
    ]


def test_github_hides_who_is_above_from_a_token_that_may_not_change_it(fake_github: FakeGitHub) -> None:
    fake_github.rulesets = [ruleset(1, ["refs/tags/promote/**/*"], ["creation"])]
    (rule,) = github_at(fake_github, "ghs_reader").tag_rules()
    assert rule.creators == ["not shown to this token"]


def test_gitlab_tells_its_protected_tags(fake_gitlab: FakeGitLab) -> None:
    level = {"id": 1, "access_level": 40, "access_level_description": "Maintainers"}
    fake_gitlab.protected = [{"name": "promote/*", "create_access_levels": [level]}]
    assert gitlab_at(fake_gitlab).tag_rules() == [TagRule("promote/*", ["Maintainers"], True, True)]


def test_gitlab_tells_them_to_maintainers_only(fake_gitlab: FakeGitLab) -> None:
    with pytest.raises(HostRefused) as caught:
        gitlab_at(fake_gitlab, "glpat-dev").tag_rules()
    assert "role Maintainer" in caught.value.fix


def test_github_finds_the_open_pull_request_of_a_forks_commit(fake_github: FakeGitHub) -> None:
    fake_github.pull(3, "eve/fraud", "topic", COMMIT, state="closed")
    fake_github.pull(4, "eve/fraud", "topic", "d" * 40)
    fake_github.pull(5, "eve/other", "topic", COMMIT)
    fake_github.pull(6, "mallory/fraud", "topic", COMMIT)
    client = github_at(fake_github)
    assert client.pull_request("eve/fraud", "topic", COMMIT) is None
    fake_github.pull(9, "eve/fraud", "topic", COMMIT)
    assert client.pull_request("eve/fraud", "topic", COMMIT) == 9


def test_a_branch_with_hostile_letters_asks_for_that_branch_alone(fake_github: FakeGitHub) -> None:
    branch = "x&state=all&head=../../#"
    fake_github.pull(9, "eve/fraud", branch, COMMIT)
    assert github_at(fake_github).pull_request("eve/fraud", branch, COMMIT) == 9
    assert fake_github.asked[-1].query["state"] == "open"


def test_gitlab_finds_the_open_merge_request_of_a_forks_commit(fake_gitlab: FakeGitLab) -> None:
    one = {"iid": 3, "sha": COMMIT, "state": "merged", "source_project_id": 77}
    fake_gitlab.requests = [one, {**one, "iid": 4, "state": "opened", "source_project_id": 78}]
    client = gitlab_at(fake_gitlab)
    assert client.pull_request("77", "topic", COMMIT) is None
    fake_gitlab.requests.append({**one, "iid": 5, "state": "opened"})
    assert client.pull_request("77", "topic", COMMIT) == 5
