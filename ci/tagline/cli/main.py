"""The command `tagline`: the list of commands, and the one place where errors become exit codes.

The overview of all commands is printed without loading click, which takes longer to import than Python to start.
"""

import os
import sys

COMMANDS = {
    "init": "Make a project from the template.",
    "check": "Config, lock, compile, the project's tests, smoke training if asked.",
    "compile": "pipeline.py to pipeline.yaml, deterministic.",
    "build": "The image of every task, once for each content.",
    "ci": "The one CI call: look at the event, plan, run.",
    "release": "Version, environment, smoke training, tag, upload, full training.",
    "train": "Run the training of a release; register the model.",
    "promote": "Ask, by a tag, for a model in an environment.",
    "rollback": "Go back to the last good version, at once.",
    "unblock": "Lift the block of a version that was taken back.",
    "adopt": "Settle promotion tags that are older than the ledger.",
    "status": "What is asked, decided and served, and where they disagree.",
    "history": "What happened, from the ledger.",
    "verify": "Is the ledger sound?",
    "local": "The local platform's processes: up, down, status, logs, traffic.",
    "doctor": "What this machine and this repository lack.",
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
    return USAGE + "".join(f"  {name:<8}  {text}\n" for name, text in COMMANDS.items())


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave the process with the exit code of what happened."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: list[str]) -> int:
    """Run one command and return its exit code; errors are printed to stderr."""
    if arguments in ([], ["--help"], ["-h"]):
        print(overview(), end="")
        return 0 if arguments else 2
    return _run(arguments)


def _run(arguments: list[str]) -> int:
    import signal
    from typing import Any

    import click

    from tagline.cli.group import cli
    from tagline.errors import INTERRUPTED, TaglineError

    # a CI that aborts a job sends SIGTERM: the same good order as after Ctrl-C
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        code: Any = cli.main(arguments, prog_name="tagline", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except TaglineError as error:
        click.echo(f"error: {error}", err=True)
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        from tagline.cli.crash import report

        return report(error)
