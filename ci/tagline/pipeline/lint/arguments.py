"""Rules for what a task's command is given: sizes that Linux does not pass, placeholders that stay, outputs."""

import json
import re
from collections.abc import Iterator
from typing import Any

from tagline.pipeline.lint.finding import Level, Rule, Scope, Spot
from tagline.pipeline.lint.view import View, words
from tagline.pipeline.rules import ARGUMENT_LIMIT, unsupported

_LEFT = re.compile(r"\{\{\$\.outputs\.(?:output_file|output_metadata_uri)\}\}")


def size(value: Any) -> int:
    """How many bytes a value has as an argument."""
    return len(value.encode() if isinstance(value, str) else json.dumps(value).encode())


def _all_words(container: Any) -> list[str]:
    return [*words(container), *(str(each.get("value", "")) for each in container.get("env", []))]


def _output_file(view: View) -> Iterator[Spot]:
    for name, container in view.containers.items():
        if any(_LEFT.search(word) for word in _all_words(container)):
            yield Spot(
                name,
                "Kubeflow does not replace {{$.outputs.output_file}}: the task gets these words as a path",
            )


def _long(view: View) -> Iterator[Spot]:
    variables = {place for place, _, _ in view.environment()}
    for place, _, value in view.values():
        if place not in variables and size(value) >= ARGUMENT_LIMIT:
            yield Spot(
                place, f"the value has {size(value)} bytes; Linux passes at most 128 KiB in one argument"
            )
    for name, container in view.containers.items():
        longest = max(map(size, words(container)), default=0)
        if longest >= ARGUMENT_LIMIT:
            yield Spot(name, f"an argument has {longest} bytes; Linux passes at most 128 KiB in one argument")


def _long_variable(view: View) -> Iterator[Spot]:
    for place, name, value in view.environment():
        length = size(f"{name}={value}") + 1
        if length > ARGUMENT_LIMIT:
            yield Spot(place, f"name and value have {length} bytes; Linux passes at most 128 KiB in one")


def _deaf(view: View) -> Iterator[Spot]:
    for label, component in view.components.items():
        container = view.containers.get(component.get("executorLabel", "").removeprefix("exec-"))
        outputs = component.get("outputDefinitions", {})
        if container is None or not outputs or any("{{$" in word for word in _all_words(container)):
            continue
        declared = ", ".join(repr(each) for kind in sorted(outputs) for each in sorted(outputs[kind]))
        yield Spot(
            label.removeprefix("comp-"),
            f"it declares {declared}, but its command is told no path to write to",
        )


def _outputs(view: View) -> list[tuple[str, str, str]]:
    return [
        (label.removeprefix("comp-"), key, spec.get("artifactType", {}).get("schemaTitle", ""))
        for label, component in view.components.items()
        if "executorLabel" in component
        for key, spec in component.get("outputDefinitions", {}).get("artifacts", {}).items()
    ]


def _models(view: View) -> Iterator[Spot]:
    models = [f"{task}.{key}" for task, key, kind in _outputs(view) if kind == "system.Model"]
    if len(models) == 1 or any(key == "facts" for _, key, _ in _outputs(view)):
        return
    reason = f"several outputs are models: {', '.join(models)}" if models else "no output is a model"
    yield Spot("the pipeline", f"{reason}; nothing is registered")


def _not_local(view: View) -> Iterator[Spot]:
    for name in unsupported(view.ir):
        yield Spot(name, "the local platform does not run it in this version of tagline")


RULES = (
    Rule(
        "output-file-placeholder",
        Level.ERROR,
        "The open-source backend leaves this placeholder as it is.",
        "pass dsl.PIPELINE_TASK_EXECUTOR_INPUT_PLACEHOLDER and read outputs.outputFile from it",
        _output_file,
    ),
    Rule(
        "argument-too-long",
        Level.ERROR,
        "Linux does not start a program with an argument of 128 KiB.",
        "hand it over as an artifact",
        _long,
    ),
    Rule(
        "variable-too-long",
        Level.ERROR,
        "Linux does not start a program with a variable of 128 KiB.",
        "mount it as a file from a ConfigMap, or hand it over as an artifact",
        _long_variable,
    ),
    Rule(
        "outputs-out-of-reach",
        Level.WARNING,
        "A command that is told no path cannot write what it declares.",
        "add --executor_input and dsl.PIPELINE_TASK_EXECUTOR_INPUT_PLACEHOLDER to its args",
        _deaf,
    ),
    Rule(
        "one-model",
        Level.WARNING,
        "tagline registers the one output that is a model.",
        "write one Output[Model], or name one under `models:` in tagline.yaml",
        _models,
        frozenset({Scope.PROJECT, Scope.LOCAL}),
    ),
    Rule(
        "not-run-locally",
        Level.ERROR,
        "The local platform would stop there.",
        "write it as container tasks",
        _not_local,
        frozenset({Scope.LOCAL}),
    ),
)
