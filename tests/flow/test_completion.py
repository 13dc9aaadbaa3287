"""The shell completes commands, options and the names that tagline.yaml declares."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TAGLINE = Path(sys.executable).with_name("tagline")


def complete(folder: Path, line: str) -> list[str]:
    """What bash would be offered at the end of this line."""
    words = line.split(" ")
    env = {
        **os.environ,
        "_TAGLINE_COMPLETE": "bash_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
    }
    done = subprocess.run([TAGLINE], cwd=folder, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return [offer.partition(",")[2] for offer in done.stdout.splitlines() if offer]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "tagline.yaml").write_text(
        "pipeline: fraud\nmodels: {fraud: {}, fees: {}}\nenvironments: [staging, prod]\n"
    )
    (tmp_path / "src").mkdir()
    return tmp_path


def test_commands_and_options_are_offered(project: Path) -> None:
    assert complete(project, "tagline pro") == ["promote"]
    assert "--preview" in complete(project, "tagline promote fraud --pre")


def test_environments_and_models_are_those_of_tagline_yaml_here_or_above(project: Path) -> None:
    assert complete(project / "src", "tagline promote f") == ["fees", "fraud"]
    assert complete(project, "tagline promote fraud --to p") == ["prod"]
    assert complete(project, "tagline rollback fraud --env ") == ["staging", "prod"]


def test_a_folder_without_a_readable_tagline_yaml_offers_nothing(tmp_path: Path) -> None:
    assert complete(tmp_path, "tagline promote f") == []
    (tmp_path / "tagline.yaml").write_text("pipeline: [")
    assert complete(tmp_path, "tagline promote f") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_each_shell_calls_tagline(shell: str) -> None:
    done = subprocess.run(
        [TAGLINE, "completion", shell], capture_output=True, text=True, timeout=60, check=True
    )
    assert f"_TAGLINE_COMPLETE={shell}_complete" in done.stdout


def test_bash_completes_by_the_printed_script(project: Path) -> None:
    script = f"""
        export PATH="{TAGLINE.parent}:$PATH"
        eval "$(tagline completion bash)"
        COMP_WORDS=(tagline promote fraud --to p) COMP_CWORD=4
        _tagline_completion tagline && echo "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(["bash", "-c", script], cwd=project, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["prod"], done.stderr
