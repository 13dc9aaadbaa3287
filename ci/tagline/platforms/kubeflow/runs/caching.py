"""Caching on or off for every task of a pipeline: the server hears of it in the pipeline itself alone."""

import copy
from collections.abc import Iterator
from typing import Any


def with_caching(ir: dict[str, Any], enabled: bool) -> dict[str, Any]:
    """The pipeline with the cache on or off for each task, those of nested graphs too; the given one stays as it is."""
    made = copy.deepcopy(ir)
    for tasks in _graphs(made):
        for task in tasks.values():
            task["cachingOptions"] = {"enableCache": True} if enabled else {}
    return made


def _graphs(ir: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield ir["root"].get("dag", {}).get("tasks", {})
    for component in ir.get("components", {}).values():
        yield component.get("dag", {}).get("tasks", {})
