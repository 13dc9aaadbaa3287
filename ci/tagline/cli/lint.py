"""`tagline lint`: what is wrong with a pipeline, without a cluster and without running it."""

from pathlib import Path

import click

FORMATS = ("text", "json", "sarif")


@click.command()
@click.argument("files", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", help="How it is printed.")
@click.option("--fix", is_flag=True, help="Write what has one right answer.")
@click.option("--release", is_flag=True, help="The compiled files are of a release: images by digest.")
def command(files: tuple[Path, ...], form: str, fix: bool, release: bool) -> int:
    """Lint compiled pipelines (.yaml) and sources (.py); without FILES, the project of this folder.

    Nothing is run, nothing is asked, kfp is not needed. Exit code 33 where an error is found.

    \b
    Examples:
      tagline lint
      tagline lint pipeline.yaml --format sarif > lint.sarif
      tagline lint --fix pipeline.py
    """
    from tagline.errors import CheckFailed
    from tagline.flow.checking.linting import lint, of_folder
    from tagline.pipeline.lint.finding import Scope
    from tagline.render.json import dumps
    from tagline.render.lint import sarif, text

    scope = Scope.RELEASE if release else Scope.FILE
    done = lint(of_folder(Path.cwd(), files, scope), mend=fix)
    match form:
        case "sarif":
            click.echo(dumps(sarif(done)))
        case "json":
            click.echo(dumps(done))
        case _:
            click.echo(text(done))
    return CheckFailed.exit_code if done.errors else 0
