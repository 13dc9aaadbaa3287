"""Artifacts: files or folders that tasks hand to each other, with metadata; how a signature names them."""

import math
import os
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, TypeVar

from tagline_task import masking
from tagline_task.errors import ContractError
from tagline_task.files import write_text
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


class ClassificationMetrics(Artifact):
    """A confusion matrix and a ROC curve, drawn by Kubeflow's UI beside the run, as its own SDK writes them."""

    schema_title = "system.ClassificationMetrics"

    def log_confusion_matrix(self, categories: Sequence[str], matrix: Sequence[Sequence[float]]) -> None:
        """Keep a matrix of counts: a row for each true category, a column for each predicted one.

        Raises `ContractError` where it is not square, or not of as many categories.
        """
        size = len(categories)
        if len(matrix) != size or any(len(row) != size for row in matrix):
            raise ContractError(
                f"log_confusion_matrix: {size} categories want {size} rows of {size} numbers, got rows of "
                f"{[len(row) for row in matrix]}"
            )
        rows = [[number(cell, "a cell of the matrix") for cell in row] for row in matrix]
        self.metadata["confusionMatrix"] = {
            "annotationSpecs": [{"displayName": str(one)} for one in categories],
            "rows": [{"row": row} for row in rows],
        }

    def log_roc_curve(self, fpr: Sequence[float], tpr: Sequence[float], threshold: Sequence[float]) -> None:
        """Keep a curve: false and true positive rates in 0..1, with the threshold of each point.

        A threshold that is not finite (scikit-learn's first one) is kept as the largest of the others, plus one.
        Raises `ContractError` for lists of different lengths.
        """
        if not len(fpr) == len(tpr) == len(threshold):
            raise ContractError(
                f"log_roc_curve: the lists want one length, got {len(fpr)}, {len(tpr)} and {len(threshold)}"
            )
        limits = [number(one, "a threshold") for one in threshold]
        finite = [one for one in limits if math.isfinite(one)]
        above = max(finite, default=0.0) + 1.0
        self.metadata["confidenceMetrics"] = [
            {
                "confidenceThreshold": limit if math.isfinite(limit) else above,
                "recall": number(true, "a true positive rate"),
                "falsePositiveRate": number(false, "a false positive rate"),
            }
            for false, true, limit in zip(fpr, tpr, limits, strict=True)
        ]


class _Page(Artifact):
    """A text that Kubeflow's UI shows beside the run: written whole or not at all."""

    def write(self, text: str) -> None:
        """Write the page; hidden values are not in it."""
        write_text(self.path, masking.HIDDEN.clean(text))


class HTML(_Page):
    """An HTML page, shown beside the run; it stands alone, its scripts and styles in it."""

    schema_title = "system.HTML"


class Markdown(_Page):
    """A Markdown page, shown beside the run."""

    schema_title = "system.Markdown"


_KINDS = (Artifact, Dataset, Model, Metrics, ClassificationMetrics, HTML, Markdown)
ARTIFACTS: dict[str, type[Artifact]] = {kind.__name__: kind for kind in _KINDS}

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
