"""`tagline plan`: the plan of a call, for people, for CI files, and for other agents."""

from pathlib import Path

import click

from tagline.cli.shared import as_json, open_world, show


@click.command()
@click.option(
    "--event", type=click.Choice(["pr", "merge", "tag", "schedule"]), help="Default: what git says."
)
@click.option("--ref", help="The tag of a tag event, or the branch of the others.")
@click.option("--env", default="", help="Plan the promotions of this environment only.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write the plan file here."
)
@as_json
def command(event: str | None, ref: str | None, env: str, output: Path | None, json_: bool) -> None:
    """Plan as `tagline ci` would, and do nothing; each step is shown with what an agent must have for it.

    With --json, `environments` lists those that have work: one CI job for each, `tagline ci --env ENV`.

    \b
    Examples:
      tagline plan
      tagline plan -o plan.json       then, on each agent: tagline run plan.json --state state
      tagline plan --event schedule --json
    """
    from tagline.flow.agents.handover import save_plan
    from tagline.render.json import dumps
    from tagline.render.terminal import saved_text

    saved = save_plan(open_world(json_), event, ref, env)
    if output:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(dumps(saved) + "\n")
    show(saved, json_, saved_text)
