"""`tagline rollback`: back to the last good version, at once."""

import click

from tagline.cli.shared import as_json, open_world, show


@click.command()
@click.argument("model")
@click.option("--env", required=True, help="The environment.")
@click.option("--to", "version", help="The version to go back to; default: the last good one.")
@click.option("--reason", default="", help="Why; kept in the block, the tag and the ledger.")
@as_json
def command(model: str, env: str, version: str | None, reason: str, json_: bool) -> None:
    """Switch MODEL in ENV to the last good version: no gate, no canary. What is taken back is blocked.

    Again goes one version further.

    \b
    Examples:
      tagline rollback wine --env prod
      tagline rollback wine --env prod --to 1.3.0-r1 --reason "wrong currency"
    """
    from tagline.flow.rollback import rollback
    from tagline.render.terminal import rollback_text

    show(rollback(open_world(json_), model, env, to=version or "", reason=reason), json_, rollback_text)
