"""A version as Kubernetes objects for the Kubernetes-native store: one file for each, that never changes.

Pipeline and PipelineVersion of `pipelines.kubeflow.org/v2beta1`, with what the SDK's own output lacks: versionName,
tags, our mark as labels, and the order for Argo CD (the webhook refuses a version whose pipeline is not there yet).
"""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from tagline.errors import KfpRefused
from tagline.pipeline.compiled import Compiled
from tagline.platforms.kubeflow.marks import Provenance, pipeline_description
from tagline.platforms.kubeflow.server import sizes

API = "pipelines.kubeflow.org/v2beta1"
SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
LONGEST = 253
MARKS = "tagline.dev"


def file_name(said: Provenance) -> str:
    """The name of a version's file: `wine-1.4.0.yaml`."""
    return f"{said.pipeline}-{said.release}.yaml"


def written(compiled: Compiled, said: Provenance, namespace: str) -> str:
    """The file of one version; the same content gives the same bytes.

    Raises `KfpRefused` for a name that Kubernetes does not take and for an object that is too large.
    """
    text = yaml.safe_dump_all(_objects(compiled, said, namespace), sort_keys=True)
    if len(text.encode()) >= sizes.OBJECT:
        raise KfpRefused(
            f"the manifest of {said.pipeline} {said.release} has {len(text.encode()) / 1e6:.1f} MB: Kubernetes takes "
            f"no object over {sizes.OBJECT / 2**20:.1f} MiB",
            fix="hand large constants over as artifacts",
        )
    return text


def _objects(compiled: Compiled, said: Provenance, namespace: str) -> Iterator[dict[str, Any]]:
    name = _checked(f"{said.pipeline}-{said.release}")
    yield {
        "apiVersion": API,
        "kind": "Pipeline",
        "metadata": _metadata(_checked(said.pipeline), namespace, said, wave=0),
        "spec": {"displayName": said.pipeline, "description": pipeline_description(said.owner)},
    }
    spec: dict[str, Any] = {
        "pipelineName": said.pipeline,
        "versionName": said.release,
        "displayName": said.release,
        "description": said.description(),
        "tags": said.tags(),
        "pipelineSpec": compiled.ir,
    }
    yield {
        "apiVersion": API,
        "kind": "PipelineVersion",
        "metadata": _metadata(name, namespace, said, wave=1),
        "spec": spec | ({"platformSpec": compiled.platform} if compiled.platform else {}),
    }


def _metadata(name: str, namespace: str, said: Provenance, *, wave: int) -> dict[str, Any]:
    """Marked as ours, in order, and never pruned: runs and schedules point to a version for ever."""
    return {
        "name": name,
        "namespace": namespace,
        "labels": {"app.kubernetes.io/managed-by": "tagline", f"{MARKS}/owner": said.owner},
        "annotations": {
            "argocd.argoproj.io/sync-wave": str(wave),
            "argocd.argoproj.io/sync-options": "Prune=false",
        },
    }


def _checked(name: str) -> str:
    if len(name) > LONGEST or not SUBDOMAIN.fullmatch(name):
        raise KfpRefused(
            f"{name!r} cannot name an object of Kubernetes", fix="lower-case letters, digits, - and ."
        )
    return name
