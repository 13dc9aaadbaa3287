"""A pipeline's specification: how an upload is read, what the server takes for one, its parameters."""

import io
import tarfile
import zipfile
from typing import Any

import yaml

from tests.fakes.kfp.answers import INVALID, Refused

FIELDS = frozenset(
    {
        "components",
        "deploymentSpec",
        "pipelineInfo",
        "root",
        "schemaVersion",
        "sdkVersion",
        "defaultPipelineRoot",
    }
)
NUMBERS = ("NUMBER_DOUBLE", "NUMBER_INTEGER")


class NeverAnswers(Exception):
    """What is no YAML at all: the real server spins for ever."""


class NoPipeline(Exception):
    """Valid YAML that is no pipeline; the text is the server's."""


class EmptyFile(Exception):
    """Nothing in the file."""


def unpacked(filename: str, content: bytes) -> bytes:
    """The YAML file in a .zip or .tar.gz; other files as they are. ValueError where there is none."""
    if filename.endswith(".zip"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return archive.read(_yaml_of(archive.namelist()))
    if filename.endswith(".tar.gz"):
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:gz") as archive:
            member = archive.extractfile(_yaml_of(archive.getnames()))
            return member.read() if member else b""
    return content


def _yaml_of(names: list[str]) -> str:
    for name in names:
        if name.endswith((".yaml", ".yml")):
            return name
    raise ValueError("no YAML file in the archive")


def parsed(content: bytes) -> dict[str, Any]:
    """The specification that a file holds; with a second document, both, as the server stores them."""
    if not content.strip():
        raise EmptyFile
    try:
        documents = [one for one in yaml.load_all(content, Loader=_loader()) if one is not None]
    except yaml.YAMLError:
        raise NeverAnswers from None
    specs = [one for one in documents if isinstance(one, dict)]
    if not specs or len(specs) != len(documents):
        raise NoPipeline("unknown template format")
    spec = next((one for one in specs if "platforms" not in one), None)
    if spec is None:
        raise NoPipeline("unknown template format")
    must_be_pipeline(spec)
    platform = next((one for one in specs if "platforms" in one), None)
    spec = plain(spec)
    return {"pipeline_spec": spec, "platform_spec": plain(platform)} if platform else spec


def _loader() -> type:
    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def must_be_pipeline(spec: dict[str, Any]) -> None:
    if not {"pipelineInfo", "root"} <= set(spec) or set(spec) - FIELDS:
        raise NoPipeline("unknown template format")
    version = spec.get("schemaVersion")
    if version != "2.1.0":
        raise NoPipeline(
            f"KFP only supports schema version 2.1.0, but the pipeline spec has version {version}"
        )


def plain(value: Any) -> Any:
    """As JSON has it: whole floats are written as integers."""
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in sorted(value.items(), key=lambda pair: str(pair[0]))}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    return value


def core(spec: dict[str, Any]) -> dict[str, Any]:
    """The first document of what is stored."""
    held = spec.get("pipeline_spec")
    return held if isinstance(held, dict) else spec


def name(spec: dict[str, Any]) -> str:
    return str(core(spec).get("pipelineInfo", {}).get("name", ""))


def parameters(spec: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Each declared parameter and what is said of it."""
    root = core(spec).get("root", {})
    return dict(root.get("inputDefinitions", {}).get("parameters", {}))


def missing_component(spec: dict[str, Any]) -> str:
    """The first component that a task of the root names and the file lacks."""
    held = core(spec)
    for task in held.get("root", {}).get("dag", {}).get("tasks", {}).values():
        name_ = (task or {}).get("componentRef", {}).get("name", "")
        if name_ and name_ not in held.get("components", {}):
            return str(name_)
    return ""


def check_parameters(spec: dict[str, Any], given: dict[str, Any]) -> None:
    """Unknown, missing or mistyped ones are refused."""
    declared = parameters(spec)
    for key in sorted(set(given) - set(declared)):
        raise Refused(INVALID, f"parameter(s) provided are not required by pipeline: {key}")
    for key, meant in declared.items():
        if key in given:
            _check_type(key, meant.get("parameterType", ""), given[key])
        elif "defaultValue" not in meant and not meant.get("isOptional"):
            raise Refused(
                INVALID,
                f"parameter {key} is not optional, yet has neither default value nor user provided value",
            )


def _check_type(key: str, kind: str, value: Any) -> None:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind in NUMBERS and not number:
        raise Refused(
            INVALID,
            f"input parameter {key} requires type double or integer, "
            "but the parameter value is not of number value type",
        )
    if kind == "STRING" and not isinstance(value, str):
        raise Refused(
            INVALID,
            f"input parameter {key} requires type string, but the input parameter is not of string value type",
        )
    if kind == "BOOLEAN" and not isinstance(value, bool):
        raise Refused(
            INVALID,
            f"input parameter {key} requires type bool, but the input parameter is not of bool value type",
        )
