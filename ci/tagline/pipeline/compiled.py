"""The compiled pipeline file: one YAML document, and a second one where the pipeline asks for Kubernetes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import yaml

from tagline.errors import PipelineError

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Compiled(msgspec.Struct, frozen=True):
    """What a compiled file says: `ir` is the pipeline, `platform` the platform's spec or empty."""

    ir: dict[str, Any]
    platform: dict[str, Any] = {}

    def text(self) -> str:
        """The compiled file: the platform's document after the pipeline, where there is one; stable."""
        documents = [self.ir, *([self.platform] if self.platform else [])]
        return str(yaml.safe_dump_all(documents, sort_keys=True))

    def containers(self) -> dict[str, dict[str, Any]]:
        """The container of each executor, by the executor's label."""
        executors = self.ir.get("deploymentSpec", {}).get("executors", {})
        return {label: spec["container"] for label, spec in executors.items() if "container" in spec}

    def accelerated(self) -> bool:
        """Whether any task asks for an accelerator, such as a GPU."""
        return any(one.get("resources", {}).get("accelerator") for one in self.containers().values())

    def graphs(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each graph's tasks: the pipeline's own (named ""), then those of its groups, by component."""
        yield "", self.ir.get("root", {}).get("dag", {}).get("tasks", {})
        for name, component in self.ir.get("components", {}).items():
            if "dag" in component:
                yield name, component["dag"].get("tasks", {})


def read(file: Path) -> Compiled:
    """Read a compiled file; raises `PipelineError` where it is missing, broken or no pipeline."""
    try:
        return parse(file.read_text(), str(file))
    except (OSError, UnicodeDecodeError) as error:
        raise PipelineError(f"the compiled pipeline cannot be read: {error}", where=str(file)) from error


def parse(text: str, where: str) -> Compiled:
    """Read a compiled file's text; `where` names it in errors."""
    try:
        documents = [each for each in yaml.load_all(text, Loader=_Loader) if each is not None]
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise PipelineError("the compiled pipeline is broken YAML", where=where, fix=_FIX) from error
    if not documents or not all(isinstance(each, dict) for each in documents):
        raise PipelineError("the file is no compiled pipeline", where=where, fix=_FIX)
    pipelines = [each for each in documents if isinstance(each.get("root"), dict)]
    platforms = [each for each in documents if "platforms" in each]
    if len(pipelines) != 1 or len(pipelines) + len(platforms) != len(documents):
        raise PipelineError("the file is no compiled pipeline", where=where, fix=_FIX)
    _require_shape(pipelines[0], where)
    return Compiled(pipelines[0], platforms[0] if platforms else {})


def _require_shape(ir: dict[str, Any], where: str) -> None:
    """Raise `PipelineError` that names the first place where something else stands than its readers walk over."""
    places: list[tuple[str, Any]] = [("deploymentSpec", ir.get("deploymentSpec", {}))]
    places += _members("components", ir.get("components", {}))
    graphs = [("root", ir["root"]), *_members("components", ir.get("components", {}))[1:]]
    for name, each in graphs:
        dag = each.get("dag", {}) if isinstance(each, dict) else {}
        places.append((f"{name}.dag", dag))
        if isinstance(dag, dict):
            places += _members(f"{name}.dag.tasks", dag.get("tasks", {}))
    if isinstance(ir.get("deploymentSpec", {}), dict):
        executors = _members("deploymentSpec.executors", ir.get("deploymentSpec", {}).get("executors", {}))
        places += executors
        for name, each in executors[1:]:
            container = each.get("container", {}) if isinstance(each, dict) else {}
            places.append((f"{name}.container", container))
    for name, each in places:
        if not isinstance(each, dict):
            what = f"the file is no compiled pipeline: {name} is {type(each).__name__}, not a mapping"
            raise PipelineError(what, where=where, fix=_FIX)


def _members(name: str, found: Any) -> list[tuple[str, Any]]:
    """A mapping and each of its members, with the names of their places."""
    inside = found.items() if isinstance(found, dict) else ()
    return [(name, found), *((f"{name}.{key}", each) for key, each in inside)]


_FIX = "tagline compile"
