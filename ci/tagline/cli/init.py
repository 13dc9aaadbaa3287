"""`tagline init`: a project from the template."""

import sys
from pathlib import Path

import click


@click.command()
@click.argument("directory", type=click.Path(path_type=Path))
@click.option(
    "--ci", type=click.Choice(["jenkins", "gitlab", "github", "none"]), help="Which CI calls tagline."
)
@click.option("--library", help="GitLab, GitHub: the project that holds tagline, such as platform/tagline.")
@click.option(
    "--pin", metavar="COMMIT", help="Name this commit of tagline in the CI file, not the branch v1."
)
@click.option("--defaults", is_flag=True, help="Ask nothing; take the defaults.")
def command(directory: Path, ci: str | None, library: str | None, pin: str | None, defaults: bool) -> None:
    """Make a project in DIRECTORY from the template: a pipeline, its tasks, tests, and three small files.

    The CI file names tagline by its branch v1, which is right where the host is your own; --pin names one
    commit, which is right where others could move that branch.

    \b
    Examples:
      tagline init wine
      tagline init wine --defaults      asks nothing
      tagline init wine --ci gitlab --library platform/tagline
    """
    from tagline.flow.desk import create

    told = {"ci": ci, "library": library, "ref": pin}
    answers = {name: value for name, value in told.items() if value is not None}
    made = create.create(directory, answers=answers, defaults=defaults or not sys.stdin.isatty())
    click.echo(f"made {len(made)} files in {directory}")
    click.echo(
        "next:\n"
        f"  cd {directory}\n"
        "  git add -A && git commit -m 'feat: first model'\n"
        "  tagline check\n"
        "then, with a remote: git remote add origin URL && git push -u origin main && tagline ci"
    )
