"""The file .env: secrets of one developer's machine, ignored by git and refused where git could take it."""

import re
from pathlib import Path

from tagline.errors import ConfigError, SecretExposed
from tagline.git import process

FILE = ".env"
_LINE = re.compile(r"(?:export\s+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)\s*=\s*(?P<value>.*?)\s*")
_QUOTED = re.compile(r"""(?P<q>["'])(?P<inner>.*)(?P=q)\s*(#.*)?""")


def read(root: Path) -> dict[str, str]:
    """The values of `.env` in a repository's top folder; empty where there is none.

    Raises `SecretExposed` where git tracks the file or does not ignore it, `ConfigError` (line) for a line
    that is no assignment.
    """
    file = root / FILE
    if not file.is_file():
        return {}
    refuse_shared(root)
    return parse(file.read_text(), str(file))


def refuse_shared(root: Path) -> None:
    """Raise `SecretExposed` where git tracks `.env` or would add it."""
    if _git(root, "ls-files", "--error-unmatch", "--", FILE) == 0:
        raise SecretExposed(
            f"{FILE} is tracked by git: everybody who can read the repository can read it",
            where=str(root / FILE),
            fix=f"git rm --cached {FILE} && echo /{FILE} >> .gitignore, then change every value in it",
        )
    if _git(root, "rev-parse", "--git-dir") == 0 and _git(root, "check-ignore", "-q", "--", FILE) != 0:
        raise SecretExposed(
            f"{FILE} is not ignored by git: the next `git add -A` would publish it",
            where=str(root / FILE),
            fix=f"echo /{FILE} >> .gitignore",
        )


def _git(root: Path, *words: str) -> int:
    return process.run(words, cwd=root).code


def parse(text: str, where: str) -> dict[str, str]:
    """`NAME=value` lines, with `export`, quotes and comments as a shell has them; nothing is expanded."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line.strip())
        if not match:
            raise ConfigError("the line is no NAME=value", where=f"{where}:{number}", fix="NAME=value")
        found[match["name"]] = _unquoted(match["value"])
    return found


def _unquoted(value: str) -> str:
    quoted = _QUOTED.fullmatch(value)
    return quoted["inner"] if quoted else re.split(r"\s+#", value)[0]
