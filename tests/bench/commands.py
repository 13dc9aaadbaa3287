"""The command's own weight: its help against bare Python, a `tagline ci` with nothing to do against git."""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench.timing import side_by_side

BIN = Path(sys.executable).parent
GIT_ALONE = (
    "git fetch -q --prune origin && git for-each-ref >/dev/null && git log -n 50 --name-only >/dev/null"
)


def help_table() -> str:
    """`tagline --help` beside `python -c pass` and `python -c 'import click'`."""
    python = str(BIN / "python")
    commands = {
        "python -c pass": [python, "-c", "pass"],
        "python -c 'import click'": [python, "-c", "import click"],
        "tagline --help": [str(BIN / "tagline"), "--help"],
    }
    return "### The command's start\n\n" + side_by_side(commands, Path.cwd(), os.environ)


def nothing_to_do_table() -> str:
    """A `tagline ci` on a commit that affects nothing, beside the git calls that nobody can do without."""
    with TemporaryDirectory() as folder:
        clone, env = quiet_repository(Path(folder))
        commands = {
            "git alone": ["sh", "-c", GIT_ALONE],
            "tagline ci": [str(BIN / "tagline"), "ci"],
        }
        return "### `tagline ci` with nothing to do\n\n" + side_by_side(commands, clone, env, runs=10)


def quiet_repository(folder: Path) -> tuple[Path, dict[str, str]]:
    """A clone whose default branch holds only documentation: nothing affects a pipeline."""
    env = {
        **os.environ,
        "TAGLINE_HOME": str(folder / "home"),
        "GIT_CONFIG_GLOBAL": str(folder / "gitconfig"),
    }
    (folder / "gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@example.org\n")
    script = """
        git init -q --bare -b main remote.git && git clone -q remote.git clone 2>/dev/null && cd clone
        git switch -q -c main 2>/dev/null || true
        mkdir docs && echo text > docs/page.md && git add -A && git commit -q -m 'docs: a page'
        git push -q -u origin main && git remote set-head origin -a >/dev/null
    """
    subprocess.run(["sh", "-ec", script], cwd=folder, env=env, check=True)
    return folder / "clone", env
