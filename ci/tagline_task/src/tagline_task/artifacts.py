"""Artifacts: files or folders that tasks hand to each other, with metadata; how a signature names them."""

import os
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, TypeVar

from tagline_task.values import number

INPUT, OUTPUT = "tagline input", "tagline output"
# kfp's mount points (kfp/dsl/types/artifact_types.py) and its workspace (kfp/dsl/constants.py).
_MOUNTS = {"gs://": "/gcs/", "minio://": "/minio/", "s3://": "/s3/"}
_OCI = "oci://"
_WORKSPACE = "/kfp-workspace"


class Artifact:
    """A file or folder at `.path`, known elsewhere as `.uri`, with `.metadata` (what JSON holds, by name).

    An output's parent folder exists when the task starts; the file or folder itself is the task's to make.
    In a unit test: `Dataset("wine.csv")`.
    """

    schema_title: ClassVar[str] = "system.Artifact"

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        uri: str = "",
        name: str = "",
        metadata: Mapping[str, Any] | None = None,
    ) -> None:
        self._path = os.fspath(path)
        self.uri = uri or self._path
        self.name = name or os.path.basename(self._path)
        self.metadata: dict[str, Any] = dict(metadata or {})

    @property
    def path(self) -> str:
        """Where the content lies on this machine."""
        return self._path

    def __fspath__(self) -> str:
        return self._path

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._path!r})"


class Dataset(Artifact):
    """Data: rows to train with, or to judge with."""

    schema_title = "system.Dataset"


class Model(Artifact):
    """A trained model: a file, or a folder of files."""

    schema_title = "system.Model"


class Metrics(Artifact):
    """Numbers by name, shown by Kubeflow beside the run; also written as a JSON file at `.path`."""

    schema_title = "system.Metrics"

    def log(self, name: str, value: float) -> None:
        """Keep one number; NaN and infinities are kept too (see `values.to_json`). Raises `ContractError`."""
        self.metadata[str(name)] = number(value, f"metric {name!r}")


ARTIFACTS: dict[str, type[Artifact]] = {kind.__name__: kind for kind in (Artifact, Dataset, Model, Metrics)}

_T = TypeVar("_T", bound=Artifact)
Input = Annotated[_T, INPUT]
Output = Annotated[_T, OUTPUT]


def local_path(uri: str, metadata: Mapping[str, Any]) -> str:
    """Where Kubeflow's launcher puts an artifact with this `uri`; a uri without a known scheme is a path."""
    path = uri
    for scheme, mount in _MOUNTS.items():
        if uri.startswith(scheme):
            path = mount + uri[len(scheme) :]
    if uri.startswith(_OCI):
        path = "/oci/" + uri[len(_OCI) :].replace("/", "_")
    if metadata.get("_kfp_workspace") is True:
        return os.path.join(_WORKSPACE, ".artifacts", path.lstrip("/"))
    return path


def written(artifact: Artifact, given_uri: str, given_metadata: Mapping[str, Any]) -> bool:
    """Whether a task handed this output over: a file or folder, metadata of its own, or another uri."""
    return os.path.exists(artifact.path) or artifact.metadata != given_metadata or artifact.uri != given_uri
