"""Write docs/reference from the code: commands, settings, exit codes. `--check` only compares."""

import inspect
import re
import sys
import typing
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import click
import msgspec
from tagline import config, errors, floors, kubeflow_keys, platform_file
from tagline.cli.group import cli
from tagline.cli.main import COMMANDS
from tagline.flow.views.recording import Recording
from tagline.hosts.reading import VARIABLES
from tagline.pipeline import common
from tagline.pipeline.lint import registry, suppress
from tagline.pipeline.lint.finding import Scope
from tagline_task import errors as task_errors
from tagline_task import signature

sys.path.insert(0, str(Path(__file__).parent.parent))
from tests.hosts.table import FILES, load

FOLDER = Path(__file__).parent.parent / "docs/reference"
CI_VARIABLES = """`tagline ci` asks the host first, then git. `--event` and `--ref` come before both.

- `merge`: the commit is released if it is not, on the default branch or a `release/*` branch. `pr`: it is checked.
  `tag`: a promotion tag is acted on. `schedule`: whatever is open goes on; a run of the default branch that a person
  or a program started (a wake) is taken as this.
- What is checked out must be the commit that the host names: a workspace that something else was left in is error 14.
- A change whose host does not say that it comes from the same repository is treated as a fork's.
- A host that names no branch leaves the answer to git.

`documented` was written from the host's documentation and not tried on a real host; `recorded` was collected by
`tagline doctor --record-event FILE` in a job of one.
"""
AS_JSON = """With `--json` an error is on stdout as well:
`{"error": {"what": "…", "where": "…", "fix": "…", "code": 21}}`; a
command that got as far as its steps prints its report instead, with `error` and `exit_code` in it."""
LINT = """`tagline lint` and `tagline check` look for these. *where*: `file` for `tagline lint`, `release`
for `tagline lint --release`, `project` for `tagline check` of a project for a cluster, `local` for one of the
platform `local`.

An error ends the command; a warning is shown. `# tagline: ignore[rule] reason` lets one place stand,
`lint: {ignore: {rule: reason}}` in tagline.yaml the whole pipeline."""
KUBEFLOW = (
    kubeflow_keys.Endpoints,
    kubeflow_keys.Access,
    kubeflow_keys.ServiceAccount,
    kubeflow_keys.Oidc,
    kubeflow_keys.Dex,
    kubeflow_keys.Cookie,
    kubeflow_keys.UserHeader,
    kubeflow_keys.Store,
    kubeflow_keys.Gpu,
    kubeflow_keys.Toleration,
)
COMPONENTS = """From `tagline.components.v1` for a pipeline, `tagline_task.components.v1` for a test and a shell;
[how they are used](../how-to/components.md). Files are Parquet; a column that lacks, an empty value where none may be,
and a file that is no Parquet end the task with exit code 18."""
NOTE = "<!-- made by tools/reference.py; do not edit -->\n\n"


def first_line(thing: object) -> str:
    return (inspect.getdoc(thing) or "").split("\n\n")[0].replace("\n", " ")


def error_classes(
    base: type[errors.TaglineError] = errors.TaglineError,
) -> Iterator[type[errors.TaglineError]]:
    for child in base.__subclasses__():
        yield child
        yield from error_classes(child)


def lint_rules() -> str:
    parts = [f"{NOTE}# Lint rules\n\n{LINT}\n"]
    themes = [("compiled files", registry.THEMES), ("sources", registry.SOURCE_THEMES)]
    themes.append(("suppressions", {"suppressions": suppress.RULES}))
    for what, groups in themes:
        for theme, rules in groups.items():
            title = theme if what == "suppressions" else f"{theme} ({what})"
            parts.append(f"## {title[0].upper()}{title[1:]}\n")
            parts.append("| rule | level | where | why | how to mend it |\n|---|---|---|---|---|")
            for rule in rules:
                where = ", ".join(scope for scope in Scope if scope in rule.scopes)
                cells = (each.replace("|", "\\|") for each in (rule.why, rule.fix))
                parts.append(f"| `{rule.id}` | {rule.level} | {where} | {' | '.join(cells)} |")
            parts.append("")
    return "\n".join(parts)


