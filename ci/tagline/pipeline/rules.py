"""What stops a run on this machine: what the local platform does not run, and what Linux does not start."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tagline.errors import PipelineError
from tagline.pipeline.compiled import Compiled
from tagline.pipeline.conditions import read_condition

# Linux gives one argument of a program at most 32 pages (MAX_ARG_STRLEN, include/uapi/linux/binfmts.h).
ARGUMENT_LIMIT = 128 * 1024
_LIGHTWEIGHT = "kfp.dsl.executor_main"


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
    """What the local platform does not run yet, by name, such as `importer (data)`; empty: it runs all."""
    compiled = Compiled(dict(ir))
    found = [*_groups(compiled), *_executors(compiled)]
    return list(dict.fromkeys(found))


def _groups(compiled: Compiled) -> Iterator[str]:
    components = compiled.ir.get("components", {})
    for _, tasks in compiled.graphs():
        for name, task in tasks.items():
            if (condition := task.get("triggerPolicy", {}).get("condition")) and not _readable(condition):
                yield f"a condition that no backend reads ({name}): {condition}"
            graph = "dag" in components.get(task.get("componentRef", {}).get("name", ""), {})
            if graph and int(task.get("retryPolicy", {}).get("maxRetryCount", 0)):
                yield f"retries of a whole graph ({name})"


def _readable(condition: str) -> bool:
    try:
        read_condition(condition)
    except PipelineError:
        return False
    return True


def _executors(compiled: Compiled) -> Iterator[str]:
    for label, executor in compiled.ir.get("deploymentSpec", {}).get("executors", {}).items():
        name = label.removeprefix("exec-")
        if "importer" in executor:
            yield f"importer ({name})"
        elif any(_LIGHTWEIGHT in word for word in executor.get("container", {}).get("command", [])):
            yield f"a lightweight Python component ({name}), which needs an image"
