"""Tasks that ask for a GPU: placed on nodes that have one, and told to prove that they see it."""

import copy
from typing import Any

import msgspec

from tagline.errors import ConfigError
from tagline.kubeflow_keys import Gpu
from tagline.pipeline.compiled import Compiled

PROMISED = "TAGLINE_GPUS"  # as in `tagline_task.devices`, which reads it in the task's container


def placed(compiled: Compiled, profile: Gpu | None) -> Compiled:
    """The pipeline with each task that asks for an accelerator placed as the profile says.

    A task of `tagline_task` learns by TAGLINE_GPUS that it was promised an NVIDIA device: it says what it sees, and
    ends where it sees none.
    What a task says by itself stays: its node selector, its tolerations. Without such a task nothing changes. Raises
    `ConfigError` where a task asks for one and the platform file has no profile, for its pod would wait for ever.
    """
    labels = [label for label, one in compiled.containers().items() if _wants(one)]
    if not labels:
        return compiled
    if profile is None:
        raise ConfigError(
            f"{', '.join(label.removeprefix('exec-') for label in labels)} asks for a GPU, and the platform file "
            "says not where there is one",
            fix="gpu: {training: {resource: nvidia.com/gpu, tolerations: [{key: nvidia.com/gpu}]}}",
        )
    ir, platform = copy.deepcopy(compiled.ir), copy.deepcopy(compiled.platform)
    wishes = (
        platform.setdefault("platforms", {})
        .setdefault("kubernetes", {})
        .setdefault("deploymentSpec", {})
        .setdefault("executors", {})
    )
    for label in labels:
        container = ir["deploymentSpec"]["executors"][label]["container"]
        _typed(container["resources"]["accelerator"], profile)
        _promise(container)
        _wish(wishes.setdefault(label, {}), profile)
    return Compiled(ir, platform)


def _wants(container: dict[str, Any]) -> bool:
    device = container.get("resources", {}).get("accelerator") or {}
    return any(device.get(key) for key in ("count", "resourceCount"))


def _typed(device: dict[str, Any], profile: Gpu) -> None:
    """Both spellings of the type, as the SDK writes them: without it Kubernetes is asked for nothing."""
    if not (device.get("resourceType") or device.get("type")):
        device["resourceType"] = device["type"] = profile.resource


def _promise(container: dict[str, Any]) -> None:
    """Write into the container how many NVIDIA devices it is given: 1 where only the run will know the number."""
    device = container["resources"]["accelerator"]
    kind = str(device.get("resourceType") or device.get("type"))
    env = container.setdefault("env", [])
    if kind.startswith("nvidia.com/") and not any(one.get("name") == PROMISED for one in env):
        count = str(device.get("resourceCount") or device.get("count"))
        env.append({"name": PROMISED, "value": count if count.isdigit() else "1"})


def _wish(wish: dict[str, Any], profile: Gpu) -> None:
    if profile.node_selector and "nodeSelector" not in wish:
        wish["nodeSelector"] = {"labels": dict(profile.node_selector)}
    if "tolerations" not in wish and profile.tolerations:
        wish["tolerations"] = [
            {key: value for key, value in msgspec.structs.asdict(one).items() if value}
            for one in profile.tolerations
        ]
