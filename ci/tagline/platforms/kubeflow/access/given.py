"""What the environment or a file holds for a log-in; never an argument of a command."""

from collections.abc import Mapping
from pathlib import Path

from tagline_task.masking import Secret, hide

from tagline.errors import KfpNotLetIn


def secret(variable: str, file: str, environ: Mapping[str, str], what: str) -> Secret:
    """The secret in `file` where one is named, else in the variable; masked from now on.

    `what` is what it is, for people. Raises `KfpNotLetIn` where there is none.
    """
    value = _of_file(file, what) if file else word(variable, environ, what)
    if not value:
        raise KfpNotLetIn(f"{what} is not there: the file is empty", where=file, fix=f"put it into {file}")
    hide([value])
    return Secret(value)


def word(variable: str, environ: Mapping[str, str], what: str) -> str:
    """What a variable holds, and may be seen; raises `KfpNotLetIn` where it holds nothing."""
    value = environ.get(variable, "").strip()
    if not value:
        raise KfpNotLetIn(f"{what} is not there", where=variable, fix=f"set {variable}")
    return value


def _of_file(file: str, what: str) -> str:
    try:
        return Path(file).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", "") or "it is not text"
        raise KfpNotLetIn(f"{what} cannot be read: {why}", where=file, fix=f"ls -l {file}") from None
