"""What a command leaves beside its lines: `--report DIR`, the host's job summary, and errors at their line."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from tagline.flow.results.results import Results

SUMMARY_VARIABLE = "GITHUB_STEP_SUMMARY"
report_option = click.option(
    "--report",
    "report_dir",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Leave report.json, junit.xml, report.html and comment.md there.",
)


class Kept:
    """The results of a call, once there are any."""

    results: "Results | None" = None

    def keep(self, results: "Results") -> None:
        self.results = results


@contextmanager
def reporting(folder: Path | None, event: str) -> Iterator[Kept]:
    """Whatever becomes of the block, its results reach the folder, the host's summary and the host's log.

    An error before the first step is a result too. Raises `ConfigError` where the folder cannot be written.
    """
    from tagline.errors import TaglineError
    from tagline.flow.results.results import interrupted, of_error

    kept = Kept()
    if folder is not None:
        from tagline.render.results.files import make_folder

        make_folder(folder)
    try:
        yield kept
    except TaglineError as error:
        kept.keep(of_error(error, event))
        raise
    except KeyboardInterrupt:
        kept.keep(interrupted(event))
        raise
    finally:
        if kept.results is not None:
            _leave(kept.results, folder)


def _leave(results: "Results", folder: Path | None) -> None:
    from tagline.render.results.masked import masked

    results = masked(results)
    if folder is not None:
        _write(results, folder)
    if os.environ.get("GITHUB_ACTIONS"):
        from tagline.render.results.annotations import workflow_commands

        send_commands(workflow_commands(results))
    summary = os.environ.get(SUMMARY_VARIABLE)
    if summary:
        _summarize(results, Path(summary))


def _write(results: "Results", folder: Path) -> None:
    """Write the forms; where the call failed too, its error is the one that counts, and this one is said."""
    from tagline.errors import ConfigError
    from tagline.render.results.files import write

    try:
        write(results, folder)
    except ConfigError as error:
        if not results.failed:
            raise
        click.echo(f"error: {error}", err=True)


def send_commands(lines: list[str]) -> None:
    """Workflow commands of our own, past the guard that keeps those of the repository from the log."""
    commands: Callable[[list[str]], None] | None = getattr(sys.stderr, "commands", None)
    if commands is not None:
        commands(lines)
        return
    for line in lines:
        print(line, file=sys.stderr, flush=True)


def _summarize(results: "Results", file: Path) -> None:
    from tagline.render.results.markdown import comment

    try:
        with file.open("a", encoding="utf-8") as stream:
            stream.write(comment(results))
    except OSError as error:
        click.echo(f"the job summary cannot be written: {error.strerror} ({file})", err=True)
