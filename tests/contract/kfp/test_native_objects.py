"""The native store's objects through the Kubernetes API: each recorded kubectl command is taken or refused alike."""

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.contract.kfp.pipelines import spec
from tests.fakes.kfp import FakeKfp

RECORDED = Path(__file__).parents[2] / "fakes/kfp/recorded/k8s-native-kubectl.jsonl"
BASE = "/apis/pipelines.kubeflow.org/v2beta1/namespaces/kfp-native"
APPLY = "application/apply-patch+yaml"
# the words of Kubernetes' own schema checks are long; what the webhook says is compared whole
WEBHOOK = "denied the request: "


@pytest.fixture
def fake() -> Iterator[FakeKfp]:
    with FakeKfp("k8s-native", namespace="kfp-native") as kfp:
        yield kfp


def send(kfp: FakeKfp, method: str, path: str, body: object = None, kind: str = APPLY) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(kfp.url + BASE + path, data, {"Content-Type": kind}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refused:
        return refused.code, json.load(refused)


def applied(kfp: FakeKfp, given: dict[str, Any], query: str = "") -> tuple[int, Any]:
    return send(kfp, "PATCH", f"/{given['kind'].lower()}s/{given['metadata']['name']}{query}", given)


def _commands() -> Iterator[tuple[str, str, list[tuple[str, str, Any]], str]]:
    """Label, command, the requests that it makes, what kubectl printed."""
    for held in map(json.loads, RECORDED.read_text().splitlines()):
        command = held["command"]
        patch = re.match(r"kubectl patch (\w+)\.\S+ (\S+) --type=merge -p '(.*)'$", command)
        if patch:
            yield (
                held["label"],
                command,
                [("MERGE", f"/{patch[1]}/{patch[2]}", json.loads(patch[3]))],
                held["output"],
            )
        elif "apply --server-side" in command:
            documents = list(yaml.safe_load_all(held["stdin"]))
            yield held["label"], command, [("APPLY", "", one) for one in documents], held["output"]


def test_each_recorded_command_is_taken_or_refused_alike(fake: FakeKfp) -> None:
    compared, wrong = 0, []
    for label, command, requests, printed in _commands():
        if "no-webhook" in label or "recreate" in label:
            continue  # the webhook was taken away, or objects were deleted in between
        fake.webhook_down() if "webhook-down" in label else fake.calm()
        for how, path, body in requests:
            query = "?dryRun=All" if "dry-run" in command else ""
            kind = "application/merge-patch+json"
            answer = applied(fake, body, query) if how == "APPLY" else send(fake, "PATCH", path, body, kind)
            if not _alike(answer, printed):
                wrong.append((label, answer, printed[:200]))
        compared += 1

    assert not wrong
    assert compared >= 35


def _alike(answer: tuple[int, Any], printed: str) -> bool:
    status, body = answer
    refused = printed.startswith(("Error from server", "The "))
    if refused != (status >= 400):
        return False
    if WEBHOOK in printed and "cannot unmarshal" not in printed:
        return bool(body["message"].split(WEBHOOK)[-1] == printed.rsplit(WEBHOOK, maxsplit=1)[-1].strip())
    return True


def _version(name: str, **more: object) -> dict[str, Any]:
    held = {"pipelineName": "train", "pipelineSpec": spec()} | more
    return {"kind": "PipelineVersion", "metadata": {"name": name}, "spec": held}


def test_what_is_applied_is_listed_by_the_server_and_shows_an_empty_package_url(fake: FakeKfp) -> None:
    applied(fake, {"kind": "Pipeline", "metadata": {"name": "train"}, "spec": {"displayName": "Train"}})
    _, made = applied(fake, _version("train-v1", versionName="v1"))

    pipeline = made["metadata"]["ownerReferences"][0]["uid"]
    with urllib.request.urlopen(
        f"{fake.url}/apis/v2beta1/pipelines/{pipeline}/versions", timeout=5
    ) as answer:
        (version,) = json.load(answer)["pipeline_versions"]
    assert (version["name"], version["package_url"]) == ("v1", {})


def test_a_dry_run_stores_nothing_and_a_pipeline_takes_its_versions_with_it(fake: FakeKfp) -> None:
    applied(fake, {"kind": "Pipeline", "metadata": {"name": "train"}})
    assert applied(fake, _version("train-v1"), "?dryRun=All")[0] == 201
    assert send(fake, "GET", "/pipelineversions/train-v1")[0] == 404
    applied(fake, _version("train-v1"))

    assert send(fake, "DELETE", "/pipelines/train")[0] == 200

    assert send(fake, "GET", "/pipelineversions")[1]["items"] == []


def test_in_a_database_there_are_no_such_objects() -> None:
    with FakeKfp("database", namespace="kfp-native") as kfp:
        assert send(kfp, "GET", "/pipelines")[0] == 404
