"""`tagline local`: the local platform's processes."""

import click

from tagline.cli import names
from tagline.cli.shared import as_json, show


@click.group()
def command() -> None:
    """The local platform: one per user, with real model servers behind one router.

    \b
    Examples:
      tagline local up
      tagline local status
      tagline local traffic wine --rate 20
      tagline local down
    """


@command.command("up")
def up_() -> None:
    """Start the platform and every model server it had; safe to repeat.

    \b
    Examples:
      tagline local up
    """
    from tagline.flow.desk.local import up
    from tagline.render.terminal import local_text

    click.echo(local_text(up()))


@command.command("down")
def down_() -> None:
    """Stop every process; no port and no lock is left. What serves is remembered.

    \b
    Examples:
      tagline local down
    """
    from tagline.flow.desk.local import down

    click.echo(down())


@command.command("status")
@as_json
def status_(json_: bool) -> None:
    """Show the platform's processes and routes.

    \b
    Examples:
      tagline local status
    """
    from tagline.flow.desk.local import local_status
    from tagline.render.terminal import local_text

    show(local_status(), json_, local_text)


@command.command("logs")
@click.argument("name", required=False)
@click.option("-n", "lines", default=40, show_default=True, help="How many lines from the end.")
def logs_(name: str | None, lines: int) -> None:
    """Print the end of the platform's logs, or of the one called NAME.

    \b
    Examples:
      tagline local logs
      tagline local logs router -n 100
    """
    from tagline.flow.desk.local import logs
    from tagline.render.terminal import logs_text

    click.echo(logs_text(logs(name or "", lines)))


@command.command("traffic")
@click.argument("model", shell_complete=names.models)
@click.option(
    "--env",
    shell_complete=names.environments,
    default="",
    help="Default: the first of tagline.yaml that serves.",
)
@click.option("--rate", default=20.0, show_default=True, help="Requests a second.")
@click.option("--seconds", type=float, help="Stop after this time; default: at Ctrl-C.")
@click.option(
    "--without", default="", metavar="FIELD", help="Leave this field out of a share of the requests."
)
@click.option("--share", default=0.3, show_default=True, help="The share (0..1) for --without.")
def traffic_(model: str, env: str, rate: float, seconds: float | None, without: str, share: float) -> None:
    """Replay the hold-out's features to MODEL: a laptop has no users, and a canary needs some.

    \b
    Examples:
      tagline local traffic wine --rate 50
      tagline local traffic wine --without alcohol --share 0.3
    """
    from tagline.flow.desk.local import Load, traffic
    from tagline.render.terminal import tally_text

    load = Load(
        model=model, env=env, rate=rate, seconds=seconds, without=without, share=share if without else 0.0
    )
    traffic(load, lambda tally: click.echo(tally_text(tally)))
