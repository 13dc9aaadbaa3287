"""The command `tagline`: the list of commands, and the one place where errors become exit codes.

The overview of all commands is printed without loading click, which takes longer to import than Python to start.
"""

import os
import sys

COMMANDS = {
    "init": "Make a project from the template.",
    "check": "Config, lock, compile, the project's tests, smoke training if asked.",
    "lint": "Rules over a compiled pipeline and its source, without a cluster.",
    "diff": "What changed in the pipeline between two releases, commits or files, in words.",
    "manifests": "A release as Kubernetes objects, for Argo CD or kubectl.",
    "compile": "pipeline.py to pipeline.yaml, deterministic.",
    "build": "The image of every task, once for each content.",
    "ci": "The one CI call: look at the event, plan, run.",
    "plan": "The plan of a call, as a file that other agents carry on.",
    "run": "This agent's part of a saved plan.",
    "release": "Checks, version, environment, smoke training, tag, upload, full training.",
    "train": "Run the training of a release; register the model.",
    "promote": "Ask, by a tag, for a model in an environment.",
    "rollback": "Go back to the last good version, at once.",
    "unblock": "Lift the block of a version that was taken back.",
    "adopt": "Settle promotion tags that are older than the ledger.",
    "status": "What is asked, decided and served, and where they disagree.",
    "history": "What happened, from the ledger.",
    "verify": "Is the ledger sound?",
    "secrets": "What tasks read from Vault: check, put, bootstrap.",
    "local": "The local platform's processes: up, down, status, logs, traffic.",
    "comment": "The report as one comment under its pull request.",
    "wake": "The tag's job: wake a run of the default branch.",
    "doctor": "What this machine and this repository lack.",
    "completion": "What a shell needs to complete commands and names.",
}

USAGE = """Usage: tagline [OPTIONS] COMMAND [ARGS]...

  From a commit to a served model: merge to main releases, a tag promotes.

  Examples:
    tagline init wine          a project from the template
    tagline ci                 what CI calls, on every event
    tagline promote wine --to prod
    tagline status

Options:
  --version   Show the version and exit.
  -h, --help  Show this message and exit.

Commands:
"""


def overview() -> str:
    """What `tagline --help` prints."""
    return USAGE + "".join(f"  {name:<10}  {text}\n" for name, text in COMMANDS.items())


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave the process with the exit code of what happened."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code; errors are printed to stderr."""
    completing = "_TAGLINE_COMPLETE" in os.environ  # a shell asks through variables, with no argument at all
    if arguments in ([], ["--help"], ["-h"]) and not completing:
        print(overview(), end="")
        return 0 if arguments else 2
    if not os.environ.get("GITHUB_ACTIONS"):
        return _run(arguments)
    from tagline.render.logstream import harmless

    with harmless():
        return _run(arguments)


def _run(arguments: list[str]) -> int:
    from typing import Any

    import click
    from tagline_task import masking

    from tagline.cli.cancel import Cancel
    from tagline.cli.group import cli
    from tagline.errors import TaglineError
    from tagline.secrets.scan import known_values

    masking.install()  # no secret that this process learns, or was given by a telling name, reaches its output
    masking.HIDDEN.add(known_values(os.environ, {}).values())
    cancel = Cancel()
    cancel.install()
    try:
        code: Any = cli.main(arguments, prog_name="tagline", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        error.show()
        return _ended(arguments, error.exit_code, error.format_message())
    except TaglineError as error:
        click.echo(f"error: {error}", err=True)
        return _ended(arguments, error.exit_code, error.what, error.where, error.fix)
    except (KeyboardInterrupt, click.Abort):
        code = cancel.heard()
        _interrupted()
        return _ended(arguments, code, "interrupted")
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        from tagline.cli.crash import report

        code = report(error)
        return _ended(arguments, code, f"tagline itself failed: {type(error).__name__}")


def _interrupted() -> None:
    import click

    from tagline.git import process

    process.end_all()  # a push in the background must not outlive us
    click.echo("interrupted", err=True)


def _ended(arguments: list[str], code: int, what: str, where: str = "", fix: str = "") -> int:
    """The exit code of an error; a program that asked for JSON is told of it on stdout, as text was on stderr."""
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    if "--json" in options:
        import json

        said = {"what": what, "where": where, "fix": fix, "code": code}
        print(json.dumps({"error": said}, indent=2, ensure_ascii=False))
    return code
