"""What the commands share: options, the world they act in, and how their reports reach the person."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from tagline.flow.report import Report
    from tagline.flow.world import World

as_json = click.option("--json", "json_", is_flag=True, help="Print JSON for programs.")


def open_world(json_: bool = False, hide: Sequence[Path] = ()) -> "World":
    """The repository of the current folder with its remote, policy and platform; progress goes to stderr.

    `hide` names more files and folders that the repository's own code must not see.
    """
    from tagline.flow.world import open_world
    from tagline.render.progress import teller

    return open_world(Path.cwd(), teller(sys.stderr if json_ else sys.stdout), hide=hide)


def show(result: Any, json_: bool, text: Callable[[Any], str]) -> None:
    """Print a result as JSON or as text."""
    if json_:
        from tagline.render.json import dumps

        click.echo(dumps(result))
        return
    click.echo(text(result).rstrip("\n"))


def finish(report: "Report", json_: bool) -> int:
    """Print a report and give its exit code; its error goes to stderr."""
    from tagline.render.terminal import report_text

    show(report, json_, report_text)
    if report.error:
        click.echo(f"error: {report.error}", err=True)
    return report.exit_code
