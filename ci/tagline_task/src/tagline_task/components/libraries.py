"""What a component imports when it runs, and the sentence for an environment that lacks it."""

import importlib
from typing import Any

from tagline_task.errors import LibraryMissing


def needed(module: str) -> Any:
    """The module; raises `LibraryMissing` that names the package to lock where it is not installed."""
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        top = module.partition(".")[0]
        if error.name != top:
            raise
        raise LibraryMissing(
            f"{top} is not installed: add {top} to src/requirements.in and lock it"
        ) from None
