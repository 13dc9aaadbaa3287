"""The fields of a task, a parameter or the pipeline: taken apart, and named as people name them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from tagline.pipeline.lint.secrets import masked

Path = tuple[str, ...]
HIDDEN = "a value that is not shown"
_WORDS: list[tuple[str, str]] = [
    (r"container\.image", "image"),
    (r"container\.command", "command"),
    (r"container\.args", "arguments"),
    (r"container\.env\.(.+)", r"variable \1"),
    (r"container\.resources\.(?:resourceCpuLimit|cpuLimit)", "CPU limit"),
    (r"container\.resources\.(?:resourceMemoryLimit|memoryLimit)", "memory limit"),
    (r"container\.resources\.(?:resourceCpuRequest|cpuRequest)", "CPU request"),
    (r"container\.resources\.(?:resourceMemoryRequest|memoryRequest)", "memory request"),
    (r"container\.resources\.accelerator\.(?:type|resourceType)", "accelerator's type"),
    (r"container\.resources\.accelerator\.(?:count|resourceCount)", "number of accelerators"),
    (r"task\.cachingOptions\.enableCache", "caching"),
    (r"task\.cachingOptions\.cacheKey", "cache key"),
    (r"task\.retryPolicy\.maxRetryCount", "retries"),
    (r"task\.retryPolicy\.(.+)", r"retries' \1"),
    (r"task\.triggerPolicy\.condition", "condition"),
    (r"task\.triggerPolicy\.strategy", "when it runs"),
    (r"task\.dependentTasks", "waits for"),
    (r"task\.inputs\.(?:parameters|artifacts)\.(.+)", r"input \1"),
    (r"task\.iteratorPolicy\.parallelismLimit", "iterations at a time"),
    (r"task\.(?:parameterIterator|artifactIterator)\.(.+)", r"loop's \1"),
    (r"task\.taskInfo\.name", "shown name"),
    (
        r"component\.inputDefinitions\.(?:parameters|artifacts)\.([^.]+)\.defaultValue",
        r"default of its input \1",
    ),
    (r"component\.inputDefinitions\.(?:parameters|artifacts)\.([^.]+)\.(.+)", r"\2 of its input \1"),
    (r"component\.outputDefinitions\.(?:parameters|artifacts)\.([^.]+)\.(.+)", r"\2 of its output \1"),
    (r"kubernetes\.(?:secretAsEnv|secretAsVolume)", "secrets"),
    (r"kubernetes\.(?:configMapAsEnv|configMapAsVolume)", "config maps"),
    (r"kubernetes\.(.+)", r"Kubernetes \1"),
    (r"importer\.(.+)", r"importer's \1"),
]
_NAMES = [(re.compile(pattern), word) for pattern, word in _WORDS]


def flat(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """(path, value) of every field below a value; what feeds one input stays one field, variables go by name."""
    if path[-1:] == ("env",) and isinstance(value, list) and _by_name(value):
        value = {str(each["name"]): each.get("value", "") for each in value}
    if path[-1:] == ("dependentTasks",) and isinstance(value, list):
        value = sorted(value)  # the order in which a task waits says nothing
    if isinstance(value, Mapping) and value and not _whole(path):
        for key, inner in value.items():
            yield from flat(inner, (*path, str(key)))
    else:
        yield path, value


def _by_name(entries: list[Any]) -> bool:
    """Whether a list of variables says no more than a name and a value each, no name twice."""
    plain = all(isinstance(each, Mapping) and set(each) <= {"name", "value"} for each in entries)
    return plain and len({str(each.get("name")) for each in entries}) == len(entries) > 0


def _whole(path: Path) -> bool:
    return len(path) >= 3 and path[-3] == "inputs" and path[-2] in ("parameters", "artifacts")


def named(path: Path) -> str:
    """A field as people call it; its own path where it has no such name."""
    text = ".".join(path)
    for pattern, word in _NAMES:
        if match := pattern.fullmatch(text):
            return match.expand(word)
    return text


def shown(path: Path, value: Any) -> Any:
    """A field's value as it may be told: where an input comes from in words, a secret not at all."""
    if isinstance(value, Mapping) and _whole(path):
        return _source(path[-1], value)
    return HIDDEN if path and masked(path[-1], value) else value


def _source(name: str, given: Mapping[str, Any]) -> Any:
    match given:
        case {"taskOutputParameter": {"producerTask": task, "outputParameterKey": key}, **rest} if not rest:
            return f"{key} of {task}"
        case {"taskOutputArtifact": {"producerTask": task, "outputArtifactKey": key}, **rest} if not rest:
            return f"{key} of {task}"
        case {"componentInputParameter": key, **rest} if not rest:
            return f"parameter {key}"
        case {"componentInputArtifact": key, **rest} if not rest:
            return f"artifact {key}"
        case {"runtimeValue": {"constant": value}, **rest} if not rest:
            return {"constant": HIDDEN if masked(name, value) else value}
    return dict(given)
