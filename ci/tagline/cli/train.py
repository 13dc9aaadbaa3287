"""`tagline train`: a run of a release's training."""

import click

from tagline.cli.shared import as_json, finish, open_world


@click.command()
@click.option("--release", "release_", help="Which release; default: the newest that HEAD descends from.")
@click.option(
    "--smoke", is_flag=True, help="A short run of HEAD with the `smoke:` parameters; registers nothing."
)
@as_json
def command(release_: str | None, smoke: bool, json_: bool) -> int:
    """Run the training of a release to its end, a line per task, and register the model.

    \b
    Examples:
      tagline train                   a new training of the newest release
      tagline train --release 1.4.0
      tagline train --smoke
    """
    from tagline.flow.training import train_command

    return finish(train_command(open_world(json_), release_, smoke=smoke), json_)
