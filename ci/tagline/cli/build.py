"""`tagline build`: the image that every task runs in."""

from pathlib import Path

import click

from tagline.cli.shared import as_json, finish


@click.command()
@click.option("--push", is_flag=True, help="Send the image to image.repository; default: build only.")
@click.option(
    "--engine",
    type=click.Choice(["docker", "dagger"]),
    default="docker",
    show_default=True,
    help="What builds, where something must be built: both take the same recipe.",
)
@as_json
def command(push: bool, engine: str, json_: bool) -> int:
    """Build the image of the work tree, once for each content: what is there already is not built again.

    A pull request's CI job may build and not push: exit code 115.

    \b
    Examples:
      tagline build
      tagline build --push      into the registry that image.repository names
      tagline build --push --engine dagger
    """
    import sys

    from tagline.config_keys import EngineName
    from tagline.flow.releasing.images import build_work_tree
    from tagline.render.progress import teller

    told = teller(sys.stderr if json_ else sys.stdout)
    return finish(build_work_tree(Path.cwd(), push=push, told=told, engine=EngineName(engine)), json_)
