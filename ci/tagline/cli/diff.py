"""`tagline diff`: what changed in the pipeline, in words."""

from pathlib import Path

import click

from tagline.cli.shared import as_json, show


@click.command()
@click.argument("before")
@click.argument("after")
@click.option("--pipeline", default="", help="Which pipeline, where the repository holds several.")
@as_json
def command(before: str, after: str, pipeline: str, json_: bool) -> int:
    """Tell what changed in the pipeline from BEFORE to AFTER: releases, commits or files.

    A commit's kept pipeline.yaml is read; where it keeps none, its pipeline.py is compiled in the sandbox.

    \b
    Examples:
      tagline diff v1.3.0 v1.4.0
      tagline diff HEAD~1 HEAD --json
      tagline diff old.yaml new.yaml
    """
    from tagline.flow.views.difference import difference

    found = difference(Path.cwd(), before, after, pipeline)
    none = f"{before} and {after} are the same pipeline"
    show(found, json_, lambda one: "\n".join(one.sentences) or none)
    return 0
