"""`tagline rollback`: back to the last good version, at once."""

import click

from tagline.cli import names
from tagline.cli.shared import as_json, open_world, show


@click.command()
@click.argument("model", shell_complete=names.models)
@click.option("--env", shell_complete=names.environments, required=True, help="The environment.")
@click.option("--to", "version", help="The version to go back to; default: the last good one.")
@click.option("--reason", default="", help="Why; kept in the block, the tag and the ledger.")
@as_json
def command(model: str, env: str, version: str | None, reason: str, json_: bool) -> int:
    """Switch MODEL in ENV to the last good version: no gate, no canary. What is taken back is blocked.

    Again goes one version further. Where git cannot be told, the traffic has moved all the same, and the exit
    code is that error's: `tagline ci`, or the same command again, completes it.

    \b
    Examples:
      tagline rollback wine --env prod
      tagline rollback wine --env prod --to 1.3.0-r1 --reason "wrong currency"
    """
    from tagline.flow.promoting.rollback import rollback
    from tagline.flow.results.announcing import announce
    from tagline.render.terminal import rollback_text

    world = open_world(json_, may_be_offline=True)
    done = rollback(world, model, env, to=version or "", reason=reason)
    announce(world)
    show(done, json_, rollback_text)
    return done.exit_code
