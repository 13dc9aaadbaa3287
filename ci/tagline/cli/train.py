"""`tagline train`: a run of a release's training."""

from pathlib import Path

import click

from tagline.cli.reporting import report_option, reporting
from tagline.cli.shared import as_json, finish, open_heard_world


@click.command()
@click.option("--release", "release_", help="Which release; default: the newest that HEAD descends from.")
@click.option(
    "--smoke", is_flag=True, help="A short run of HEAD with the `smoke:` parameters; registers nothing."
)
@click.option("--cancel", is_flag=True, help="End the trainings of the release that go on, on a cluster.")
@click.option("--retry", is_flag=True, help="Let the release's failed training go on, on a cluster.")
@click.option("--pipeline", default="", help="Which pipeline, where the repository holds several.")
@report_option
@as_json
def command(release_: str | None, pipeline: str, report_dir: Path | None, json_: bool, **acts: bool) -> int:
    """Run the training of a release to its end, a line per task, and register the model.

    \b
    Examples:
      tagline train                   a new training of the newest release
      tagline train --release 1.4.0
      tagline train --smoke
      tagline train --release 1.4.0 --cancel
      tagline train --release 1.4.0 --retry
      tagline train --pipeline fraud  of several pipelines
    """
    from tagline.flow.releasing.training import Act, train_command
    from tagline.flow.results.results import simple

    named = [Act[name.upper()] for name, given in acts.items() if given]
    if len(named) > 1:
        raise click.UsageError("Give one of --smoke, --cancel and --retry.")
    act = named[0] if named else Act.FULL
    with reporting(report_dir, "train") as kept:
        world, listener = open_heard_world(json_)
        report = train_command(world.one(pipeline), release_, act)
        kept.keep(simple(report, listener))
        return finish(report, json_)
