"""What a run or a schedule sends of a pipeline: itself with the cache set, which the server hears of in no other way.

What registers a model runs with the cache off: a task that the server answers from its cache keeps the address of an
earlier run, below whose root nobody looks for the model of this one. Without the cache a task's result is not kept in
it either, so that a smoke training is never taken for a full one.
"""

import copy
from collections.abc import Mapping
from typing import Any

from tagline.pipeline.compiled import Compiled
from tagline.platforms.kubeflow.store.models import FACTS, MODEL

ON = "enableCache"


def sent(compiled: Compiled, version: Mapping[str, str] | None, *, cache: bool) -> dict[str, Any]:
    """The part of a request that says what runs: `pipeline_version_reference` or `pipeline_spec`.

    The version is referred to where its tasks are as wanted; else, and where there is none, the pipeline is sent.
    """
    made = Compiled(with_caching(compiled.ir, cache), compiled.platform)
    if version and _cached(made) == _cached(compiled):
        return {"pipeline_version_reference": dict(version)}
    return {"pipeline_spec": inline(made)}


def inline(compiled: Compiled) -> dict[str, Any]:
    """A pipeline as a run carries it: the platform's document beside it, where there is one."""
    if not compiled.platform:
        return dict(compiled.ir)
    return {"pipeline_spec": compiled.ir, "platform_spec": compiled.platform}


def with_caching(ir: dict[str, Any], enabled: bool) -> dict[str, Any]:
    """The pipeline with the cache off for each task, those of nested graphs too; the given one stays as it is.

    With `enabled` a task has it as it says itself, but never one that makes a model or writes the facts of one.
    """
    made = copy.deepcopy(ir)
    components = made.get("components", {})
    for _, tasks in Compiled(made).graphs():
        for task in tasks.values():
            component = components.get(task.get("componentRef", {}).get("name"), {})
            if not enabled or _makes_a_model(component):
                task["cachingOptions"] = {}
    return made


def _makes_a_model(component: Mapping[str, Any]) -> bool:
    outputs = component.get("outputDefinitions", {}).get("artifacts", {})
    return any(
        name == FACTS or said.get("artifactType", {}).get("schemaTitle") == MODEL
        for name, said in outputs.items()
    )


def _cached(compiled: Compiled) -> list[tuple[str, str]]:
    """The tasks, each with its graph, that the server may answer from its cache."""
    return [
        (graph, name)
        for graph, tasks in compiled.graphs()
        for name, task in tasks.items()
        if (task.get("cachingOptions") or {}).get(ON)
    ]
