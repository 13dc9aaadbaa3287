"""A release as Kubernetes objects: what the store's webhook takes, never another file for the same release."""

import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml
from tagline.errors import KfpRefused
from tagline.kubeflow_keys import Access
from tagline.pipeline.compiled import Compiled
from tagline.platforms.kubeflow.marks import Provenance, owner_of
from tagline.platforms.kubeflow.versions import manifests
from tagline.platforms.kubeflow.versions import upload as uploading

from tests.contract.kfp.opened import opened
from tests.contract.kfp.pipelines import spec
from tests.fakes.kfp import FakeKfp

OWNER = owner_of("https://git.example.org/ml/wine")
SAID = Provenance(OWNER, "wine", "1.4.0", "c" * 40, "d" * 64, "wine@sha256:" + "a" * 64)


def applied(kfp: FakeKfp, text: str) -> None:
    """What `kubectl apply` sends, object by object, in the order of the file."""
    for one in yaml.safe_load_all(text):
        kind = {"Pipeline": "pipelines", "PipelineVersion": "pipelineversions"}[one["kind"]]
        place = f"/apis/pipelines.kubeflow.org/v2beta1/namespaces/{one['metadata']['namespace']}/{kind}"
        request = urllib.request.Request(
            kfp.url + place, json.dumps(one).encode(), {"Content-Type": "application/json"}, method="POST"
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status in (200, 201)


def test_the_store_takes_them_and_an_upload_finds_its_version_there(tmp_path: Path) -> None:
    with FakeKfp("k8s-native") as kfp:
        text = manifests.written(Compiled(spec()), SAID, kfp.world.namespace)
        applied(kfp, text)
        server = opened(kfp.url, Access())
        pipeline = uploading.find_pipeline(server, "wine")
        assert pipeline
        held = uploading.find_version(server, pipeline["pipeline_id"], "1.4.0")
        assert held and held.provenance == SAID
        file = tmp_path / "pipeline.yaml"
        file.write_text(yaml.safe_dump(spec()))
        assert uploading.upload(server, file, SAID).id == held.id


def test_the_same_release_gives_the_same_bytes_in_the_order_that_the_webhook_wants() -> None:
    first = manifests.written(Compiled(spec()), SAID, "ml")
    assert first == manifests.written(Compiled(spec()), SAID, "ml")
    pipeline, version = yaml.safe_load_all(first)
    waves = [one["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"] for one in (pipeline, version)]
    assert waves == ["0", "1"]
    assert (version["metadata"]["name"], version["spec"]["versionName"]) == ("wine-1.4.0", "1.4.0")
    assert manifests.file_name(SAID) == "wine-1.4.0.yaml"


def test_the_platforms_document_is_beside_the_pipeline() -> None:
    platform: dict[str, Any] = {"platforms": {"kubernetes": {"deploymentSpec": {}}}}
    _, version = yaml.safe_load_all(manifests.written(Compiled(spec(), platform), SAID, "ml"))
    assert version["spec"]["platformSpec"] == platform


def test_what_kubernetes_does_not_take_is_refused_before_it_is_written() -> None:
    large = spec()
    large["deploymentSpec"]["executors"]["exec-fit"]["container"]["args"] = ["x" * 1_600_000]
    with pytest.raises(KfpRefused, match=r"no object over 1\.5 MiB"):
        manifests.written(Compiled(large), SAID, "ml")
    wrong = Provenance(OWNER, "Wine_1", "1.4.0", "c" * 40, "d" * 64, "")
    with pytest.raises(KfpRefused, match="cannot name an object"):
        manifests.written(Compiled(spec()), wrong, "ml")
