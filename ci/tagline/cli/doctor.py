"""`tagline doctor`: what this machine and this repository lack."""

from pathlib import Path

import click

from tagline.cli.shared import as_json, show


@click.command()
@click.option(
    "--record-event",
    "record",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Only write what the CI host says of this run, secrets masked, to FILE.",
)
@as_json
def command(record: Path | None, json_: bool) -> int:
    """Look for what tagline needs here, and print how to get it. Exit 26 if something needed is missing.

    \b
    Examples:
      tagline doctor
      tagline doctor --record-event event.json     in a CI job
    """
    if record:
        return _record(record)
    from tagline.errors import MissingTool
    from tagline.flow.views.doctor import examine
    from tagline.render.terminal import doctor_text

    findings = examine(Path.cwd())
    show(findings, json_, doctor_text)
    return MissingTool.exit_code if any(finding.level == "missing" for finding in findings) else 0


def _record(file: Path) -> int:
    import os
    from datetime import UTC, datetime

    from tagline.flow.views import recording

    found = recording.record(os.environ, Path.cwd(), datetime.now(UTC).date().isoformat())
    recording.write(found, file)
    click.echo(f"wrote {file}: {found.host} says {found.means or found.problem}")
    return 0
