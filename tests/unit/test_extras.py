"""What brings a missing package of an extra: a command that works without tagline on any index."""

import re
import shlex
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from tagline.extras import install

ROOT = Path(__file__).parents[2]
PLACES = [
    ROOT / "README.md",
    *(ROOT / "docs").rglob("*.md"),
    *(ROOT / "project-template").rglob("*.jinja"),
    *(ROOT / "ci").rglob("*.py"),
]
# tagline by its name, from an index that nobody named
BY_NAME = re.compile(r"pip install(?!.*--index-url)[^`\n]*['\" ]tagline(-task)?\b(?!/)")


@pytest.mark.parametrize("extra", ["kfp", "vault", "docker", "dagger"])
def test_the_command_names_the_packages_of_the_extra_and_the_python_that_runs(extra: str) -> None:
    python, *pip, first = shlex.split(install(extra))[:5]
    assert (python, pip) == (sys.executable, ["-m", "pip", "install"])
    wanted = [one for one in metadata.requires("tagline") or [] if f"extra == '{extra}'" in one]
    assert shlex.split(install(extra))[4:] == [one.partition(";")[0].strip() for one in wanted]
    assert first


def test_the_command_is_one_that_pip_takes() -> None:
    command = install("kfp").replace(" install ", " install --dry-run --no-deps --no-index --quiet ")
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "text", ["pip install tagline", "pip install 'tagline[vault]' x", "pip install 'tagline-task[a]'"]
)
def test_a_command_that_asks_a_public_index_for_tagline_is_found(text: str) -> None:
    assert BY_NAME.search(text)


def test_nothing_tells_anybody_to_install_tagline_by_its_name_from_a_public_index() -> None:
    told = [str(file.relative_to(ROOT)) for file in PLACES if BY_NAME.search(file.read_text())]
    assert told == []
