"""What a version's description says is believed only where it is ours: anybody who may upload can write one."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tagline.kubeflow_keys import Endpoints, Kubeflow
from tagline.platforms.kubeflow.pipelines import KubeflowPipelines
from tagline.platforms.kubeflow.versions import upload as uploading
from tagline.words import Release

from tests.contract.kfp.test_exact_upload import OWNER, connection, file_of, said
from tests.fakes.kfp import FakeKfp

ONE, TWO = Release(0, 1, 0), Release(0, 2, 0)


@pytest.fixture
def pipelines(kfp: FakeKfp, tmp_path: Path) -> KubeflowPipelines:
    config = Kubeflow(Endpoints(kfp.url), {"training": "mu-alice"})
    return KubeflowPipelines(connection(kfp), config, OWNER, tmp_path / "home" / "state", {})


@pytest.fixture
def kfp() -> Iterator[FakeKfp]:
    with FakeKfp("database") as fake:
        yield fake


@pytest.mark.parametrize(
    "other", [{"owner": "f" * 32}, {"pipeline": "../../../escaped"}, {"release": "0.9.0"}], ids=str
)
def test_a_version_that_says_to_be_something_else_is_none_of_ours(
    kfp: FakeKfp, tmp_path: Path, pipelines: KubeflowPipelines, other: dict[str, str]
) -> None:
    file = file_of(tmp_path)
    uploading.upload(connection(kfp), file, said(file))
    (first,) = kfp.world.versions.values()
    forged = msgspec.structs.replace(said(file, "0.2.0"), **other)
    query = {
        "name": "0.2.0",
        "pipelineid": first.pipeline_id,
        "description": forged.description(),
    }
    connection(kfp).post_file("/pipelines/upload_version", file.read_bytes(), query)
    assert [one.release for one in pipelines.versions("wine")] == [ONE]
    assert pipelines.version("wine", TWO) is None
    assert pipelines.version("wine", ONE) is not None
    written = [file.relative_to(tmp_path) for file in tmp_path.rglob("*.yaml")]
    assert {one.parts[:2] for one in written} <= {("home", "state"), ("pipeline.yaml",)}
