"""Who may push promotion tags: what the host's rules come to, and what to paste where they are missing."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from tagline.config import Config
from tagline.flow import platforms
from tagline.flow.views.guards import judge, look, matches, snippet
from tagline.hosts import Host
from tagline.hosts.api import TagRule

from tests.fakes.hosts import jobs
from tests.fakes.hosts.github import FakeGitHub
from tests.fakes.hosts.gitlab import FakeGitLab
from tests.fakes.repositories import linear

OWN = Config(pipeline="fraud", environments=["staging", "prod"])
TAGLINE = str(Path(sys.executable).with_name("tagline"))


@pytest.mark.parametrize(
    ("pattern", "slashes", "fits"),
    [
        ("refs/tags/promote/**/*", False, True),
        ("refs/tags/promote/prod/**", False, True),
        ("refs/tags/promote/*/*/*", False, True),
        ("refs/tags/promote/*", False, False),
        ("refs/tags/*", False, False),
        ("refs/tags/**", False, True),
        ("~ALL", False, True),
        ("refs/tags/promote/staging/**", False, False),
        ("promote/*", True, True),
        ("*", True, True),
        ("promote/prod/*", True, True),
        ("promote", True, False),
        ("promote/pro?/fraud/1", True, True),
        ("v*", True, False),
        ("promote/prod/fraud/[0-9]", True, False),
    ],
)
def test_a_pattern_is_read_as_its_host_reads_it(pattern: str, slashes: bool, fits: bool) -> None:
    assert matches(TagRule(pattern, None, True, slashes), "promote/prod/fraud/1") is fits


def test_a_rule_over_all_tells_who_may_create() -> None:
    found = list(judge([TagRule("refs/tags/promote/**/*", ["role admin"], True)], OWN))
    assert [one.level for one in found] == ["ok", "ok"]
    assert found[1].what == "promote/prod/**: created by role admin only"


def test_an_environment_without_a_rule_is_named() -> None:
    found = list(judge([TagRule("promote/prod/*", ["Maintainers"], True, True)], OWN))
    assert [one.what for one in found if one.level == "note"] == [
        "promote/staging/**: everybody who may push may ask for a promotion",
        "promote/staging/**: these tags may be moved and deleted",
    ]


def test_a_rule_that_only_keeps_tags_lets_everybody_ask() -> None:
    found = list(judge([TagRule("~ALL", None, True)], OWN))
    assert [one.level for one in found] == ["note", "note"]


def test_a_rule_over_one_model_of_two_is_none_over_the_environment() -> None:
    own = Config(pipeline="fraud", models={"fraud": {}, "risk": {}})  # type: ignore[dict-item]
    found = list(judge([TagRule("promote/prod/fraud/*", ["Maintainers"], True, True)], own))
    assert found[0].level == "note"


def test_the_snippet_for_github_is_a_command_with_a_ruleset_in_json() -> None:
    text = snippet(Host.GITHUB, {"GITHUB_REPOSITORY": "team/fraud"}, OWN)
    body = json.loads(text.partition("<<'JSON'\n")[2].partition("\nJSON\n")[0])
    assert body["conditions"]["ref_name"]["include"] == ["refs/tags/promote/**/*"]
    assert {rule["type"] for rule in body["rules"]} == {"creation", "update", "deletion"}
    assert "repos/team/fraud/environments/prod/deployment-branch-policies -f name=main" in text
    assert (
        subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True, timeout=10).returncode == 0
    )


def test_the_snippet_for_gitlab_is_commands_with_json_in_them() -> None:
    text = snippet(Host.GITLAB, {"CI_API_V4_URL": "https://g/api/v4", "CI_PROJECT_ID": "42"}, OWN)
    first, staging, prod = (shlex.split(line) for line in text.strip().splitlines())
    assert first[-1] == "https://g/api/v4/projects/42/protected_tags?name=promote/*&create_access_level=40"
    assert json.loads(prod[prod.index("--data") + 1])["name"] == "prod"
    assert "staging" in staging[staging.index("--data") + 1]


def said(folder: Path, environ: dict[str, str]) -> str:
    return "\n".join(f"{one.level} {one.what} {one.fix}" for one in look(folder, environ))


def test_the_host_is_asked_where_that_is_allowed_and_else_nothing_is_claimed(tmp_path: Path) -> None:
    gitlab = FakeGitLab()
    level = {"access_level": 40, "access_level_description": "Maintainers"}
    gitlab.protected = [{"name": "promote/*", "create_access_levels": [level]}]
    with gitlab.running():
        job = jobs.gitlab_job(gitlab)
        asked = said(tmp_path, job | {"TAGLINE_DOCTOR_TOKEN": "glpat-bot"})
        unasked = said(tmp_path, job)
        refused = said(tmp_path, job | {"TAGLINE_DOCTOR_TOKEN": "glpat-dev"})
    assert asked == "ok promote/prod/**: created by Maintainers only "
    assert "not checked (TAGLINE_DOCTOR_TOKEN is not set)" in unasked
    assert f"{gitlab.api}/projects/42/protected_tags?name=promote/*&create_access_level=40" in unasked
    assert "not checked (GitLab answered 403" in refused
    assert "role Maintainer" in refused
    assert "glpat-" not in refused + unasked


def test_missing_rules_at_github_are_named_and_printed(tmp_path: Path) -> None:
    host = FakeGitHub()
    with host.running():
        job = jobs.github_job(host, tmp_path, "push", {}, "refs/heads/main")
        text = said(tmp_path, job | {"TAGLINE_DOCTOR_TOKEN": "ghp_ada"})
    assert "promote/prod/**: everybody who may push may ask for a promotion" in text
    assert "gh api --method POST repos/team/fraud/rulesets" in text


def test_doctor_outside_of_every_host_says_not_checked(tmp_path: Path) -> None:
    linear(tmp_path)
    env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TAGLINE_HOME": str(tmp_path / "home")}
    done = subprocess.run(
        [TAGLINE, "doctor"], cwd=tmp_path / "work", env=env, capture_output=True, text=True, timeout=60
    )
    assert "who may push promotion tags: not checked (no CI host calls here)" in done.stdout


def test_the_environments_of_a_platform_file_are_looked_at_too(tmp_path: Path) -> None:
    file, work = tmp_path / "platform.yaml", tmp_path / "work"
    work.mkdir()
    file.write_text("name: company\ndefaults:\n  environments: [qa]\n")
    (work / "tagline.yaml").write_text("pipeline: fraud\nplatform: company\n")
    host = FakeGitHub()
    with host.running():
        job = jobs.github_job(host, tmp_path, "push", {}, "refs/heads/main")
        job |= {"TAGLINE_DOCTOR_TOKEN": "ghp_ada", platforms.VARIABLE: str(file)}
        text = said(work, job)
    assert "promote/qa/**: everybody who may push may ask for a promotion" in text
