"""`tagline ci`: the one call that CI makes, on every event."""

from pathlib import Path

import click

from tagline.cli.reporting import report_option, reporting
from tagline.cli.shared import as_json, finish, open_heard_world, show


@click.command()
@click.option(
    "--event", type=click.Choice(["pr", "merge", "tag", "schedule"]), help="Default: what git says."
)
@click.option("--ref", help="The tag of a tag event, or the branch of the others.")
@click.option("--env", default="", help="Act on the promotions of this environment only.")
@click.option(
    "--engine",
    type=click.Choice(["dagger"]),
    help="Make the checks in a container of the Dagger engine that answers; default: as tagline.yaml says.",
)
@click.option("--dry-run", is_flag=True, help="Print the plan; do nothing.")
@report_option
@as_json
def command(  # noqa: PLR0913, PLR0917 - one parameter an option
    event: str | None,
    ref: str | None,
    env: str,
    engine: str | None,
    dry_run: bool,
    report_dir: Path | None,
    json_: bool,
) -> int:
    """Look at the event, plan and run: checks for a pull request, a release for a merge, a promotion for a tag.

    On plain git the branch checked out decides: the default branch is a merge, another one a pull request.

    \b
    Examples:
      tagline ci
      tagline ci --dry-run
      tagline ci --event tag --ref promote/prod/wine/1
      tagline ci --event schedule     goes on with whatever is open
      tagline ci --env prod           the same, for one environment with its credentials
      tagline ci --engine dagger      a pull request's checks, in a container
      tagline ci --report reports     leaves files for people and for the CI's own pages
    """
    import os

    from tagline.flow.agents.in_dagger import carrier
    from tagline.flow.known import plan_event
    from tagline.flow.results.announcing import announce
    from tagline.flow.results.keeping import outlook_of, results_of
    from tagline.render.terminal import plan_text

    with reporting(report_dir, event or "ci") as kept:
        carry_out = carrier(engine, os.environ)
        world, listener = open_heard_world(json_)
        plan = plan_event(world, event, ref, env=env)
        if dry_run:
            show(plan, json_, plan_text)
            return 0
        before = outlook_of(world, plan.event)
        report = carry_out(world, plan)
        announce(world)
        kept.keep(results_of(world, plan, report, listener, before))
        return finish(report, json_)
