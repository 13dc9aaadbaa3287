"""`tagline ci`: the one call that CI makes, on every event."""

from collections.abc import Mapping
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
    type=click.Choice(["process", "docker", "dagger"]),
    help="What runs the repository's code; default: as TAGLINE_ENGINE and tagline.yaml say.",
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
      tagline ci --engine dagger      checks and tasks in containers of the Dagger engine that answers
      tagline ci --report reports     leaves files for people and for the CI's own pages
    """
    with reporting(report_dir, event or "ci") as kept:
        environ = _environ(engine)
        from tagline.flow.ci import run_plan
        from tagline.flow.known import plan_event
        from tagline.flow.results.announcing import announce
        from tagline.flow.results.keeping import outlook_of, results_of
        from tagline.render.terminal import plan_text

        world, listener = open_heard_world(json_, environ=environ)
        plan = plan_event(world, event, ref, env=env)
        if dry_run:
            show(plan, json_, plan_text)
            return 0
        before = outlook_of(world, plan.event)
        report = run_plan(world, plan)
        announce(world)
        kept.keep(results_of(world, plan, report, listener, before))
        return finish(report, json_)


def _environ(engine: str | None) -> Mapping[str, str]:
    """The variables of this call on an engine; a Dagger engine that does not answer is said before all else."""
    import os

    from tagline.config_keys import EngineName
    from tagline.flow.releasing.images import ENGINE_VARIABLE

    environ = {**os.environ, ENGINE_VARIABLE: engine} if engine else os.environ
    if engine == EngineName.DAGGER:
        from tagline.flow.checking.in_dagger import client_environ

        client_environ(environ)
    return environ
