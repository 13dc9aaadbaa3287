"""`tagline init`: a project from the template."""

import sys
from pathlib import Path

import click


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option("--defaults", is_flag=True, help="Ask nothing; take the defaults.")
def command(directory: Path, defaults: bool) -> None:
    """Make a project in DIRECTORY from the template: a pipeline, its tasks, tests, and three small files.

    \b
    Examples:
      tagline init wine
      tagline init wine --defaults      asks nothing
    """
    from tagline.flow import create

    made = create.create(directory, answers={}, defaults=defaults or not sys.stdin.isatty())
    click.echo(f"made {len(made)} files in {directory}")
    click.echo(
        "next:\n"
        f"  cd {directory}\n"
        "  git add -A && git commit -m 'feat: first model'\n"
        "  tagline check\n"
        "then, with a remote: git remote add origin URL && git push -u origin main && tagline ci"
    )
