"""`tagline status`: what is asked, decided and served."""

import click

from tagline.cli.shared import as_json, open_world, show


@click.command()
@as_json
def command(json_: bool) -> None:
    """Show releases and models, and for each environment what is asked, decided and served.

    It ends with the next sensible command. Where the remote does not answer, it shows what was last seen of it.

    \b
    Examples:
      tagline status
      tagline status --json
    """
    from tagline.flow.views.status import status
    from tagline.render.terminal import status_text

    show(status(open_world(json_, may_be_offline=True)), json_, status_text)
