"""The pages on results and credentials: their commands run, their tables are what the code reads."""

import re
from pathlib import Path

import pytest
from tagline import config
from tagline.flow.results.waking import INTERVAL
from tagline.hosts.api import access
from tagline.render.results import files

from tests.docs.test_docs import ROOT, blocks
from tests.fakes.machine import Machine
from tests.flow.stage import new_desk

RESULTS = ROOT / "docs/how-to/results.md"
FORKS = ".github/workflows/tagline-forks.yml"
CREDENTIALS = ROOT / "docs/explanation/credentials.md"


def test_every_command_of_the_page_on_results_works_as_written(machine: Machine) -> None:
    desk = new_desk(machine.folder / "desk")
    (script,) = blocks(RESULTS, "sh")
    done = machine.shell(f"set -eu\n{script}", cwd=desk.clone.path)
    assert done.code == 0, done.out
    assert {one.name for one in (desk.clone.path / "reports").iterdir()} == set(files.FORMS)


def test_the_table_of_files_names_every_form() -> None:
    assert set(re.findall(r"^\| `([\w.-]+)` \|", RESULTS.read_text(), re.MULTILINE)) == set(files.FORMS)


def test_the_line_for_a_chat_is_a_setting() -> None:
    (setting,) = [text for text in blocks(RESULTS, "yaml") if text.startswith("webhook")]
    assert config.parse(setting, default_name="fraud").webhook == "CHAT_WEBHOOK"


def test_the_two_ways_to_comments_for_forks_work_as_written(machine: Machine) -> None:
    (text,) = [text for text in blocks(RESULTS, "text") if "--fork-comments" in text]
    new, there = text.replace("YOUR-ORG", "acme").splitlines()
    made = machine.shell(f"set -eu\n{new} --defaults\ncat fraud/{FORKS}", cwd=machine.folder)
    assert made.code == 0, made.out
    who = "git config user.name Ada && git config user.email ada@example.org"
    first = "tagline init old --defaults --ci github --library acme/tagline"
    script = f"{first}\ncd old\n{who}\ngit add -A\ngit commit -qm 'feat: x'\n{there}\ncat {FORKS}"
    added = machine.shell(f"set -eu\n{script}", cwd=machine.folder)
    assert added.code == 0, added.out
    assert f"added      {FORKS}" in added.out


@pytest.mark.parametrize(
    "name",
    [
        access.COMMENT_TOKEN,
        access.WAKE_TOKEN,
        access.WAKE_USER,
        access.WAKE_JOB,
        access.WAKE_WORKFLOW,
        access.DOCTOR_TOKEN,
        INTERVAL,
    ],
)
def test_every_variable_is_in_the_table(name: str) -> None:
    rows = [line for line in CREDENTIALS.read_text().splitlines() if line.startswith("| `TAGLINE_")]
    assert any(f"`{name}`" in row for row in rows)


def test_no_page_says_more_than_was_tried() -> None:
    assert CREDENTIALS.read_text().splitlines()[2].startswith("Not tried on a real host yet")


def test_the_how_to_named_by_doctor_is_there() -> None:
    from tagline.flow.views.guards import HOW

    assert (Path(ROOT) / HOW).exists()
