"""The documentation is run: every command in it, every link, every table that the code makes."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tagline import config
from tagline.cli.group import cli
from tagline.cli.main import COMMANDS
from tagline.errors import TaglineError

from tests.fakes.machine import Machine
from tests.servers.openbao import dev_server

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)\)")


def blocks(page: Path, language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(page.read_text()) if kind == language]


def test_the_tables_of_commands_settings_and_exit_codes_are_what_the_code_says() -> None:
    made = subprocess.run(
        [sys.executable, "tools/reference.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert made.returncode == 0, made.stdout


def test_the_page_of_commands_is_what_the_program_prints(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The page's headings are typed as they stand, with --help."""
    text = (ROOT / "docs/reference/commands.md").read_text()
    monkeypatch.setenv("COLUMNS", "80")
    told = re.findall(r"^## `tagline (.+?)`\n\n```text\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len(told) == text.count("\n## ") > len(COMMANDS)
    for words, shown in told:
        cli.main([*words.split(), "--help"], prog_name="tagline", standalone_mode=False)
        assert shown == capsys.readouterr().out, words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_to_a_file(page: Path) -> None:
    missing = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert missing == []


def test_the_example_of_tagline_yaml_is_a_commented_file_of_at_most_12_lines() -> None:
    (example,) = blocks(ROOT / "docs/reference/tagline.yaml.md", "yaml")
    lines = example.strip().splitlines()
    assert len(lines) <= 12
    assert config.parse(example).environments == ["staging", "prod"]
    assert [line for line in lines if "#" not in line and line.rstrip() != "gate:"] == []


def test_a_misspelt_key_in_the_example_is_refused_with_the_nearest_one() -> None:
    (example,) = blocks(ROOT / "docs/reference/tagline.yaml.md", "yaml")
    with pytest.raises(TaglineError, match="serving"):
        config.parse(example.replace("serving:", "servng:"))


def test_the_other_commands_of_the_readme_work_as_written(machine: Machine) -> None:
    (machine.folder / "user").mkdir()
    machine.env["HOME"] = str(machine.folder / "user")
    script = "\n".join(text for text in blocks(ROOT / "README.md", "sh") if "make " not in text)
    assert ".venv/bin/tagline init" in script
    done = machine.shell(f"set -eu\n{script}", cwd=ROOT)
    assert done.code == 0, done.out
    assert (machine.folder / "user/wine/tagline.yaml").exists()


def test_the_two_commands_of_the_readme_are_targets_of_the_makefile() -> None:
    commands = re.findall(r"^make (\w+)", "\n".join(blocks(ROOT / "README.md", "sh")), re.MULTILINE)
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert commands == ["demo", "test"]
    assert set(commands) <= set(targets)


@pytest.mark.timeout(900)
def test_every_command_of_the_first_hour_works_as_written(machine: Machine) -> None:
    script = "\n".join(blocks(ROOT / "docs/first-hour.md", "sh"))
    done = machine.shell(f"set -eu\n{script}", timeout=840)
    assert done.code == 0, done.out
    assert "0.2.0-r1 let in" in done.out
    assert re.findall(r"(\d+) lost", done.out)[-1] == "0", "the rollout's traffic, until its end"
    assert "0.2.0-r1 was taken back and is blocked there" in done.out


def test_every_command_of_the_page_on_secrets_works_as_written(machine: Machine, tmp_path: Path) -> None:
    """Against a server of its own: the page enables AppRole there."""
    page = ROOT / "docs/how-to/secrets.md"
    (code,) = blocks(page, "python")
    (tmp_path / "read.py").write_text(code)
    script = "\n".join(blocks(page, "sh"))
    marks = ["CI", "GITHUB_ACTIONS", "GITLAB_CI", "JENKINS_URL"]
    with dev_server(tmp_path) as bao:
        machine.env |= {"VAULT_ADDR": bao.address, "VAULT_TOKEN": bao.token}
        done = machine.shell(
            f"set -eu\nunset {' '.join(marks)}\n{script}\nset -a; . ./.env; python ../read.py"
        )
    assert done.code == 0, done.out
    assert done.out.endswith("['WAREHOUSE_PASSWORD'] 21 ***\n")
    assert "correct horse" not in done.out
    assert "kind: Secret" in (tmp_path / "vault-approle.yaml").read_text()
