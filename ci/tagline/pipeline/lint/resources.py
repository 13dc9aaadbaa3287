"""Rules for what a task asks of its node: limits, requests, GPUs."""

from collections.abc import Iterator, Mapping
from typing import Any

from tagline.pipeline.lint.finding import ON_CLUSTER, Level, Rule, Spot
from tagline.pipeline.lint.view import View
from tagline.pipeline.quantities import amount

_KINDS = {"memory": ("memoryLimit", "resourceMemoryLimit"), "CPU": ("cpuLimit", "resourceCpuLimit")}
_PLACED = ("nodeSelector", "tolerations", "nodeAffinity")


def _resources(view: View) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, container in view.containers.items():
        yield name, container.get("resources", {}) or {}


def _no_limits(view: View) -> Iterator[Spot]:
    if view.one_component:
        return  # a limit is set on a task, in the pipeline that loads it
    for name, asked in _resources(view):
        missing = [kind for kind, keys in _KINDS.items() if not any(key in asked for key in keys)]
        if missing:
            yield Spot(name, f"no limit of {' and '.join(missing)}")


def _gpu_anywhere(view: View) -> Iterator[Spot]:
    for name, asked in _resources(view):
        if asked.get("accelerator") and not any(key in view.wishes.get(name, {}) for key in _PLACED):
            yield Spot(name, "it asks for an accelerator, and neither tolerates a taint nor selects a node")


def _gpu_without_type(view: View) -> Iterator[Spot]:
    for name, asked in _resources(view):
        wanted = asked.get("accelerator") or {}
        if wanted and not (wanted.get("type") or wanted.get("resourceType")):
            yield Spot(name, "an accelerator's number without its type is not asked for at all")


def _over_limit(view: View) -> Iterator[Spot]:
    for name, asked in _resources(view):
        for kind, ask, limit in (
            ("memory", "resourceMemoryRequest", "resourceMemoryLimit"),
            ("CPU", "resourceCpuRequest", "resourceCpuLimit"),
        ):
            least, most = amount(asked.get(ask)), amount(asked.get(limit))
            if least is not None and most is not None and least > most:
                yield Spot(name, f"its request of {kind} ({asked[ask]}) is above its limit ({asked[limit]})")


RULES = (
    Rule(
        "limits-missing",
        Level.WARNING,
        "A task without limits can take a whole node and is the first that Kubernetes kills.",
        'task.set_cpu_limit("1").set_memory_limit("2Gi")',
        _no_limits,
        ON_CLUSTER,
    ),
    Rule(
        "gpu-anywhere",
        Level.WARNING,
        "GPU nodes are tainted as a rule: without a toleration or node selector the task stays pending.",
        "kubernetes.add_toleration(task, …) and kubernetes.add_node_selector(task, …)",
        _gpu_anywhere,
        ON_CLUSTER,
    ),
    Rule(
        "gpu-without-type",
        Level.ERROR,
        "Kubernetes is asked for nothing where the accelerator's type is missing.",
        'task.set_accelerator_type("nvidia.com/gpu")',
        _gpu_without_type,
        ON_CLUSTER,
    ),
    Rule(
        "request-over-limit",
        Level.ERROR,
        "Kubernetes refuses a pod whose request is above its limit.",
        "raise the limit or lower the request",
        _over_limit,
        ON_CLUSTER,
    ),
)
