"""`tagline comment`: a later job brings the report under the pull request."""

import os
from pathlib import Path

import click

from tagline.cli.shared import as_json, finish, telling


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--from-fork", is_flag=True, help="The report is a fork's, and this run GitHub's workflow_run on it."
)
@as_json
def command(folder: Path, from_fork: bool, json_: bool) -> int:
    """Write the report in DIR, made by `tagline ci --report DIR`, as one comment that is kept up to date.

    Needs no repository: the pull request is told by the CI host's variables, the comment is found by a hidden
    mark. The token is TAGLINE_COMMENT_TOKEN. A report of a fork is a stranger's text: nothing in it is
    believed, and the pull request is found by the host's API.

    \b
    Examples:
      tagline comment reports
      tagline comment reports --from-fork
    """
    from tagline.flow.results.commenting import comment
    from tagline.render.results.files import read
    from tagline.render.results.markdown import comment as markdown

    results = read(folder)
    body = markdown(results, trusted=not from_fork)
    return finish(comment(os.environ, telling(json_), body, results.pipeline, fork=from_fork), json_)
