"""Two compiled pipelines side by side: tasks paired by name, or by all that they are, then field by field."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from tagline.pipeline.compiled import Compiled
from tagline.pipeline.diff.change import Change, Kind
from tagline.pipeline.diff.fields import Path, flat, named, shown

_MISSING = object()
_THE_PIPELINE = "the pipeline"


class Node(msgspec.Struct, frozen=True):
    """A task with all that it refers to: its fields, and the tasks inside where it is a group."""

    fields: dict[str, Any]
    inside: "dict[str, Node]"

    def signature(self, name: str) -> str:
        """Text that is equal for tasks that differ at most in their own name, also where it is the shown one."""
        task = self.fields["task"]
        if task.get("taskInfo") == {"name": name}:
            task = {**task, "taskInfo": None}
        inside = {inner: node.signature(inner) for inner, node in self.inside.items()}
        return json.dumps([{**self.fields, "task": task}, inside], sort_keys=True)


def compare(before: Compiled, after: Compiled) -> list[Change]:
    """Every change from one compiled pipeline to another; the SDK's version does not count.

    Nothing that differs is left out: a field without a name of its own is named by its path.
    """
    one, other = _Taken(before), _Taken(after)
    changes = [*_fields(_THE_PIPELINE, one.rest(), other.rest()), *_parameters(one, other)]
    return [*changes, *_tasks("", one.tasks, other.tasks)]


class _Taken:
    """A pipeline taken apart; what no task refers to is left for `rest`."""

    def __init__(self, compiled: Compiled) -> None:
        self._ir, self._platform = compiled.ir, compiled.platform
        self._used: set[str] = set()
        root = self._ir["root"]
        definitions = root.get("inputDefinitions", {})
        self.parameters: Mapping[str, Any] = definitions.get("parameters", {})
        self.tasks = self._nodes(root.get("dag", {}).get("tasks", {}), ())

    def _nodes(self, tasks: Mapping[str, Any], above: tuple[str, ...]) -> dict[str, Node]:
        return {name: self._node(spec, above) for name, spec in tasks.items()}

    def _node(self, spec: Mapping[str, Any], above: tuple[str, ...]) -> Node:
        reference = spec.get("componentRef", {}).get("name", "")
        component = self._ir.get("components", {}).get(reference, {})
        label = component.get("executorLabel", "")
        self._used |= {reference, label}
        executor = self._ir.get("deploymentSpec", {}).get("executors", {}).get(label, {})
        wishes = self._wishes().get(label, {})
        fields: dict[str, Any] = {
            "task": {key: value for key, value in spec.items() if key != "componentRef"}
        }
        fields["component"] = {key: value for key, value in component.items() if key != "executorLabel"}
        fields |= {**executor, "kubernetes": wishes}
        tasks = component.get("dag", {}).get("tasks", {})
        if "dag" in component and reference not in above:
            fields["component"]["dag"] = {k: v for k, v in component["dag"].items() if k != "tasks"}
            return Node(fields, self._nodes(tasks, (*above, reference)))
        return Node(fields, {})

    def _wishes(self) -> Mapping[str, Any]:
        kubernetes = self._platform.get("platforms", {}).get("kubernetes", {})
        found: Mapping[str, Any] = kubernetes.get("deploymentSpec", {}).get("executors", {})
        return found

    def rest(self) -> dict[str, Any]:
        """All that is neither a task's nor a parameter's, and the components that no task uses."""
        copy = json.loads(json.dumps([self._ir, self._platform]))
        ir, platform = copy
        ir.pop("sdkVersion", None)
        ir["root"].get("inputDefinitions", {}).pop("parameters", None)
        ir["root"].get("dag", {}).pop("tasks", None)
        kubernetes = platform.get("platforms", {}).get("kubernetes", {})
        for places in (
            ir.get("components", {}),
            ir.get("deploymentSpec", {}).get("executors", {}),
            kubernetes.get("deploymentSpec", {}).get("executors", {}),
        ):
            for name in self._used & set(places):
                del places[name]
        return {"pipeline": ir, "platform": platform}


def _parameters(one: _Taken, other: _Taken) -> Iterator[Change]:
    for name in _both(one.parameters, other.parameters):
        place = f"parameter {name}"
        yield from _whole_or_fields(
            place, one.parameters.get(name, _MISSING), other.parameters.get(name, _MISSING)
        )


def _whole_or_fields(place: str, before: Any, after: Any) -> Iterator[Change]:
    if before is _MISSING:
        yield Change(Kind.ADDED, place)
    elif after is _MISSING:
        yield Change(Kind.REMOVED, place)
    else:
        yield from _fields(place, before, after)


def _tasks(prefix: str, before: dict[str, Node], after: dict[str, Node]) -> Iterator[Change]:
    renamed = _renamed(before, after)
    place = "task {}".format
    for old, new in renamed.items():
        yield Change(Kind.RENAMED, place(prefix + old), "", "", place(prefix + old), place(prefix + new))
    for name in _both(before, after):
        if name in renamed or (name not in before and name in renamed.values()):
            continue
        if name not in before:
            yield Change(Kind.ADDED, place(prefix + name))
        elif name not in after:
            yield Change(Kind.REMOVED, place(prefix + name))
        else:
            fields, moved = before[name].fields, _with_names(before[name].fields, renamed)
            yield from _fields(place(prefix + name), fields, after[name].fields, moved)
            yield from _tasks(f"{prefix}{name}/", before[name].inside, after[name].inside)


def _renamed(before: Mapping[str, Node], after: Mapping[str, Node]) -> dict[str, str]:
    """Old name → new name of each task that is there under another name, and the same otherwise."""
    gone: dict[str, list[str]] = {}
    for name in sorted(set(before) - set(after)):
        gone.setdefault(before[name].signature(name), []).append(name)
    come: dict[str, list[str]] = {}
    for name in sorted(set(after) - set(before)):
        come.setdefault(after[name].signature(name), []).append(name)
    return {
        old: new
        for signature, names in gone.items()
        for old, new in zip(names, come.get(signature, []), strict=False)
    }


def _with_names(fields: dict[str, Any], renamed: Mapping[str, str]) -> dict[str, Any]:
    """A task's fields with its neighbours under their new names, so that a rename is told once."""
    if not renamed:
        return fields
    task = json.loads(json.dumps(fields["task"]))
    if "dependentTasks" in task:
        task["dependentTasks"] = [renamed.get(each, each) for each in task["dependentTasks"]]
    for given in task.get("inputs", {}).values():
        for one in given.values():
            for source in one.values():
                if isinstance(source, dict) and source.get("producerTask") in renamed:
                    source["producerTask"] = renamed[source["producerTask"]]
    return {**fields, "task": task}


