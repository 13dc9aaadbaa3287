"""`tagline run`: one agent's part of a saved plan."""

import os
from pathlib import Path

import click

from tagline.cli.reporting import report_option, reporting
from tagline.cli.shared import as_json, open_heard_world, show


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep each step's result in this folder.",
)
@click.option(
    "--have", help="What this agent has, such as gpu,push,credential:prod; default: all it can see."
)
@click.option("--only", help="Do only the steps that need this, such as gpu.")
@report_option
@as_json
def command(
    file: Path, state: Path | None, have: str | None, only: str | None, report_dir: Path | None, json_: bool
) -> int:
    """Do what this agent can of the plan in FILE, and say what the next agent must have.

    Nothing in the file is executed: the plan is made again here, and a file that differs is refused. Where
    work is left the last line is `needs-agent: …` and the exit code 111; the next agent goes on from the
    state folder, which is all that it needs besides the file and a clone of the same commit. Where
    TAGLINE_STATE_KEY is set, only results that a tagline with the same key wrote are believed.

    \b
    Examples:
      tagline run plan.json --state state
      tagline run plan.json --state state --only gpu
      tagline run plan.json --state state --have platform,push
    """
    from tagline.flow.agents.handover import Agent, run_saved
    from tagline.flow.agents.needs import Need, here, parse_list
    from tagline.flow.agents.saved import read
    from tagline.flow.agents.seal import take
    from tagline.flow.results.announcing import announce
    from tagline.flow.results.keeping import outlook_of, results_of
    from tagline.flow.results.results import after
    from tagline.render.terminal import ran_text

    with reporting(report_dir, "run") as kept:
        key = take(os.environ)
        saved = read(file)
        limit = Need.parse(only) if only else None
        given = None if have is None else parse_list(have)
        folders = [state.absolute()] if state else []
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
        world, listener = open_heard_world(json_, hide=[file.absolute(), *folders])
        agent = Agent(here(world.policy.environments) if given is None else given, limit)
        before = outlook_of(world, saved.event)
        ran = run_saved(world, saved, agent, state, key)
        announce(world)
        whole = results_of(world, ran.plan, ran.whole(), listener, before)
        kept.keep(after(whole, len(ran.earlier)))
        if ran.report.error:
            click.echo(f"error: {ran.report.error}", err=True)
        show(ran, json_, ran_text)
        return ran.report.exit_code
