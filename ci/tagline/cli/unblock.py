"""`tagline unblock`: lift the block of a version that was taken back."""

import click

from tagline.cli import names
from tagline.cli.shared import open_world


@click.command()
@click.argument("model", shell_complete=names.models)
@click.argument("version")
@click.option("--env", shell_complete=names.environments, required=True, help="The environment.")
@click.option("--reason", required=True, help="Why; kept in the ledger.")
def command(model: str, version: str, env: str, reason: str) -> None:
    """Let VERSION of MODEL be promoted to ENV again.

    \b
    Examples:
      tagline unblock wine 0.3.0-r1 --env prod --reason "the caller was wrong, not the model"
    """
    from tagline.flow.promoting.rollback import unblock

    click.echo(unblock(open_world(), model, version, env, reason))
