"""`tagline check`: everything that can be said about a commit before it is released."""

from pathlib import Path

import click

from tagline.cli.reporting import report_option, reporting
from tagline.cli.shared import as_json, finish, listening


@click.command()
@click.option("--smoke", is_flag=True, help="Also run the pipeline with the `smoke:` parameters.")
@click.option("--fix", is_flag=True, help="Renew the committed pipeline.yaml.")
@report_option
@as_json
def command(smoke: bool, fix: bool, report_dir: Path | None, json_: bool) -> int:
    """Check the work tree: tagline.yaml, the lock, pipeline.py, pipeline.yaml, the project's tests.

    \b
    Examples:
      tagline check
      tagline check --smoke     a short training too
      tagline check --fix       write the current pipeline.yaml
    """
    from tagline.flow.checking.checks import check_work_tree
    from tagline.flow.results.results import simple

    with reporting(report_dir, "check") as kept:
        listener = listening(json_)
        report = check_work_tree(Path.cwd(), smoke=smoke, fix=fix, told=listener.tell)
        kept.keep(simple(report, listener))
        return finish(report, json_)
