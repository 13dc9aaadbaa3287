"""`tagline release`: checks, version, environment, smoke training, claim, upload, full training."""

from pathlib import Path

import click

from tagline.cli.reporting import report_option, reporting
from tagline.cli.shared import as_json, finish, open_heard_world


@click.command()
@report_option
@as_json
def command(report_dir: Path | None, json_: bool) -> int:
    """Check and release HEAD: the commits since the last release say which version it gets.

    HEAD must be on the default branch of the remote. Again on the same commit goes on where it stopped.

    \b
    Examples:
      tagline release
      tagline ci --event merge     the same, as CI calls it
    """
    from tagline.flow.ci import release_head
    from tagline.flow.results.results import simple

    with reporting(report_dir, "release") as kept:
        world, listener = open_heard_world(json_)
        report = release_head(world)
        kept.keep(simple(report, listener))
        return finish(report, json_)
