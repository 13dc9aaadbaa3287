"""The compiled pipeline as the local platform reads it: graph, parameters, and what each task asks for."""

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from tagline_task.connectors.settings import MOUNTED, NEEDED, OPTIONAL

from tagline.engines import Limits
from tagline.errors import ConfigError, NotYetSupported, PipelineError
from tagline.pipeline.compiled import Compiled, read
from tagline.pipeline.quantities import amount
from tagline.words import one_of

_TYPES: dict[str, tuple[type, ...]] = {
    "NUMBER_INTEGER": (int,),
    "NUMBER_DOUBLE": (int, float),
    "STRING": (str,),
    "BOOLEAN": (bool,),
    "LIST": (list,),
    "STRUCT": (dict,),
}
_SAID = {
    "NUMBER_INTEGER": "a whole number",
    "NUMBER_DOUBLE": "a number",
    "STRING": "text (in quotes)",
    "BOOLEAN": "true or false",
    "LIST": "a list",
    "STRUCT": "a mapping",
}
_REFUSED = {
    "configMapAsVolume": "a config map as a volume",
    "configMapAsEnv": "a config map as environment",
    "fieldPathAsEnv": "a field of the pod as environment",
    "pvcMount": "a persistent volume",
    "genericEphemeralVolume": "an ephemeral volume",
}


LOOP = "for-loop-"
LONGEST_NAME = 180  # of the 255 that a file system takes, with what is written before and after it


class SecretUse(msgspec.Struct, frozen=True):
    """A task's wish: the value of `key` of a secret in the environment variable `variable`."""

    task: str
    secret: str
    key: str
    variable: str
    optional: bool


def read_pipeline(file: Path) -> Compiled:
    """Read a compiled file that has tasks of its own; raises `PipelineError` where it has none."""
    compiled = read(file)
    if not _tasks(compiled):
        raise PipelineError("the compiled pipeline has no task", where=str(file), fix="tagline compile")
    return compiled


def _tasks(compiled: Compiled) -> dict[str, dict[str, Any]]:
    """The tasks of the pipeline's own graph, by name."""
    found: dict[str, dict[str, Any]] = compiled.ir["root"].get("dag", {}).get("tasks", {})
    return found


def parameters(compiled: Compiled, given: Mapping[str, Any]) -> dict[str, Any]:
    """The given parameters as the pipeline takes them: unknown, missing and mistyped ones raise.

    A whole number does where any number is wanted: it is made a float, which kfp's orchestrator asks for.
    """
    declared = _declared(compiled)
    for name, value in given.items():
        check_parameter(compiled, name, value)
    for name, definition in declared.items():
        if name not in given and "defaultValue" not in definition and not definition.get("isOptional"):
            raise ConfigError(
                f"parameter {name!r} of the pipeline has no value", fix=f"parameters: {{{name}: ...}}"
            )
    return {
        name: float(value) if declared[name]["parameterType"] == "NUMBER_DOUBLE" else value
        for name, value in given.items()
    }


def check_parameter(compiled: Compiled, name: str, value: Any) -> None:
    """Raise `UnknownName` for a parameter that the pipeline has not, `ConfigError` for a value it cannot take."""
    declared = _declared(compiled)
    kind = declared[one_of(name, declared, "parameter of the pipeline")]["parameterType"]
    if not _fits(value, kind):
        raise ConfigError(
            f"parameter {name!r} is {value!r}, the pipeline wants {kind}",
            fix=f"give it {_SAID.get(kind, kind)}",
        )


def _declared(compiled: Compiled) -> dict[str, dict[str, Any]]:
    """The pipeline's own parameters, by name."""
    found: dict[str, dict[str, Any]] = compiled.ir["root"].get("inputDefinitions", {}).get("parameters", {})
    return found


