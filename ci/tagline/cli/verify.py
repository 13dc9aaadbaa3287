"""`tagline verify`: is the ledger sound?"""

import click

from tagline.cli.shared import open_world


@click.command()
def command() -> None:
    """Check the whole chain of events against itself and the tags; name the first bad one.

    \b
    Examples:
      tagline verify
    """
    from tagline.flow.views.past import verify_ledger

    click.echo(verify_ledger(open_world(any_name=True)))
