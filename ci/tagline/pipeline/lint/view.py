"""A compiled pipeline as the rules look at it: its tasks with their containers, and the Python inside them."""

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import msgspec

from tagline.pipeline.compiled import Compiled

_PLACEHOLDER = "{{$"
_STUB = "argostub/"
_LIGHTWEIGHT = "kfp.dsl.executor_main"


class Task(msgspec.Struct, frozen=True):
    """One task of a graph: `graph` is "" for the pipeline's own; `label` its executor's, "" for a group."""

    graph: str
    name: str
    spec: Mapping[str, Any]
    component: Mapping[str, Any]
    label: str

    @property
    def cached(self) -> bool:
        return bool(self.spec.get("cachingOptions", {}).get("enableCache"))


class View:
    """What the rules ask of one compiled file; each answer is worked out once."""

    def __init__(self, compiled: Compiled) -> None:
        self.compiled, self.ir = compiled, compiled.ir

    @cached_property
    def containers(self) -> dict[str, dict[str, Any]]:
        """Each task's container, by name: an executor's label without its `exec-`.

        The stubs by which kfp makes and deletes volumes are left out: no container is started for them.
        """
        return {
            label.removeprefix("exec-"): one
            for label, one in self.compiled.containers().items()
            if isinstance(one, dict) and not str(one.get("image", "")).startswith(_STUB)
        }

    @cached_property
    def components(self) -> Mapping[str, Any]:
        return dict(self.ir.get("components", {}))

    @cached_property
    def tasks(self) -> list[Task]:
        return [
            self._task(graph, name, spec)
            for graph, tasks in self.compiled.graphs()
            for name, spec in tasks.items()
        ]

    def _task(self, graph: str, name: str, spec: Mapping[str, Any]) -> Task:
        component = self.components.get(spec.get("componentRef", {}).get("name", ""), {})
        return Task(graph, name, spec, component, component.get("executorLabel", "").removeprefix("exec-"))

    @cached_property
    def wishes(self) -> Mapping[str, Mapping[str, Any]]:
        """What each executor asks of Kubernetes, by its name without `exec-`."""
        executors = (
            self.compiled.platform.get("platforms", {})
            .get("kubernetes", {})
            .get("deploymentSpec", {})
            .get("executors", {})
        )
        return {label.removeprefix("exec-"): spec or {} for label, spec in executors.items()}

    @cached_property
    def programs(self) -> dict[str, ast.Module]:
        """The Python that a lightweight component carries, by task; what Python cannot read is left out."""
        found = {name: _program(container) for name, container in self.containers.items()}
        return {name: tree for name, tree in found.items() if tree is not None}

    @cached_property
    def nodes(self) -> dict[str, list[ast.AST]]:
        """Every node of each program, by task."""
        return {name: list(ast.walk(tree)) for name, tree in self.programs.items()}

    @cached_property
    def one_component(self) -> bool:
        """Whether the file is the compiled form of one component: a single task, of the file's own name.

        kfp 1 compiled pipelines alone.
        """
        if not str(self.ir.get("sdkVersion", "")).startswith("kfp-2"):
            return False
        named = self.ir.get("pipelineInfo", {}).get("name")
        return [(each.name, bool(each.label)) for each in self.tasks] == [(named, True)]

    def parameters(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The pipeline's own parameters, by name."""
        yield from self.ir["root"].get("inputDefinitions", {}).get("parameters", {}).items()

    def values(self) -> Iterator[tuple[str, str, Any]]:
        """(place, name, value) of every value that the file itself gives: defaults, constants, environment."""
        for name, spec in self.parameters():
            if "defaultValue" in spec:
                yield f"parameter {name!r} of the pipeline", name, spec["defaultValue"]
        for task in self.tasks:
            for name, given in task.spec.get("inputs", {}).get("parameters", {}).items():
                if "constant" in given.get("runtimeValue", {}):
                    yield f"parameter {name!r} of {task.name}", name, given["runtimeValue"]["constant"]
        yield from self.environment()

    def environment(self) -> Iterator[tuple[str, str, str]]:
        """(place, name, value) of the variables that the containers are given."""
        for label, container in self.containers.items():
            for each in container.get("env", []):
                name = str(each.get("name", ""))
                yield f"variable {name} of {label}", name, str(each.get("value", ""))


def words(container: Mapping[str, Any]) -> list[str]:
    """A container's command and arguments."""
    return [*map(str, container.get("command", [])), *map(str, container.get("args", []))]


def literal(value: Any) -> bool:
    """Whether a value is given as it stands: text without a placeholder in it."""
    return isinstance(value, str) and bool(value) and _PLACEHOLDER not in value


def lightweight(container: Mapping[str, Any]) -> bool:
    """Whether a container runs a lightweight Python component."""
    return any(_LIGHTWEIGHT in word for word in container.get("command", []))


def _program(container: Mapping[str, Any]) -> ast.Module | None:
    """The longest word that defines the function which is run."""
    if not lightweight(container):
        return None
    texts = [word for word in words(container) if re.search(r"^(async )?def \w+\(", word, re.MULTILINE)]
    try:
        return ast.parse(max(texts, key=len)) if texts else None
    except (SyntaxError, ValueError, RecursionError):
        return None
