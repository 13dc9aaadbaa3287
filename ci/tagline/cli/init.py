"""`tagline init`: a project from the template."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from tagline.flow.desk.create import Made


@click.command()
@click.argument("directory", required=False, type=click.Path(path_type=Path))
@click.option(
    "--ci", type=click.Choice(["jenkins", "gitlab", "github", "none"]), help="Which CI calls tagline."
)
@click.option(
    "--library",
    help="The repository that holds tagline: on GitHub needed, on GitLab platform/tagline by default.",
)
@click.option(
    "--pin", metavar="COMMIT", help="Name this commit of tagline in the CI file, not the branch v1."
)
@click.option(
    "--fork-comments",
    is_flag=True,
    help="On GitHub, add the workflow that comments on pull requests from forks.",
)
@click.option("--defaults", is_flag=True, help="Ask nothing; take the defaults.")
@click.option(
    "--update", is_flag=True, help="Merge this tagline's template into the project in DIRECTORY, or here."
)
def command(
    directory: Path | None, defaults: bool, update: bool, fork_comments: bool, **told: str | None
) -> int:
    """Make a project in DIRECTORY from the template: a pipeline, its tasks, tests, and three small files.

    The CI file names tagline by its branch v1, which is right where the host is your own; --pin names one
    commit, which is right where others could move that branch. On GitHub the repository that holds tagline
    must be named: it gets a right to push.

    With --update the answers given before hold, unless one is given again; edits and deletions of yours stay.
    Lines that both sides changed are marked, and the exit code is 28.

    \b
    Examples:
      tagline init wine
      tagline init wine --defaults      asks nothing
      tagline init wine --ci gitlab --library tools/tagline
      tagline init wine --ci github --library YOUR-ORG/tagline
      tagline init --update             in a project, with a later tagline
    """
    from tagline.flow.desk import create

    keys = {"ci": "ci", "library": "library", "pin": "ref"}
    answers: dict[str, str | bool] = {keys[name]: value for name, value in told.items() if value is not None}
    if fork_comments:
        answers["fork_comments"] = True
    if update:
        return _update(directory or Path(), answers)
    if directory is None:
        raise click.UsageError("Missing argument 'DIRECTORY'.")
    made = create.create(directory, answers=answers, defaults=defaults or not sys.stdin.isatty())
    for line in _said(directory, made):
        click.echo(line)
    return 0


def _update(directory: Path, answers: dict[str, str | bool]) -> int:
    from tagline.errors import TemplateConflict
    from tagline.flow.desk import update

    done = update.update(directory, answers)
    if not done.later:
        click.echo("nothing to do: the template has nothing newer")
        return 0
    for told in done.files:
        click.echo(f"{told.fate:<10} {told.file}{f' ({told.why})' if told.why else ''}")
    if conflicts := done.conflicts():
        raise TemplateConflict(
            f"{len(conflicts)} files need you: {', '.join(conflicts)}",
            where=str(directory),
            fix="mend what is marked <<<<<<< (git diff --check finds it), tagline check, git commit;"
            " git stash -u takes it all back",
        )
    click.echo("next: git diff, tagline check, git add -A && git commit -m 'chore: a later template'")
    return 0


def _said(directory: Path, made: "Made") -> list[str]:
    if not made.files:
        return [f"nothing to do: every file of the template is in {directory} already"]
    lines = [f"made {len(made.files)} files in {directory}"]
    lines.append(
        f"model: {made.name}{'' if made.name == made.folder else f' (the folder is {made.folder!r})'}"
    )
    lines.append(f"CI: {made.ci}{f' ({made.ci_file})' if made.ci_file else ''}")
    lines.append(f"git: {'begun here' if made.begun else f'in the repository {made.repository}'}")
    lines.append("next:")
    if directory.absolute() != Path.cwd():
        lines.append(f"  cd {shlex.quote(str(directory))}")
    lines += ["  git add -A && git commit -m 'feat: first model'", "  tagline check"]
    return [*lines, "then, with a remote: git remote add origin URL && git push -u origin main && tagline ci"]
