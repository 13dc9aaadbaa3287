"""Names come from the environment, then from an ignored .env; a .env that git could take is refused."""

import subprocess
from pathlib import Path

import pytest
from tagline.errors import ConfigError, SecretExposed
from tagline.secrets import dotenv
from tagline.secrets.sources import Names


@pytest.fixture
def root(tmp_path: Path) -> Path:
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text("/.env\n")
    return tmp_path


def test_lines_are_read_as_a_shell_has_them() -> None:
    text = "# comment\n\nexport A=1\nB = 'two words' # note\nC=\"x#y\"\nD=a#b # c\nE=\nF=a=b\n"
    found = dotenv.parse(text, ".env")
    assert found == {"A": "1", "B": "two words", "C": "x#y", "D": "a#b", "E": "", "F": "a=b"}


def test_a_line_that_is_no_assignment_is_named_by_its_number_and_not_shown() -> None:
    with pytest.raises(ConfigError) as caught:
        dotenv.parse("A=1\nsome s3cret-value\n", ".env")
    assert caught.value.where == ".env:2"
    assert "s3cret" not in str(caught.value)


def test_the_environment_comes_before_the_file(root: Path) -> None:
    (root / ".env").write_text("A=file\nB=file\n")
    names = Names({"A": "environment"}, root)
    assert (names.get("A"), names.get("B"), names.get("C")) == ("environment", "file", None)
    assert (names.where("A"), names.where("B"), names.where("C")) == ("environment", ".env", "")


def test_a_name_of_vault_s_may_be_a_file(root: Path) -> None:
    (root / "role").write_text("the-role\n")
    (root / ".env").write_text(f"VAULT_ROLE_ID_FILE={root}/role\n")
    names = Names({}, root)
    assert names.get("VAULT_ROLE_ID") == "the-role"
    assert names.where("VAULT_ROLE_ID") == "VAULT_ROLE_ID_FILE"


def test_a_tracked_file_is_refused_even_where_it_is_ignored(root: Path) -> None:
    (root / ".env").write_text("A=s3cret-value\n")
    subprocess.run(["git", "add", "-f", ".env"], cwd=root, check=True)
    with pytest.raises(SecretExposed, match="is tracked by git") as caught:
        Names({}, root).get("A")
    assert "git rm --cached .env" in caught.value.fix


def test_a_file_that_git_would_add_is_refused(root: Path) -> None:
    (root / ".gitignore").unlink()
    (root / ".env").write_text("A=s3cret-value\n")
    with pytest.raises(SecretExposed, match="not ignored"):
        Names({}, root).get("A")


def test_outside_of_a_repository_there_is_nobody_to_share_it_with(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1\n")
    assert Names({}, tmp_path).get("A") == "1"