def _fits(value: Any, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "BOOLEAN"
    return isinstance(value, _TYPES.get(kind, (object,)))


def secret_uses(compiled: Compiled, given: Mapping[str, Any]) -> Iterator[SecretUse]:
    """Every secret that a task asks for as environment, and Vault's credentials in their mounted folder.

    Raises `NotYetSupported` for other mounts.
    """
    for task, settings in _settings(compiled):
        for key, what in _REFUSED.items():
            if settings.get(key):
                raise NotYetSupported(f"task {task!r} asks for {what}: the local platform has none")
        for use in settings.get("secretAsEnv", []):
            secret = _secret_name(compiled, task, use, given)
            for pair in use["keyToEnv"]:
                yield SecretUse(
                    task, secret, pair["secretKey"], pair["envVar"], bool(use.get("optional", False))
                )
        for volume in settings.get("secretAsVolume", []):
            yield from _vault_files(task, volume, _secret_name(compiled, task, volume, given))


def _vault_files(task: str, volume: Mapping[str, Any], secret: str) -> Iterator[SecretUse]:
    """The credentials that VaultConnector finds in a mounted Secret: on one machine they are variables."""
    if volume.get("mountPath") != MOUNTED:
        raise NotYetSupported(f"task {task!r} asks for a secret as a volume: the local platform has none")
    for name in (*NEEDED, *OPTIONAL):
        yield SecretUse(task, secret, name, name, name in OPTIONAL or bool(volume.get("optional", False)))


def time_limits(compiled: Compiled) -> dict[str, float]:
    """Seconds that each task may run, for tasks that set a limit."""
    return {
        task: float(settings["activeDeadlineSeconds"])
        for task, settings in _settings(compiled)
        if settings.get("activeDeadlineSeconds")
    }


def limits(compiled: Compiled) -> dict[str, Limits]:
    """Cores, memory and GPUs of the tasks that name some; raises `NotYetSupported` for what only a run knows."""
    containers = compiled.containers()
    found = {}
    for label in _labels(compiled):
        name, asked = named(label), containers.get(label, {}).get("resources") or {}
        device = asked.get("accelerator") or {}
        words = {
            "cpus": asked.get("resourceCpuLimit") or asked.get("cpuLimit") or 0,
            "memory": asked.get("resourceMemoryLimit") or f"{asked.get('memoryLimit') or 0}G",
            "gpus": device.get("resourceCount") or device.get("count") or 0,
        }
        if vague := [str(word) for word in words.values() if "{{" in str(word)]:
            raise NotYetSupported(f"task {name!r} takes a limit from a parameter: {vague[0]}")
        if asked:
            found[name] = Limits(
                quantity(words["cpus"]), int(quantity(words["memory"])), int(quantity(words["gpus"]))
            )
    return found


def quantity(text: object) -> float:
    """A Kubernetes quantity such as `500m`, `2Gi` or `1.5` as a number; raises `ConfigError` for another."""
    found = amount(text)
    if found is None:
        raise ConfigError(f"{text!r} is not a quantity", fix="write 500m, 2, 512Mi or 2Gi")
    return found


def _settings(compiled: Compiled) -> Iterator[tuple[str, dict[str, Any]]]:
    kubernetes = compiled.platform.get("platforms", {}).get("kubernetes", {})
    by_label = kubernetes.get("deploymentSpec", {}).get("executors", {})
    for label in _labels(compiled):
        yield named(label), by_label.get(label) or {}


def named(label: str) -> str:
    """The name that kfp made an executor's label of: its task's, or that of the first task that it is for."""
    return label.removeprefix("exec-")


def file_name(task: str) -> str:
    """A task's path of names, such as `for-loop-1/0/train`, as one name of a file; kfp's names have no dot.

    One that no file system takes ends in its digest.
    """
    name = task.replace("/", ".")
    if len(name) <= LONGEST_NAME:
        return name
    return f"{name[: LONGEST_NAME - 17]}~{hashlib.sha256(task.encode()).hexdigest()[:16]}"


def round_of(task: str) -> str:
    """The round of a loop, the innermost, that a task's path lies in, such as `for-loop-1/0/`; "" outside loops."""
    parts = task.split("/")
    rounds = [at for at, name in enumerate(parts) if name.isdigit() and parts[at - 1].startswith(LOOP)]
    return "/".join([*parts[: rounds[-1] + 1], ""]) if rounds else ""


def _labels(compiled: Compiled) -> list[str]:
    """The executors of all tasks, in all graphs, each once."""
    components = compiled.ir.get("components", {})
    found: dict[str, None] = {}
    for _, tasks in compiled.graphs():
        for task in tasks.values():
            label = components[task["componentRef"]["name"]].get("executorLabel", "")
            found.update({label: None} if label else {})
    return list(found)


def _secret_name(compiled: Compiled, task: str, use: Mapping[str, Any], given: Mapping[str, Any]) -> str:
    named = use.get("secretNameParameter", {})
    if "componentInputParameter" in named:
        name = named["componentInputParameter"]
        declared = _declared(compiled)
        if name in given or "defaultValue" in declared.get(name, {}):
            return str(given.get(name, declared.get(name, {}).get("defaultValue")))
    if constant := named.get("runtimeValue", {}).get("constant") or use.get("secretName"):
        return str(constant)
    raise NotYetSupported(f"task {task!r} takes a secret's name from another task: the local platform cannot")
