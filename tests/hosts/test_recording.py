"""`tagline doctor --record-event`: what a real host gave, without anything secret, as a file of the table."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tagline.errors import EventNotUsable
from tagline.flow.views.recording import Evidence, Recording, record, write
from tagline.hosts.reading import without_host

from tests.fakes.repositories import git, linear
from tests.hosts.table import FILES, environ, load, name

TAGLINE = Path(sys.executable).with_name("tagline")
TOKEN = "glpat-0123456789abcdef"
PUSH = next(file for file in FILES if name(file) == "gitlab/push-default")
DAY = "2026-11-25"


def recorded(variables: dict[str, str], folder: Path) -> tuple[Recording, str]:
    file = folder / "recorded.json"
    write(record(variables, folder, DAY), file)
    return load(file), file.read_text()


@pytest.mark.parametrize("file", FILES, ids=name)
def test_what_is_recorded_of_an_event_is_its_file_of_the_table_again(file: Path, tmp_path: Path) -> None:
    one = load(file)
    again, _ = recorded(environ(one, tmp_path), tmp_path)
    assert (again.evidence, again.date) == (Evidence.RECORDED, DAY)
    assert (again.host, again.means, again.call) == (one.host, one.means, one.call)
    assert {k: v for k, v in again.variables.items() if k != "GITHUB_EVENT_PATH"} == one.variables
    assert one.problem in again.problem
    assert one.problem or again.payload == one.payload


def test_only_variables_of_the_table_are_kept(tmp_path: Path) -> None:
    inside = environ(load(PUSH), tmp_path) | {
        "HOME": "/home/ada",
        "CI_JOB_TOKEN": TOKEN,
        "DB_HOST": "db.acme",
    }
    _, text = recorded(inside, tmp_path)
    assert [word for word in ("HOME", "TOKEN", TOKEN, "db.acme") if word in text] == []


@pytest.mark.parametrize("secret", ["CI_JOB_TOKEN", "DB_PASSWORD", "AWS_SECRET_ACCESS_KEY", "api_key"])
def test_the_value_of_a_secretly_named_variable_is_masked_wherever_it_stands(
    secret: str, tmp_path: Path
) -> None:
    inside = environ(load(PUSH), tmp_path) | {
        secret: TOKEN,
        "CI_PIPELINE_URL": f"https://x.example/?q={TOKEN}",
    }
    kept, text = recorded(inside, tmp_path)
    assert TOKEN not in text
    assert kept.variables["CI_PIPELINE_URL"] == "https://x.example/?q=***"
    assert kept.call and kept.call.run.url == "https://x.example/?q=***"


def test_the_credentials_of_an_address_are_masked(tmp_path: Path) -> None:
    inside = environ(load(PUSH), tmp_path) | {
        "CI_PIPELINE_URL": "https://ada:hunter2hunter2@gitlab.example/1"
    }
    kept, text = recorded(inside, tmp_path)
    assert "hunter2" not in text
    assert kept.variables["CI_PIPELINE_URL"] == "https://***@gitlab.example/1"


def test_without_the_masking_the_token_would_be_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tagline.flow.views.recording.masked", lambda value, environ: value)
    inside = environ(load(PUSH), tmp_path) | {
        "CI_JOB_TOKEN": TOKEN,
        "CI_PIPELINE_URL": f"https://x/?q={TOKEN}",
    }
    assert TOKEN in recorded(inside, tmp_path)[1]


def test_the_workspace_of_a_shallow_detached_checkout_is_recorded(tmp_path: Path) -> None:
    bare, clone = linear(tmp_path, "feat: one", "fix: two", "fix: three")
    job = tmp_path / "job"
    clone.git("clone", "--quiet", "--depth=2", f"file://{bare.path}", str(job))
    git(job, "checkout", "--quiet", "--detach")
    found = record(environ(load(PUSH), tmp_path), job, DAY).workspace
    assert found and (found.commit, found.branch, found.depth) == (clone.head(), "", 2)


def test_outside_a_host_there_is_nothing_to_record(tmp_path: Path) -> None:
    with pytest.raises(EventNotUsable, match="no CI host"):
        record({"CI": "true"}, tmp_path, DAY)


def test_the_command_writes_the_file_and_says_what_it_read(tmp_path: Path) -> None:
    inside = without_host(os.environ) | environ(load(PUSH), tmp_path)
    done = subprocess.run(
        [TAGLINE, "doctor", "--record-event", "event.json"],
        cwd=tmp_path,
        env=inside,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (0, "wrote event.json: gitlab says merge\n"), done.stderr
    assert load(tmp_path / "event.json").call == load(PUSH).call


def test_the_command_fails_where_nobody_calls(tmp_path: Path) -> None:
    done = subprocess.run(
        [TAGLINE, "doctor", "--record-event", "event.json"],
        cwd=tmp_path,
        env=without_host(os.environ),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == EventNotUsable.exit_code
    assert not (tmp_path / "event.json").exists()
