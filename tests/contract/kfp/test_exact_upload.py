"""Uploads through our own connection: one version for each release, exactly once, whatever is cut in between."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from tagline.errors import ContentDiffers, KfpError, KfpRefused, KfpUnavailable, NameTaken, PipelineError
from tagline.kubeflow_keys import Access
from tagline.pipeline import compiled as compiled_file
from tagline.pipeline.identity import digest_of
from tagline.platforms.kubeflow.marks import Provenance, owner_of
from tagline.platforms.kubeflow.server.connection import Connection
from tagline.platforms.kubeflow.versions import upload as uploading

from tests.contract.kfp.opened import ALICE, by_header, opened
from tests.contract.kfp.pipelines import spec
from tests.fakes.kfp import FakeKfp

MODES = ["database", "multiuser", "k8s-native"]
OWNER = owner_of("https://git.example.org/ml/wine.git")
COMMIT = "c" * 40


@pytest.fixture(params=MODES)
def kfp(request: pytest.FixtureRequest) -> Iterator[FakeKfp]:
    with FakeKfp(request.param) as fake:
        yield fake
        fake.calm()


def connection(kfp: FakeKfp) -> Connection:
    return opened(kfp.url, by_header(ALICE) if kfp.world.multi_user else Access())


def file_of(folder: Path, image: str = "wine@sha256:" + "a" * 64, **more: object) -> Path:
    made = spec() | more
    for executor in made["deploymentSpec"]["executors"].values():
        executor["container"]["image"] = image
    file = folder / "pipeline.yaml"
    file.write_text(yaml.safe_dump(made))
    return file


def said(file: Path, release: str = "0.1.0", owner: str = OWNER, pipeline: str = "wine") -> Provenance:
    digest = digest_of(compiled_file.read(file))
    return Provenance(owner, pipeline, release, COMMIT, digest, "wine@sha256:" + "a" * 64)


def names(kfp: FakeKfp) -> list[tuple[str, str]]:
    of = {pipeline.id: pipeline.name for pipeline in kfp.world.pipelines.values()}
    return sorted((of[version.pipeline_id], version.name) for version in kfp.world.versions.values())


def test_the_first_upload_leaves_one_version_with_the_right_name(kfp: FakeKfp, tmp_path: Path) -> None:
    file = file_of(tmp_path)
    held = uploading.upload(connection(kfp), file, said(file))
    assert names(kfp) == [("wine", "0.1.0")]
    assert held.provenance == said(file)
    (version,) = kfp.world.versions.values()
    assert version.tags == {
        "tagline-owner": OWNER,
        "tagline-release": "0-1-0",
        "tagline-commit": COMMIT,
        "tagline-content": said(file).content[:32],
        "tagline-image": "a" * 32,
    }


def test_the_same_again_changes_nothing_and_kfps_own_version_does_not_count(
    kfp: FakeKfp, tmp_path: Path
) -> None:
    server, file = connection(kfp), file_of(tmp_path)
    first = uploading.upload(server, file, said(file))
    kfp.asked.clear()
    again = uploading.upload(server, file_of(tmp_path, sdkVersion="kfp-2.99"), said(file))
    assert again.id == first.id
    assert {method for method, _ in kfp.asked} == {"GET"}


def test_another_image_under_the_same_release_is_an_error_that_shows_it(kfp: FakeKfp, tmp_path: Path) -> None:
    server, file = connection(kfp), file_of(tmp_path)
    uploading.upload(server, file, said(file))
    other = file_of(tmp_path, image="wine@sha256:" + "b" * 64)
    with pytest.raises(ContentDiffers) as caught:
        uploading.upload(server, other, said(other))
    assert "task fit: image: " in caught.value.what
    assert "a" * 64 in caught.value.what and "b" * 64 in caught.value.what
    assert names(kfp) == [("wine", "0.1.0")]


def test_a_pipeline_that_another_repository_or_a_person_made_is_left_alone(
    kfp: FakeKfp, tmp_path: Path
) -> None:
    server, file = connection(kfp), file_of(tmp_path)
    uploading.upload(server, file, said(file, owner=owner_of("https://git.example.org/ml/other")))
    with pytest.raises(NameTaken):
        uploading.upload(server, file, said(file))
    body = {"name": "by-hand", "display_name": "by-hand"} | (
        {"namespace": server.scope} if server.scope else {}
    )
    server.ask("POST", "/pipelines", body=body)
    with pytest.raises(NameTaken):
        uploading.upload(server, file, said(file, pipeline="by-hand"))
    assert names(kfp) == [("wine", "0.1.0")]


def test_what_is_no_pipeline_is_never_sent(kfp: FakeKfp, tmp_path: Path) -> None:
    file = tmp_path / "pipeline.yaml"
    sound = said(file_of(tmp_path))
    for text in ("{{{", "a: [1", "\ta", "", "just: yaml"):
        file.write_text(text)
        with pytest.raises(PipelineError):
            uploading.upload(connection(kfp), file, sound)
    assert kfp.asked == []


def test_what_no_run_could_carry_is_refused_before_it_is_sent(kfp: FakeKfp, tmp_path: Path) -> None:
    file = file_of(tmp_path, image="x" * 5_000_000)
    with pytest.raises(KfpRefused, match=r"starts no run over (5\.0|1\.6) MB"):
        uploading.upload(connection(kfp), file, said(file))
    assert {path for _, path in kfp.asked} <= {"/apis/v2beta1/healthz"}


def test_the_kubernetes_store_takes_less(tmp_path: Path) -> None:
    file = file_of(tmp_path, image="x" * 1_600_000)
    with FakeKfp("k8s-native") as native, FakeKfp("database") as database:
        with pytest.raises(KfpRefused, match=r"over 1\.6 MB"):
            uploading.upload(connection(native), file, said(file))
        assert native.world.pipelines == {}
        uploading.upload(connection(database), file, said(file))
        assert names(database) == [("wine", "0.1.0")]


def test_a_version_that_somebody_else_uploaded_under_our_release_is_not_taken_for_ours(
    kfp: FakeKfp, tmp_path: Path
) -> None:
    server, file = connection(kfp), file_of(tmp_path)
    uploading.upload(server, file, said(file))
    (pipeline,) = kfp.world.pipelines.values()
    by_hand = {"name": "0.2.0", "display_name": "0.2.0", "pipelineid": pipeline.id, "description": "by hand"}
    server.post_file("/pipelines/upload_version", file.read_bytes(), by_hand)
    with pytest.raises(NameTaken, match=r"version 0\.2\.0 that tagline has not uploaded"):
        uploading.upload(server, file, said(file, release="0.2.0"))


def test_a_secret_that_differs_is_not_shown(kfp: FakeKfp, tmp_path: Path) -> None:
    server = connection(kfp)

    def with_password(value: str) -> Path:
        file = file_of(tmp_path)
        made = yaml.safe_load(file.read_text())
        env = [{"name": "DB_PASSWORD", "value": value}]
        made["deploymentSpec"]["executors"]["exec-fit"]["container"]["env"] = env
        file.write_text(yaml.safe_dump(made))
        return file

    file = with_password("hunter2-of-the-store")
    uploading.upload(server, file, said(file))
    other = with_password("hunter3-of-the-store")
    with pytest.raises(ContentDiffers) as caught:
        uploading.upload(server, other, said(other))
    assert "DB_PASSWORD" in caught.value.what
    assert "hunter" not in str(caught.value)


@pytest.mark.parametrize("lost", [1, 2])
def test_answers_that_are_lost_end_with_one_version_all_the_same(
    kfp: FakeKfp, tmp_path: Path, lost: int
) -> None:
    server, file = connection(kfp), file_of(tmp_path)
    kfp.lose_answers(lost)
    uploading.upload(server, file, said(file))
    assert names(kfp) == [("wine", "0.1.0")]
    kfp.calm()
    uploading.upload(server, file, said(file))
    assert names(kfp) == [("wine", "0.1.0")]


@pytest.mark.parametrize("calls", range(1, 6))
def test_an_upload_that_stops_after_any_call_is_completed_by_the_next(
    kfp: FakeKfp, tmp_path: Path, calls: int
) -> None:
    server, file = connection(kfp), file_of(tmp_path)
    with pytest.raises(Stopped):
        stopping(server, calls, lambda: uploading.upload(server, file, said(file)))
        raise Stopped  # fewer calls than that
    uploading.upload(connection(kfp), file, said(file))
    assert names(kfp) == [("wine", "0.1.0")]


class Stopped(BaseException):
    """What kill -9 is to a caller: nothing of it runs on."""


def stopping(server: Connection, calls: int, act: Callable[[], object]) -> None:
    """Act, and stop right after the n-th request was answered."""
    ask, post, made_calls = server.ask, server.post_file, [0]

    def counted(what: Callable[..., object]) -> Callable[..., object]:
        def call(*args: object, **kwargs: object) -> object:
            made = what(*args, **kwargs)
            made_calls[0] += 1
            if made_calls[0] == calls:
                raise Stopped
            return made

        return call

    server.ask, server.post_file = counted(ask), counted(post)  # type: ignore[method-assign,assignment]
    try:
        act()
    finally:
        server.ask, server.post_file = ask, post  # type: ignore[method-assign]


def test_of_many_uploads_at_once_one_is_made_and_all_are_content(kfp: FakeKfp, tmp_path: Path) -> None:
    file, errors = file_of(tmp_path), []

    def one() -> None:
        try:
            uploading.upload(connection(kfp), file, said(file))
        except KfpError as error:
            errors.append(error)

    threads = [threading.Thread(target=one) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []
    assert names(kfp) == [("wine", "0.1.0")]


def test_a_pipeline_without_a_version_that_a_failed_upload_left_gets_it(tmp_path: Path) -> None:
    with FakeKfp("k8s-native") as kfp:
        server, file = connection(kfp), file_of(tmp_path)
        kfp.webhook_down()
        with pytest.raises(KfpError):
            uploading.upload(server, file, said(file))
        assert names(kfp) == []
        kfp.calm()
        uploading.upload(server, file, said(file))
        assert names(kfp) == [("wine", "0.1.0")]


def test_a_server_that_has_lost_its_database_says_so_and_nothing_is_made(
    kfp: FakeKfp, tmp_path: Path
) -> None:
    file = file_of(tmp_path)
    kfp.lose_database()
    with pytest.raises(KfpUnavailable):
        uploading.upload(connection(kfp), file, said(file))
    kfp.calm()
    assert names(kfp) == []


def test_a_file_of_a_later_kfp_is_uploaded_as_it_is(kfp: FakeKfp, tmp_path: Path) -> None:
    file = file_of(tmp_path, sdkVersion="kfp-9.0.0")
    held = uploading.upload(connection(kfp), file, said(file))
    assert held.content.ir["sdkVersion"] == "kfp-9.0.0"
