"""`tagline doctor`: what this machine and this repository lack."""

from pathlib import Path

import click

from tagline.cli.shared import as_json, show


@click.command()
@as_json
def command(json_: bool) -> int:
    """Look for what tagline needs here, and print how to get it. Exit 26 if something needed is missing.

    \b
    Examples:
      tagline doctor
    """
    from tagline.errors import MissingTool
    from tagline.flow.doctor import examine
    from tagline.render.terminal import doctor_text

    findings = examine(Path.cwd())
    show(findings, json_, doctor_text)
    return MissingTool.exit_code if any(finding.level == "missing" for finding in findings) else 0
