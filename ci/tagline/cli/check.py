"""`tagline check`: everything that can be said about a commit before it is released."""

from pathlib import Path

import click

from tagline.cli.shared import as_json, finish


@click.command()
@click.option("--smoke", is_flag=True, help="Also run the pipeline with the `smoke:` parameters.")
@click.option("--fix", is_flag=True, help="Renew the committed pipeline.yaml.")
@as_json
def command(smoke: bool, fix: bool, json_: bool) -> int:
    """Check the work tree: tagline.yaml, the lock, pipeline.py, pipeline.yaml, the project's tests.

    \b
    Examples:
      tagline check
      tagline check --smoke     a short training too
      tagline check --fix       write the current pipeline.yaml
    """
    import sys

    from tagline.flow.checks import check_work_tree
    from tagline.render.progress import teller

    told = teller(sys.stderr if json_ else sys.stdout)
    return finish(check_work_tree(Path.cwd(), smoke=smoke, fix=fix, told=told), json_)
