"""The command line itself: nothing done says so, a dry run changes nothing, JSON is JSON, help has examples."""

import subprocess
import sys

import pytest
from tagline.cli.main import COMMANDS

from tests.flow.stage import Desk

HEAVY = {"click", "kfp", "msgspec", "yaml", "aiohttp", "rich", "copier", "kubernetes", "kserve"}
LOCAL = ["up", "down", "status", "logs", "traffic"]


def helped(*words: str) -> str:
    """The help of a command."""
    argv = [sys.executable, "-m", "tagline", *words, "--help"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=120, check=True)
    return done.stdout


@pytest.mark.parametrize("words", [[], *([name] for name in COMMANDS), *(["local", name] for name in LOCAL)])
def test_every_help_has_an_example_that_begins_with_the_command(words: list[str]) -> None:
    examples = helped(*words).partition("Examples:")[2]
    assert f"  {' '.join(['tagline', *words])}" in examples


def test_help_names_every_command_and_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom tagline.cli.main import run\nassert run(['--help']) == 0\n"
        "print('LOADED', *sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True
    )
    text, _, loaded = done.stdout.partition("LOADED")
    assert all(f"  {name} " in text for name in COMMANDS)
    assert HEAVY.isdisjoint(loaded.split())


def test_the_overview_is_the_same_with_and_without_click() -> None:
    from click.testing import CliRunner
    from tagline.cli.group import cli
    from tagline.cli.main import overview

    assert CliRunner().invoke(cli, ["--help"]).output == overview()


def test_a_misspelt_command_names_the_nearest(desk: Desk) -> None:
    found = desk.tagline("promot")
    assert found.code == 2
    assert "Did you mean 'promote'?" in found.err


def test_a_home_that_cannot_be_made_names_the_variable_to_set(desk: Desk) -> None:
    found = desk.tagline("ci", TAGLINE_HOME=str(desk.folder / "gitconfig"))
    assert found.code == 20
    assert "cannot make the local platform's folder" in found.err
    assert "TAGLINE_HOME" in found.err.partition("fix:")[2]


def test_a_commit_that_changes_only_documents_releases_nothing_and_says_so(released: Desk) -> None:
    released.clone.write({"docs/more.md": "more\n", "README.md": "read\n"})
    released.merge("docs: more")
    before = released.refs()
    found = released.tagline("ci")
    assert found.code == 0
    assert "merge: nothing to do: no commit since 0.1.0 affects tiny (1 commit looked at)" in found.out
    assert released.refs() == before


def test_nothing_to_do_is_said_in_json_too(released: Desk) -> None:
    found = released.tagline("ci", "--json")
    report = found.json()
    assert found.code == 0
    assert report["exit_code"] == 0
    assert [(step["outcome"], step["why"]) for step in report["steps"]] == [
        ("nothing to do", "already released as 0.1.0")
    ]


@pytest.mark.parametrize(
    ("words", "code", "what"),
    [
        (["promote", "tiyn", "--to", "prod"], 21, "unknown model 'tiyn'"),
        (["history", "--limit"], 2, "--limit"),
        (["status"], 12, "remote"),
    ],
)
def test_an_error_before_any_step_is_json_on_stdout_and_text_on_stderr(
    desk: Desk, words: list[str], code: int, what: str
) -> None:
    if code == 12:
        desk.clone.git("remote", "remove", "origin")
    found = desk.tagline(*words, "--json")
    error = found.json()["error"]
    assert found.code == error["code"] == code, found
    assert what in error["what"]
    assert sorted(error) == ["code", "fix", "what", "where"]
    assert error["fix"] in found.err and error["where"] in found.err
    assert desk.tagline(*words).out == ""


def test_a_failure_is_json_too(desk: Desk) -> None:
    desk.change("src/serve.py", "int(", "float(")
    found = desk.tagline("release", "--json")
    report = found.json()
    assert found.code == report["exit_code"] == 13
    assert report["steps"][-1]["outcome"] == "failed"
    assert "the work tree differs from HEAD" in report["error"]


def test_a_pull_request_is_checked_and_told_what_a_merge_would_release(released: Desk) -> None:
    released.clone.git("switch", "--quiet", "--create", "topic")
    released.change("src/serve.py", "int(", "float(")
    released.clone.commit("feat: floats")
    before = released.refs()
    found = released.tagline("ci", "--dry-run")
    assert found.code == 0
    assert "plan for pr of topic:" in found.out
    assert "a merge would release 0.2.0: a feature since 0.1.0: feat: floats" in found.out
    assert released.tagline("ci").code == 0
    assert released.refs() == before


def test_a_dry_run_prints_the_plan_and_changes_nothing(desk: Desk) -> None:
    before = desk.refs()
    found = desk.tagline("ci", "--dry-run")
    assert found.code == 0
    assert "plan for merge of main:" in found.out
    steps = ["check", "smoke", "release", "training"]
    assert [line.split()[0] for line in found.out.splitlines()[1:]] == steps
    assert "0.1.0" in found.out
    assert desk.refs() == before
    assert not (desk.home / "runs").exists()
    plan = desk.tagline("ci", "--dry-run", "--json").json()
    assert [step["type"] for step in plan["steps"]] == ["Check", "Smoke", "MakeRelease", "Train"]


def test_status_and_history_are_json_for_programs(served: Desk) -> None:
    status = served.tagline("status", "--json").json()
    place = next(one for one in status["places"] if one["env"] == "prod")
    assert (place["asked_version"], place["decided"], place["serves"]) == ("0.1.0-r1",) * 3
    assert status["next"] == "tagline local up"
    history = served.tagline("history", "--json").json()
    assert [entry["event"] for entry in history] == served.kinds()
    only = served.tagline("history", "--json", "--env", "staging").json()
    assert [entry["event"] for entry in only] == ["released", "uploaded", "trained"]


def test_a_schedule_with_nothing_open_says_so(released: Desk) -> None:
    found = released.tagline("ci", "--event", "schedule")
    assert found.code == 0
    assert "schedule: nothing to do: no open promotion, no finished training to register" in found.out


def test_a_release_tag_needs_nothing_more(released: Desk) -> None:
    found = released.tagline("ci", "--event", "tag", "--ref", "v0.1.0")
    assert found.code == 0
    assert "tag: nothing to do: v0.1.0 is no promotion tag" in found.out


def test_a_tag_that_is_not_on_the_remote_is_an_error(released: Desk) -> None:
    found = released.tagline("ci", "--event", "tag", "--ref", "promote/prod/tiny/9")
    assert found.code == 10
    assert "the remote has no tag promote/prod/tiny/9" in found.err
    assert "fix:   git push origin refs/tags/promote/prod/tiny/9" in found.err


def test_train_does_one_thing_at_a_time_and_on_one_machine_a_failed_training_begins_anew(
    released: Desk,
) -> None:
    both = released.tagline("train", "--cancel", "--retry")
    assert (both.code, "one of --smoke, --cancel and --retry" in both.err) == (2, True), both
    retried = released.tagline("train", "--retry")
    assert retried.code == 22, retried
    assert "tagline train --release 0.1.0" in retried.err
