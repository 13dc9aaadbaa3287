"""Rules for how tasks are wired: parameters, loops, exit tasks, retries."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tagline.pipeline.lint.finding import ON_CLUSTER, Level, Rule, Spot
from tagline.pipeline.lint.view import Task, View, words

_PLACEHOLDER = "{{$"
_FEW = 10
_MANY_RETRIES = 10


def _unused(view: View) -> Iterator[Spot]:
    root = view.ir["root"]
    # whatever mentions a parameter does so by its name: as a reference, in a condition, in a placeholder
    used = json.dumps([root.get("dag", {}), view.compiled.platform])
    for name, _ in view.parameters():
        if not re.search(rf"(?<![\w-])(?:pipelinechannel--)?{re.escape(name)}(?![\w-])", used):
            yield Spot(f"parameter {name!r} of the pipeline", "no task reads it")


def _unread(view: View) -> Iterator[Spot]:
    for label, component in view.components.items():
        container = view.containers.get(component.get("executorLabel", "").removeprefix("exec-"))
        said = " ".join(words(container)) if container else "{{$}}"
        if "{{$}}" in said or "{{$.json_escape" in said:
            continue
        said += json.dumps([(container or {}).get("env"), (container or {}).get("image")])
        said += json.dumps((container or {}).get("resources"))
        inputs = component.get("inputDefinitions", {})
        # a default may hand on another input, as the worker pools of a job on Vertex AI do
        said += json.dumps([each.get("defaultValue") for each in inputs.get("parameters", {}).values()])
        for name in [*inputs.get("parameters", {}), *inputs.get("artifacts", {})]:
            if not re.search(
                rf"inputs\.(?:parameters|artifacts)\[?\\?['\".]{{1,2}}{re.escape(name)}\b", said
            ):
                yield Spot(label.removeprefix("comp-"), f"its command never mentions the input {name!r}")


def _unbounded(view: View) -> Iterator[Spot]:
    for task in view.tasks:
        loop = task.spec.get("parameterIterator") or task.spec.get("artifactIterator")
        if loop and not task.spec.get("iteratorPolicy", {}).get("parallelismLimit") and _large(loop):
            yield Spot(task.name, "all of its iterations start at once")


def _large(loop: Mapping[str, Any]) -> bool:
    """Whether a loop's items are only known in the run, or are many."""
    items = loop.get("items", {})
    try:
        return "raw" not in items or len(json.loads(items["raw"])) > _FEW
    except (ValueError, TypeError):
        return True


def _broken(view: View) -> Iterator[Spot]:
    graphs = dict(view.compiled.graphs())
    for task in view.tasks:
        beside = graphs[task.graph]
        for producer, key in _sources(task):
            if producer not in beside:
                yield Spot(task.name, f"it reads {key!r} of {producer!r}, which is no task beside it")
            elif key not in _outputs(view, beside[producer]):
                yield Spot(task.name, f"it reads {key!r} of {producer!r}, which declares no such output")
        for other in task.spec.get("dependentTasks", []):
            if other not in beside:
                yield Spot(task.name, f"it waits for {other!r}, which is no task beside it")


def _sources(task: Task) -> Iterator[tuple[str, str]]:
    inputs = task.spec.get("inputs", {})
    for given in [*inputs.get("parameters", {}).values(), *inputs.get("artifacts", {}).values()]:
        for kind, key in (
            ("taskOutputParameter", "outputParameterKey"),
            ("taskOutputArtifact", "outputArtifactKey"),
        ):
            if kind in given:
                yield str(given[kind].get("producerTask")), str(given[kind].get(key))


def _outputs(view: View, spec: Mapping[str, Any]) -> set[str]:
    component = view.components.get(spec.get("componentRef", {}).get("name", ""), {})
    declared = component.get("outputDefinitions", {})
    return {*declared.get("parameters", {}), *declared.get("artifacts", {})}


def _unfilled(view: View) -> Iterator[Spot]:
    for task in view.tasks:
        given = task.spec.get("inputs", {})
        filled = {*given.get("parameters", {}), *given.get("artifacts", {})}
        for key in ("parameterIterator", "artifactIterator"):
            filled.add(task.spec.get(key, {}).get("itemInput", ""))
        declared = task.component.get("inputDefinitions", {})
        for kind in ("parameters", "artifacts"):
            for name, spec in declared.get(kind, {}).items():
                optional = spec.get("isOptional") or "defaultValue" in spec
                if name not in filled and not optional:
                    yield Spot(task.name, f"its input {name!r} has neither value nor default")


def exit_task(task: Task) -> bool:
    """Whether a task runs whatever became of those before it: an exit handler's."""
    return bool(task.spec.get("triggerPolicy", {}).get("strategy") == "ALL_UPSTREAM_TASKS_COMPLETED")


def _exit_cached(view: View) -> Iterator[Spot]:
    for task in view.tasks:
        given = task.spec.get("inputs", {})
        parameters = given.get("parameters", {}).values()
        same = not given.get("artifacts") and all("runtimeValue" in each for each in parameters)
        constant = same and _PLACEHOLDER not in json.dumps(given)
        if exit_task(task) and task.label and task.cached and constant:
            yield Spot(task.name, "the second run takes its result from the cache and does nothing")


def _retries(view: View) -> Iterator[Spot]:
    for task in view.tasks:
        count = task.spec.get("retryPolicy", {}).get("maxRetryCount")
        if isinstance(count, int | float) and not 0 <= count <= _MANY_RETRIES:
            yield Spot(task.name, f"{count:g} retries")


RULES = (
    Rule(
        "parameter-unused",
        Level.WARNING,
        "Who sets a parameter that nothing reads believes to have changed the run.",
        "take it out, or hand it to a task",
        _unused,
    ),
    Rule(
        "input-unread",
        Level.WARNING,
        "A container component whose command does not mention an input cannot see it.",
        "put the input into its args",
        _unread,
    ),
    Rule(
        "loop-unbounded",
        Level.WARNING,
        "A loop without a limit starts as many pods as there are items, and takes the whole quota.",
        "dsl.ParallelFor(items, parallelism=5)",
        _unbounded,
        ON_CLUSTER,
    ),
    Rule(
        "wire-broken",
        Level.ERROR,
        "A task reads what nothing gives: the server refuses the file, or the run stops there.",
        "compile it again; do not edit the compiled file",
        _broken,
    ),
    Rule(
        "input-unfilled",
        Level.ERROR,
        "A task whose input has neither value nor default cannot start.",
        "give it a value",
        _unfilled,
    ),
    Rule(
        "exit-task-cached",
        Level.WARNING,
        "An exit task with the same inputs is taken from the cache: nobody is told, nothing is cleaned up.",
        "task.set_caching_options(False)",
        _exit_cached,
        ON_CLUSTER,
    ),
    Rule(
        "retries-many",
        Level.WARNING,
        "A fault that does not go away is repeated at full cost.",
        f"at most {_MANY_RETRIES} retries, with backoff_duration",
        _retries,
    ),
)
