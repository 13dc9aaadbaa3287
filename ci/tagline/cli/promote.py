"""`tagline promote`: ask for a model in an environment, by a tag."""

import click

from tagline.cli import names
from tagline.cli.shared import as_json, open_world, show


@click.command()
@click.argument("model", shell_complete=names.models)
@click.option(
    "--to", "env", shell_complete=names.environments, required=True, metavar="ENV", help="The environment."
)
@click.option("--version", help="A model version such as 1.4.0-r3; default: the newest of HEAD's release.")
@click.option("--reason", default="", help="Why; kept in the tag and the ledger.")
@click.option(
    "--override",
    default="",
    metavar="WHY",
    help="Overrule the gate, for this reason; 'scorer: WHY' lets the candidate's scorer judge instead.",
)
@click.option("--preview", is_flag=True, help="Show resolution, gate and rollout; ask nothing.")
@click.option("--wait", is_flag=True, help="Wait for a training that still runs.")
@as_json
def command(  # noqa: PLR0913, PLR0917 - one parameter an option
    model: str,
    env: str,
    version: str | None,
    reason: str,
    override: str,
    preview: bool,
    wait: bool,
    json_: bool,
) -> None:
    """Tag the commit that trained MODEL's version: promote/ENV/MODEL/N. CI acts on the tag.

    \b
    Examples:
      tagline promote wine --to prod
      tagline promote wine --to prod --version 1.4.0-r3 --reason "back to the June data"
      tagline promote wine --to prod --preview
    """
    from tagline.flow.promoting.asking import Ask, preview_promotion, promote
    from tagline.render.terminal import asked_text, preview_text

    world = open_world(json_)
    ask = Ask(model=model, env=env, version=version or "", reason=reason, override=override, wait=wait)
    if preview:
        show(preview_promotion(world, ask), json_, preview_text)
    else:
        show(promote(world, ask), json_, asked_text)