def exit_codes() -> str:
    rows = [(0, "", "Success; the report says so where nothing was to do."), (2, "", "A wrong command line.")]
    rows += [(errors.INTERNAL, "", "A bug of tagline's; a crash report was written.")]
    rows += [(kind.exit_code, kind.__name__, first_line(kind)) for kind in error_classes()]
    rows += [
        (errors.INTERRUPTED, "", "Interrupted (SIGINT: Ctrl-C, or GitHub cancels); the next call goes on.")
    ]
    rows += [
        (errors.TERMINATED, "", "Terminated (SIGTERM: Jenkins or GitLab cancels); the next call goes on.")
    ]
    table = "\n".join(f"| {code} | {name} | {text} |" for code, name, text in sorted(rows))
    return f"{NOTE}# Exit codes\n\n{AS_JSON}\n\n| code | error | means |\n|---|---|---|\n{table}\n"


def commands() -> str:
    parts = [f"{NOTE}# Commands\n"]
    for name in COMMANDS:
        command = cli.get_command(click.Context(cli), name)
        assert command
        parts += list(_command(f"tagline {name}", command))
    return "\n".join(parts)


def _command(path: str, command: click.Command) -> Iterator[str]:
    context = click.Context(
        command, info_name=path, help_option_names=cli.context_settings["help_option_names"]
    )
    yield f"## `{path}`\n\n```text\n{command.get_help(context)}\n```\n"
    if isinstance(command, click.Group):
        for name in command.commands:
            yield from _command(f"{path} {name}", command.commands[name])


def settings() -> str:
    parts = [
        f"{NOTE}# tagline.yaml\n\nEvery key has a default; `serving` and `gate` are needed to promote.\n"
    ]
    for struct in (
        config.Config,
        config.Image,
        config.Member,
        config.Lint,
        config.Scheduled,
        config.Serving,
        config.Gate,
        config.Metric,
        config.Rollout,
        config.Secrets,
        config.Model,
    ):
        rows = [_setting(field, struct) for field in msgspec.structs.fields(struct)]
        title = "the file" if struct is config.Config else struct.__name__.lower()
        parts += _section(title, struct, rows)
    parts.append(
        "# The platform file\n\nWhat holds for all repositories of a company; see the how-to page.\n"
    )
    tables = {"platform file": platform_file.PlatformFile, "floors": floors.Floors}
    tables |= {f"kubeflow: {_snake(struct.__name__)}": struct for struct in KUBEFLOW}
    for title, struct in tables.items():
        parts += _section(
            title, struct, [_setting(field, struct) for field in msgspec.structs.fields(struct)]
        )
    return "\n".join(parts)


def _snake(name: str) -> str:
    return re.sub("(?<!^)(?=[A-Z])", "_", name).lower()


def _section(title: str, struct: type, rows: list[str]) -> list[str]:
    head = f"## {title}\n\n{inspect.getdoc(struct)}\n\n| key | type | default |\n|---|---|---|"
    return [head, "\n".join(rows) + "\n"]


def ci_variables() -> str:
    parts = [f"{NOTE}# What the CI hosts say\n\n{CI_VARIABLES}"]
    for host in VARIABLES:
        parts.append(f"## {host}\n\n| variable | read as |\n|---|---|")
        parts.append("\n".join(f"| `{name}` | {means} |" for name, means in VARIABLES[host].items()))
        parts.append("\n| what happened | is taken as | branch or tag | evidence |\n|---|---|---|---|")
        parts.append("\n".join(_event(load(file)) for file in FILES if file.parent.name == host))
        parts.append("")
    return "\n".join(parts)


