"""`tagline history`: what happened, from the ledger."""

import click

from tagline.cli import names
from tagline.cli.shared import as_json, open_world, show


@click.command()
@click.argument("model", required=False, shell_complete=names.models)
@click.option("--env", shell_complete=names.environments, help="Only this environment.")
@as_json
def command(model: str | None, env: str | None, json_: bool) -> None:
    """List the ledger's events, oldest first, each as a sentence.

    \b
    Examples:
      tagline history
      tagline history wine --env prod
    """
    from tagline.flow.views.past import history
    from tagline.render.terminal import history_text

    world = open_world(json_, may_be_offline=True, any_name=True)
    show(history(world, model=model or "", env=env or ""), json_, history_text)
