"""What a shell may complete: the names that tagline.yaml of this folder declares."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from tagline.config import Config


def environments(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    """The declared environments that begin as typed."""
    found = _declared()
    return [name for name in found.environments if name.startswith(begun)] if found else []


def models(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    """The declared models that begin as typed."""
    found = _declared()
    return [name for name in found.model_names() if name.startswith(begun)] if found else []


def _declared() -> "Config | None":
    """tagline.yaml here or in a folder above; None where there is none that can be read: nothing is offered."""
    from tagline import config
    from tagline.errors import TaglineError

    here = Path.cwd()
    file = next(
        (one for one in (place / config.FILE for place in (here, *here.parents)) if one.is_file()), None
    )
    if file is None:
        return None
    try:
        return config.parse(file.read_text(), where=str(file), default_name=file.parent.name)
    except (TaglineError, OSError, UnicodeDecodeError):
        return None
