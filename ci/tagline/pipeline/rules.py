"""The rules of `tagline check`: what compiles today and fails in a run, found before it runs."""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec

from tagline.errors import CheckFailed
from tagline.pipeline.compiled import Compiled

# Linux gives one argument of a program at most 32 pages (MAX_ARG_STRLEN, include/uapi/linux/binfmts.h).
ARGUMENT_LIMIT = 128 * 1024
_OUTPUT_FILE = re.compile(r"\{\{\$\.outputs\.output_file\}\}")
_EXIT_HANDLER = re.compile(r"comp-exit-handler-[0-9]+")
_LIGHTWEIGHT = "kfp.dsl.executor_main"


class Level(StrEnum):
    """An error ends `check`; a warning is shown."""

    ERROR = "error"
    WARNING = "warning"


class Finding(msgspec.Struct, frozen=True):
    """One thing that a rule found: where it stands in the pipeline, why it is wrong, and how to mend it."""

    rule: str
    level: Level
    place: str
    reason: str
    fix: str

    def __str__(self) -> str:
        return f"{self.level} {self.rule}: {self.place}: {self.reason}; {self.fix}"


def check(compiled: Compiled) -> list[Finding]:
    """Every finding in a compiled pipeline, errors first."""
    found = [finding for rule in _RULES for finding in rule(compiled)]
    return sorted(found, key=lambda finding: (finding.level is Level.WARNING, finding.rule, finding.place))


def refuse(findings: Sequence[Finding], where: str) -> None:
    """Raise `CheckFailed` that names every error among the findings; warnings alone pass."""
    errors = [finding for finding in findings if finding.level is Level.ERROR]
    if errors:
        said = "".join(f"\n    {finding}" for finding in errors)
        raise CheckFailed(f"{len(errors)} error(s) in the compiled pipeline:{said}", where=where)


def argument_too_long(argv: Sequence[str], given: Mapping[str, Any]) -> str:
    """Why Linux would not start this command, naming the parameter that is too large; "" where it would.

    `given` is the executor input whose values stand in `argv`.
    """
    longest = max((len(word.encode()) for word in argv), default=0)
    if longest < ARGUMENT_LIMIT:
        return ""
    values = given.get("inputs", {}).get("parameterValues", {})
    sizes = {name: _size(value) for name, value in values.items()}
    if not sizes:
        return f"an argument has {longest} bytes; Linux passes at most 128 KiB in one argument"
    name = max(sizes, key=lambda each: sizes[each])
    return f"parameter {name!r} has {sizes[name]} bytes; Linux passes at most 128 KiB in one argument"


def _size(value: Any) -> int:
    return len(value.encode() if isinstance(value, str) else json.dumps(value).encode())


def unsupported(ir: Mapping[str, Any]) -> list[str]:
    """What the local platform does not run yet, by name, such as `If (condition-1)`; empty: it runs all."""
    compiled = Compiled(dict(ir))
    found = [*_groups(compiled), *_executors(compiled)]
    return list(dict.fromkeys(found))


def _groups(compiled: Compiled) -> Iterator[str]:
    for component, tasks in compiled.graphs():
        for name, task in tasks.items():
            if "condition" in task.get("triggerPolicy", {}):
                yield f"{_branch(component, task)} ({name})"
            if "parameterIterator" in task or "artifactIterator" in task:
                yield f"ParallelFor ({name})"
            if _EXIT_HANDLER.fullmatch(task.get("componentRef", {}).get("name", "")):
                yield f"ExitHandler ({name})"


def _branch(component: str, task: Mapping[str, Any]) -> str:
    """Whether a task is the If, an Elif or the Else of its group: kfp negates the branches before it."""
    condition = task["triggerPolicy"]["condition"]
    if not component.startswith("comp-condition-branches-") or not condition.startswith("!("):
        return "If"
    own = re.sub(r"(?:^| && )!\((?:[^()]|\([^()]*\))*\)", "", condition)
    return "Elif" if own.strip() else "Else"


def _executors(compiled: Compiled) -> Iterator[str]:
    for label, executor in compiled.ir.get("deploymentSpec", {}).get("executors", {}).items():
        name = label.removeprefix("exec-")
        if "importer" in executor:
            yield f"importer ({name})"
        elif any(_LIGHTWEIGHT in word for word in executor.get("container", {}).get("command", [])):
            yield f"a lightweight Python component ({name}), which needs an image"


