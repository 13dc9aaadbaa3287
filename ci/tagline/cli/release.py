"""`tagline release`: version, environment, smoke training, claim, upload, full training."""

import click

from tagline.cli.shared import as_json, finish, open_world


@click.command()
@as_json
def command(json_: bool) -> int:
    """Release HEAD: the commits since the last release say which version it gets.

    HEAD must be on the default branch of the remote. Again on the same commit goes on where it stopped.

    \b
    Examples:
      tagline release
      tagline ci --event merge     the same, after the checks
    """
    from tagline.flow.ci import release_head

    return finish(release_head(open_world(json_)), json_)
