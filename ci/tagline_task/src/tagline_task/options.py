"""The options that `tagline_task.predict` and `tagline_task.serve` share, and how both end."""

import argparse
import sys
import traceback
from collections.abc import Callable, Sequence

from tagline_task.errors import TaskError
from tagline_task.predictor import RUNTIMES


def parser(program: str, description: str) -> argparse.ArgumentParser:
    """A parser with the options that name a model."""
    made = argparse.ArgumentParser(prog=f"python -m {program}", description=description, allow_abbrev=False)
    made.add_argument("--predictor", required=True, metavar="KIND", help=RUNTIMES)
    made.add_argument("--model", required=True, metavar="PATH", help="the model's file or folder")
    made.add_argument(
        "--sha256", required=True, metavar="HEX", help="its digest, checked before it is loaded"
    )
    return made


def end(program: str, work: Callable[[Sequence[str]], None], argv: Sequence[str] | None = None) -> int:
    """Do `work` with a command line; 0, or the exit code of the `TaskError` that ended it, with its sentence.

    Where the repository's own code raised, its traceback comes first.
    """
    try:
        work(sys.argv[1:] if argv is None else argv)
    except TaskError as error:
        if error.__cause__ is not None:
            traceback.print_exception(error.__cause__)
        print(f"error: {program}: {error}", file=sys.stderr, flush=True)
        return error.exit_code
    return 0
