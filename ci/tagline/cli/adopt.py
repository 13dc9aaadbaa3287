"""`tagline adopt`: promotion tags that are older than the ledger become settled."""

import click

from tagline.cli.shared import open_world


@click.command()
@click.option("--reason", required=True, help="Why; kept in the ledger.")
def command(reason: str) -> None:
    """Record every promotion tag that the ledger does not know as settled, so that nothing acts on it.

    \b
    Examples:
      tagline adopt --reason "promotions made by hand before tagline"
    """
    from tagline.flow.promoting.adopting import adopt

    click.echo(adopt(open_world(), reason))
