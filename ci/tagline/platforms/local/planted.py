"""What a task may have planted in its run's folder: a link or a pipe in the place of a file is never followed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tagline import foreign
from tagline.errors import TaskContractBroken


@contextmanager
def refused(where: str) -> Iterator[None]:
    """Raise `TaskContractBroken` for what cannot be opened, read or written as `foreign` does."""
    try:
        yield
    except (OSError, ValueError) as error:
        problem = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise TaskContractBroken(
            f"what a task left cannot be read or written: {problem}",
            where=where,
            fix="a task writes plain files, in folders of the run; a link may only lead inside its own output",
        ) from error


def check(output: Path, run_folder: Path) -> None:
    """Raise `TaskContractBroken` where an output below the run's folder is, or holds, a way out of it.

    One elsewhere, or that does not exist, passes: nothing of it is read here.
    """
    path = Path(os.path.normpath(output))
    if not path.is_relative_to(run_folder) or not os.path.lexists(path):
        return
    with refused(str(output)):
        foreign.make_folder(path.parent, run_folder)  # it exists: no step to it is a link
        if gone := foreign.astray(path):
            raise ValueError(f"{gone.name} is a link that leaves the output, or no file or folder")