def _event(one: Recording) -> str:
    sources = "".join(f" [{n}]({address})" for n, address in enumerate(one.documentation, start=1))
    ref = f"`{one.call.ref}`" if one.call and one.call.ref else ""
    means = one.means or "an error that says what to do"
    return f"| {one.event} | {means} | {ref} | {one.evidence} {one.date}{sources} |"


def _setting(field: msgspec.structs.FieldInfo, struct: type) -> str:
    if field.required:
        default = "needed"
    elif field.default_factory is not msgspec.NODEFAULT:
        default = f"`{msgspec.json.encode(field.default_factory()).decode()}`"
    else:
        default = f"`{msgspec.json.encode(field.default).decode()}`"
    return f"| `{field.name}` | {_type_name(field.type)} | {default} |"


def _type_name(kind: object) -> str:
    if typing.get_origin(kind) is typing.Annotated:
        return _type_name(typing.get_args(kind)[0])
    if isinstance(kind, type) and issubclass(kind, str) and hasattr(kind, "__members__"):
        return " or ".join(f"`{member.value}`" for member in kind)  # type: ignore[attr-defined]
    arguments = [_type_name(argument) for argument in typing.get_args(kind) if argument is not type(None)]
    if arguments:
        origin = getattr(typing.get_origin(kind), "__name__", "")
        return (
            f"{origin} of {' to '.join(arguments)}" if origin in {"list", "dict"} else " or ".join(arguments)
        )
    return getattr(kind, "__name__", str(kind))


def components() -> str:
    parts = [f"{NOTE}# Common components\n\n{COMPONENTS}\n"]
    for each in common.every("v1"):
        function = getattr(import_module(each.module), each.function)
        read = signature.read(function)
        told = (inspect.getdoc(function) or "").replace("<", "&lt;").replace("[[", "\\[[")
        parts.append(f"## `{each.function}`\n\n`{each}`. {told}\n")
        parts.append("| argument | | default |\n|---|---|---|")
        parts += [_argument(one) for one in read.arguments]
        values = ", ".join(f"`{one.name}` ({one.kind})" for one in read.returns) or "none"
        never = "never" if each.fresh else "as the pipeline says"
        parts.append(
            f"\nOutput parameters: {values}. Packages: {', '.join(each.needs) or 'none'}. From the cache: {never}.\n"
        )
    rows = "\n".join(
        f"| {kind.exit_code} | {kind.__name__} | {first_line(kind)} |" for kind in _task_errors()
    )
    parts.append(f"## Exit codes of a task\n\n| code | error | means |\n|---|---|---|\n{rows}\n")
    return "\n".join(parts)


def _argument(one: signature.Parameter | signature.Slot) -> str:
    match one:
        case signature.Slot():
            return f"| `{one.name}` | {'output' if one.output else 'input'} {one.kind} | |"
        case signature.Parameter(required=True):
            return f"| `{one.name}` | {one.kind} | needed |"
        case signature.Parameter():
            return f"| `{one.name}` | {one.kind} | `{one.default!r}` |"


def _task_errors() -> list[type[task_errors.TaskError]]:
    kinds = [each for each in vars(task_errors).values() if isinstance(each, type)]
    tasks = [
        each
        for each in kinds
        if issubclass(each, task_errors.TaskError) and each is not task_errors.TaskError
    ]
    return sorted(tasks, key=lambda each: each.exit_code)


PAGES = {
    "components.md": components,
    "commands.md": commands,
    "settings.md": settings,
    "exit-codes.md": exit_codes,
    "ci-variables.md": ci_variables,
    "lint-rules.md": lint_rules,
}


def main() -> int:
    stale = []
    for name, make in PAGES.items():
        file, text = FOLDER / name, make()
        if "--check" in sys.argv:
            stale += [name] if not file.exists() or file.read_text() != text else []
        else:
            FOLDER.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
    if stale:
        print(f"stale: {', '.join(stale)}; run: .venv/bin/python tools/reference.py")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
