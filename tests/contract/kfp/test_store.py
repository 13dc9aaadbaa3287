"""Models and facts of a run in a real S3 server: found below the run's own root, digested, refused where they lie."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tagline.errors import KfpForbidden, KfpNotThere, KfpUnavailable, NoModel, TaskContractBroken
from tagline.kubeflow_keys import Store
from tagline.pipeline.compiled import Compiled
from tagline.platforms import Run, RunState
from tagline.platforms.kubeflow.store.models import model_facts
from tagline.platforms.kubeflow.store.objects import Objects, Times
from tagline_task.files import digest

from tests.servers.ports import free_port
from tests.servers.s3 import S3, server

ROOT = "s3://models/v2/tagline/wine/0.1.0/full/1"
INSIDE = ROOT.removeprefix("s3://")
HASTY = Times(connect=2.0, read=2.0, tries=1)
MODELS = {"train": ["model"]}


@pytest.fixture(scope="module")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    with server(tmp_path_factory.mktemp("s3")) as running:
        yield running


@pytest.fixture
def objects(s3: S3) -> Objects:
    for left in sorted((s3.folder / "models").rglob("*"), reverse=True):
        left.unlink() if left.is_file() else left.rmdir()
    return opened(s3)


def opened(s3: S3, **environ: str) -> Objects:
    return Objects(Store("s3://models/v2", endpoint=s3.address), s3.environ() | environ, times=HASTY)


def compiled(**outputs: list[str]) -> Compiled:
    """A pipeline whose tasks declare these outputs as models."""
    of = {
        f"comp-{task}": {
            "outputDefinitions": {
                "artifacts": {name: {"artifactType": {"schemaTitle": "system.Model"}} for name in names}
            }
        }
        for task, names in outputs.items()
    }
    return Compiled({"components": of, "root": {}})


def run() -> Run:
    return Run("run-1", "wine/0.1.0/full/1", RunState.SUCCEEDED, Path(), root=ROOT)


def written(s3: S3, task: str, name: str, content: bytes) -> str:
    place = f"{INSIDE}/wine/run-1/{task}/3f2a/{name}"
    s3.put(place, content)
    return f"s3://{place}"


def facts_of(uri: str, content: bytes, **more: object) -> bytes:
    said = {"uri": uri, "sha256": hashlib.sha256(content).hexdigest(), "metrics": {"wrong": 0.1}}
    return json.dumps(said | more).encode()


def test_the_facts_of_a_run_name_its_model(s3: S3, objects: Objects) -> None:
    uri = written(s3, "train", "model", b"weights")
    written(s3, "switch-model", "facts", facts_of(uri, b"weights"))
    found = model_facts(objects, run(), compiled(**MODELS), [])
    assert found is not None
    assert (found.uri, found.metrics) == (uri, {"wrong": 0.1})


def test_a_run_without_facts_gives_its_single_model(s3: S3, objects: Objects) -> None:
    uri = written(s3, "train", "model", b"weights")
    written(s3, "train", "metrics", b"{}")
    found = model_facts(objects, run(), compiled(**MODELS), [])
    assert found is not None
    assert (found.uri, found.sha256) == (uri, hashlib.sha256(b"weights").hexdigest())


def test_a_model_that_is_a_folder_has_the_digest_that_its_task_gives_it(
    s3: S3, objects: Objects, tmp_path: Path
) -> None:
    here = tmp_path / "model"
    for name, content in (("config.json", b"{}"), ("part/a.bin", b"a"), ("part-b", b"b")):
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_bytes(content)
        uri = written(s3, "train", f"model/{name}", content).removesuffix(f"/{name}")
    assert objects.digest(uri) == digest(here)
    note = {"uri": uri, "sha256": digest(here)}
    written(s3, "switch-model", "facts", json.dumps(note).encode())
    found = model_facts(objects, run(), compiled(**MODELS), [])
    assert found is not None and found.uri == uri


def test_several_models_need_a_name_and_a_named_one_is_taken(s3: S3, objects: Objects) -> None:
    one = written(s3, "train", "model", b"one")
    written(s3, "tune", "tuned", b"two")
    both = compiled(train=["model"], tune=["tuned"])
    with pytest.raises(NoModel, match=r"train\.model, tune\.tuned"):
        model_facts(objects, run(), both, [])
    found = model_facts(objects, run(), both, ["train.model"])
    assert found is not None and found.uri == one


@pytest.mark.parametrize("before", ["", "wine/", "v2/artifacts/wine/"])
@pytest.mark.parametrize("execution", ["", "3f2a/"])
def test_a_model_is_found_below_a_root_of_any_depth(
    s3: S3, objects: Objects, before: str, execution: str
) -> None:
    place = f"{INSIDE}/{before}run-1/train/{execution}model"
    s3.put(f"{place}/weights.bin", b"weights")
    s3.put(f"{place}/facts", b"a file of the model's")
    alone = model_facts(objects, run(), compiled(**MODELS), [])
    assert alone is not None and alone.uri == f"s3://{place}"
    s3.put(
        f"{INSIDE}/{before}run-1/note/{execution}facts",
        json.dumps({"uri": alone.uri, "sha256": alone.sha256, "metrics": {"wrong": 0.1}}).encode(),
    )
    told = model_facts(objects, run(), compiled(**MODELS), [])
    assert told is not None and told.metrics == {"wrong": 0.1}


def test_a_run_that_wrote_nothing_made_no_model(objects: Objects) -> None:
    assert model_facts(objects, run(), compiled(), []) is None
    with pytest.raises(NoModel):
        model_facts(objects, run(), compiled(), ["train.model"])


def test_another_runs_objects_are_not_this_runs(s3: S3, objects: Objects) -> None:
    s3.put(f"{INSIDE}0/wine/run-2/train/77/model", b"other")
    assert model_facts(objects, run(), compiled(**MODELS), []) is None


@pytest.mark.parametrize(
    ("uri", "content", "why"),
    [
        (
            "s3://models/v2/tagline/wine/0.1.0/full/10/x/y/train/1/model",
            b"weights",
            "outside the run's own root",
        ),
        (f"{ROOT}/wine/run-1/../../../../secrets", b"weights", "outside the run's own root"),
        (f"{ROOT}/wine/run-1/train/3f2a/gone", b"weights", "is not there"),
        (f"{ROOT}/wine/run-1/train/3f2a/model", b"changed later", "another digest"),
    ],
)
def test_facts_that_name_another_model_are_refused(
    s3: S3, objects: Objects, uri: str, content: bytes, why: str
) -> None:
    written(s3, "train", "model", b"weights")
    written(s3, "switch-model", "facts", facts_of(uri, content))
    with pytest.raises(TaskContractBroken) as caught:
        model_facts(objects, run(), compiled(**MODELS), [])
    assert why in caught.value.what


@pytest.mark.parametrize("text", [b"{", b"[]", b"\xff", b'{"uri": 1}'])
def test_facts_that_cannot_be_read_are_refused(s3: S3, objects: Objects, text: bytes) -> None:
    written(s3, "switch-model", "facts", text)
    with pytest.raises(TaskContractBroken, match="cannot be read"):
        model_facts(objects, run(), compiled(**MODELS), [])


def test_a_wrong_key_and_a_missing_bucket_are_told_apart_from_an_empty_root(s3: S3, objects: Objects) -> None:
    with pytest.raises(KfpForbidden) as caught:
        opened(s3, AWS_SECRET_ACCESS_KEY="wrong-secret-0123456789").below(ROOT)
    assert "AWS_SECRET_ACCESS_KEY" in caught.value.fix
    assert "wrong-secret" not in str(caught.value)
    with pytest.raises(KfpNotThere, match="no-such-bucket"):
        objects.below("s3://no-such-bucket/x")
    assert objects.below(f"{ROOT}/nothing") == {}


def test_a_store_that_is_down_is_unavailable_within_its_time() -> None:
    nobody = Objects(
        Store("s3://models/v2", endpoint=f"http://127.0.0.1:{free_port()}"),
        {
            "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b-0123456789",
        },
        times=HASTY,
    )
    with pytest.raises(KfpUnavailable, match="the object store did not answer"):
        nobody.below(ROOT)
