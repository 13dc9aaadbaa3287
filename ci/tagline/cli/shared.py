"""What the commands share: options, the world they act in, and how their reports reach the person."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from tagline.flow.report import Report
    from tagline.flow.results.results import Listener
    from tagline.flow.world import World

as_json = click.option("--json", "json_", is_flag=True, help="Print JSON for programs.")


def open_world(
    json_: bool = False,
    *,
    may_be_offline: bool = False,
    any_name: bool = False,
    hide: Sequence[Path] = (),
    environ: Mapping[str, str] | None = None,
) -> "World":
    """The repository of the current folder with its remote, policy and platform.

    With `json_` progress goes to stderr. `hide` names more files and folders that the repository's own code
    must not see. `environ` is by default this process's.
    Raises `NameTaken` where the platform has another repository's pipeline of this name, unless
    it is `any_name`: for commands that ask nothing of the platform.
    """
    from tagline.flow.opening import open_world
    from tagline.flow.releasing.owners import check_name

    world = open_world(Path.cwd(), telling(json_), environ, may_be_offline=may_be_offline, hide=hide)
    if not any_name:
        check_name(world)
    return world


def open_heard_world(
    json_: bool = False, *, hide: Sequence[Path] = (), environ: Mapping[str, str] | None = None
) -> "tuple[World, Listener]":
    """The same world, and the listener that keeps what its steps tell, for the results."""
    listener, world = listening(json_), open_world(json_, hide=hide, environ=environ)
    world.told = listener.tell
    return world, listener


def listening(json_: bool = False) -> "Listener":
    """Prints what is told, and keeps what belongs in the results."""
    from tagline.flow.results.results import Listener

    return Listener(telling(json_))


def telling(json_: bool = False) -> Callable[[object], None]:
    """Prints what is told: lines for a person, on stderr where stdout is for a program."""
    from tagline.render.progress import teller

    return teller(sys.stderr if json_ else sys.stdout)


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