def _fields(place: str, before: Any, after: Any, moved: Any = None) -> Iterator[Change]:
    """Field by field; `moved` is `before` with the new names of its neighbours, by which is judged what differs."""
    one, other = dict(flat(before)), dict(flat(after))
    judged = one if moved is None else dict(flat(moved))
    for path in sorted(one.keys() | other.keys()):
        old, new = one.get(path, _MISSING), other.get(path, _MISSING)
        if not _same(judged.get(path, _MISSING), new) and not _opened(path, one, other):
            yield _change(place, path, old, new)


def _opened(path: Path, one: Mapping[Path, Any], other: Mapping[Path, Any]) -> bool:
    """Whether a field is only the empty form of what the other side has fields in, which are told themselves."""
    return any(
        mine.get(path) == {} and any(each[: len(path)] == path for each in theirs if each != path)
        for mine, theirs in ((one, other), (other, one))
    )


def _change(place: str, path: Path, old: Any, new: Any) -> Change:
    what, where = named(path) or "all of it", ".".join(path)
    if old is _MISSING:
        return Change(Kind.ADDED, place, what, where, None, shown(path, new))
    if new is _MISSING:
        return Change(Kind.REMOVED, place, what, where, shown(path, old))
    return Change(Kind.CHANGED, place, what, where, shown(path, old), shown(path, new))


def _same(one: Any, other: Any) -> bool:
    """Whether two values say the same; true and 1 do not, 3 and 3.0 do."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _both(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    return sorted(one.keys() | other.keys())
