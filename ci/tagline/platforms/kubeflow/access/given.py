"""A secret that the environment or a file holds; never an argument of a command."""

from collections.abc import Mapping
from pathlib import Path

from tagline_task.masking import Secret, hide

from tagline.errors import KfpNotLetIn


def secret(variable: str, file: str, environ: Mapping[str, str], what: str) -> Secret:
    """The secret in `file` where one is named, else in the variable; masked from now on.

    `what` is what it is, for people. Raises `KfpNotLetIn` where there is none.
    """
    value = _of_file(file, what) if file else environ.get(variable, "").strip()
    if not value:
        place = file or variable
        raise KfpNotLetIn(f"{what} is not there", where=place, fix=f"put it into {place}")
    hide([value])
    return Secret(value)


def _of_file(file: str, what: str) -> str:
    try:
        return Path(file).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", "") or "it is not text"
        raise KfpNotLetIn(f"{what} cannot be read: {why}", where=file, fix=f"ls -l {file}") from None
