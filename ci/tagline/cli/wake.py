"""`tagline wake`: the tag's job asks for a run of the default branch."""

import os

import click

from tagline.cli.shared import as_json, finish, telling


@click.command()
@as_json
def command(json_: bool) -> int:
    """Wake a run of the default branch, which acts on the promotions that are open.

    Needs no repository and no credential of an environment, only the host's variables and the right to start
    that run (TAGLINE_WAKE_TOKEN). Without it there is nothing to do: the schedule acts on the tag.

    \b
    Examples:
      tagline wake
    """
    from tagline.flow.results.waking import wake_command

    return finish(wake_command(os.environ, telling(json_)), json_)