def _words(container: Mapping[str, Any]) -> list[str]:
    settings = [str(each.get("value", "")) for each in container.get("env", [])]
    return [*map(str, container.get("command", [])), *map(str, container.get("args", [])), *settings]


def _output_file(compiled: Compiled) -> Iterator[Finding]:
    for label, container in compiled.containers().items():
        if any(_OUTPUT_FILE.search(word) for word in _words(container)):
            yield Finding(
                "output-file-placeholder",
                Level.ERROR,
                label.removeprefix("exec-"),
                "Kubeflow does not replace {{$.outputs.output_file}}: the task gets these words as a path",
                "pass dsl.PIPELINE_TASK_EXECUTOR_INPUT_PLACEHOLDER and read outputs.outputFile from it",
            )


def _long_values(compiled: Compiled) -> Iterator[Finding]:
    for place, value in [*_defaults(compiled), *_constants(compiled)]:
        if _size(value) >= ARGUMENT_LIMIT:
            yield Finding(
                "argument-too-long",
                Level.ERROR,
                place,
                f"the value has {_size(value)} bytes; Linux passes at most 128 KiB in one argument",
                "hand it over as an artifact",
            )


def _defaults(compiled: Compiled) -> Iterator[tuple[str, Any]]:
    owners = {"the pipeline": compiled.ir["root"], **compiled.ir.get("components", {})}
    for owner, component in owners.items():
        for name, spec in component.get("inputDefinitions", {}).get("parameters", {}).items():
            if "defaultValue" in spec:
                yield f"parameter {name!r} of {owner.removeprefix('comp-')}", spec["defaultValue"]


def _constants(compiled: Compiled) -> Iterator[tuple[str, Any]]:
    for _, tasks in compiled.graphs():
        for task, spec in tasks.items():
            for name, given in spec.get("inputs", {}).get("parameters", {}).items():
                if "constant" in given.get("runtimeValue", {}):
                    yield f"parameter {name!r} of {task}", given["runtimeValue"]["constant"]


def _unsupported(compiled: Compiled) -> Iterator[Finding]:
    for name in unsupported(compiled.ir):
        yield Finding(
            "not-run-locally",
            Level.ERROR,
            name,
            "the local platform does not run it in this version of tagline",
            "write it as container tasks in one graph",
        )


def _deaf_tasks(compiled: Compiled) -> Iterator[Finding]:
    for name, component in compiled.ir.get("components", {}).items():
        container = compiled.containers().get(component.get("executorLabel", ""))
        outputs = component.get("outputDefinitions", {})
        if container is None or not outputs or any("{{$" in word for word in _words(container)):
            continue
        declared = ", ".join(repr(each) for kind in sorted(outputs) for each in sorted(outputs[kind]))
        yield Finding(
            "outputs-out-of-reach",
            Level.WARNING,
            name.removeprefix("comp-"),
            f"it declares {declared}, but its command is told no path to write to",
            "add --executor_input and dsl.PIPELINE_TASK_EXECUTOR_INPUT_PLACEHOLDER to its args",
        )


def _models(compiled: Compiled) -> Iterator[Finding]:
    outputs = [
        (name.removeprefix("comp-"), key, spec.get("artifactType", {}).get("schemaTitle", ""))
        for name, component in compiled.ir.get("components", {}).items()
        if "executorLabel" in component
        for key, spec in component.get("outputDefinitions", {}).get("artifacts", {}).items()
    ]
    models = [f"{task}.{key}" for task, key, kind in outputs if kind == "system.Model"]
    if len(models) == 1 or any(key == "facts" for _, key, _ in outputs):
        return
    reason = f"several outputs are models: {', '.join(models)}" if models else "no output is a model"
    fix = "name one under `models:` in tagline.yaml" if models else "write an Output[Model] in a task"
    yield Finding("one-model", Level.WARNING, "the pipeline", f"{reason}; nothing is registered", fix)


_RULES: tuple[Callable[[Compiled], Iterator[Finding]], ...] = (
    _output_file,
    _long_values,
    _unsupported,
    _deaf_tasks,
    _models,
)
