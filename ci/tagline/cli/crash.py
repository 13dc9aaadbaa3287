"""A bug of ours: a crash report that can be pasted as Markdown, kept in a file."""

import os
import platform
import sys
import tempfile
import traceback

import click
from tagline_task.masking import HIDDEN

from tagline import __version__
from tagline.errors import INTERNAL


def report(error: Exception) -> int:
    """Write the report beside the temporary files, say where, and return exit code 3.

    Only the command's name is kept of the command line: a value on it may be a secret.
    """
    command = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    text = (
        f"### tagline {__version__} crashed in `tagline {command}`\n\n"
        f"Python {platform.python_version()} on {platform.platform()}\n\n"
        "```\n" + "".join(traceback.format_exception(error)) + "```\n"
    )
    handle, path = tempfile.mkstemp(prefix="tagline-crash-", suffix=".md")
    with os.fdopen(handle, "w") as file:
        file.write(HIDDEN.clean(text))
    said = HIDDEN.clean(f"{type(error).__name__}: {error}")
    click.echo(f"error: tagline itself failed: {said}", err=True)
    click.echo(f"  fix:   report it with the file {path}", err=True)
    return INTERNAL
