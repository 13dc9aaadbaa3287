"""`tagline build`: the image that every task runs in."""

from pathlib import Path

import click

from tagline.cli.shared import as_json, finish


@click.command()
@click.option("--push", is_flag=True, help="Send the image to image.repository; default: build only.")
@as_json
def command(push: bool, json_: bool) -> int:
    """Build the image of the work tree, once for each content: what is there already is not built again.

    A pull request's CI job may build and not push: exit code 115.

    \b
    Examples:
      tagline build
      tagline build --push      into the registry that image.repository names
    """
    import sys

    from tagline.flow.releasing.images import build_work_tree
    from tagline.render.progress import teller

    return finish(
        build_work_tree(Path.cwd(), push=push, told=teller(sys.stderr if json_ else sys.stdout)), json_
    )
