"""What goes wrong outside: a server that hangs or forgets, a token that ends, a quota, a changing list, a newer IR."""

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml
from tagline.errors import KfpNotLetIn, KfpRefused, KfpUnavailable
from tagline.kubeflow_keys import Access, ServiceAccount
from tagline.pipeline import compiled as compiled_file
from tagline.pipeline.identity import digest_of
from tagline.pipeline.lint import registry
from tagline.platforms.kubeflow.marks import Provenance
from tagline.platforms.kubeflow.runs import keys, starting
from tagline.platforms.kubeflow.runs.following import Clock, Follower, Pace
from tagline.platforms.kubeflow.runs.rows import State
from tagline.platforms.kubeflow.server.connection import Connection
from tagline.platforms.kubeflow.versions import upload as uploading

from tests.contract.kfp.opened import ALICE, by_header, opened
from tests.contract.kfp.pipelines import spec
from tests.contract.kfp.test_schedules import HOURLY, ONE, OWNER, TWO, schedules, ticks, uploaded
from tests.fakes.kfp import FakeKfp

START = 1_800_000_000.0 - 1_800_000_000.0 % 86_400
KEY = "wine/0.1.0/full/1"
EDITOR = "system:serviceaccount:mu-alice:default-editor"


@pytest.fixture
def kfp() -> Iterator[FakeKfp]:
    with FakeKfp("multiuser", start=START + 600) as fake:
        yield fake
        fake.calm()


@pytest.fixture
def server(kfp: FakeKfp) -> Connection:
    return opened(kfp.url, by_header(ALICE))


def wanted(owner: str = KEY, **more: Any) -> starting.Wanted:
    return starting.Wanted(owner, OWNER, keys.root_of("s3://models/v2", owner), **({"spec": spec()} | more))


def follower(kfp: FakeKfp, server: Connection) -> Follower:
    return Follower(server, lambda told: None, Pace(), Clock(lambda: kfp.now, kfp.advance))


def file_of(folder: Path, ir: dict[str, Any]) -> tuple[Path, Provenance]:
    file = folder / "wine.yaml"
    file.write_text(yaml.safe_dump(ir))
    digest = digest_of(compiled_file.read(file))
    return file, Provenance(OWNER, "wine", "0.1.0", "c" * 40, digest, "")


def test_a_server_that_hangs_in_the_wait_is_given_up_and_the_run_is_found_again(
    kfp: FakeKfp, server: Connection
) -> None:
    row = starting.start(server, wanted())
    kfp.hang()
    with pytest.raises(KfpUnavailable, match="did not answer in time"):
        follower(kfp, server).to_its_end(row, 600)
    kfp.calm()
    again = starting.start(server, wanted())
    kfp.finish(again.id)
    assert again.id == row.id
    assert follower(kfp, server).to_its_end(again, 600).state is State.SUCCEEDED


def test_a_server_that_hangs_at_an_upload_is_given_up_and_the_next_one_completes_it(
    kfp: FakeKfp, server: Connection, tmp_path: Path
) -> None:
    file, said = file_of(tmp_path, spec())
    pipeline = uploading._own_pipeline(server, said)
    post = server.post_file

    def hanging(*words: Any) -> Any:
        kfp.hang()
        return post(*words)

    server.post_file = hanging  # type: ignore[method-assign]
    with pytest.raises(KfpUnavailable, match="did not answer in time"):
        uploading.upload(server, file, said)
    kfp.calm()
    server.post_file = post  # type: ignore[method-assign]
    assert uploading.upload(server, file, said).pipeline_id == pipeline["pipeline_id"]
    assert len(kfp.world.versions) == 1


@pytest.fixture
def token(kfp: FakeKfp, tmp_path: Path) -> Path:
    """The file that a runner's token is renewed in."""
    file = tmp_path / "token"
    file.write_text(kfp.token(EDITOR))
    return file


def test_a_token_that_ends_in_the_wait_is_renewed_and_the_wait_goes_on(kfp: FakeKfp, token: Path) -> None:
    server = opened(kfp.url, Access(service_account=ServiceAccount(str(token))))
    row = starting.start(server, wanted())
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        kfp.advance(seconds)
        if len(waits) == 2:
            kfp.expire_tokens()
            kfp.advance(2)
            token.write_text(kfp.token(EDITOR))
        if len(waits) == 4:
            kfp.finish(row.id)

    ended = Follower(server, lambda told: None, Pace(), Clock(lambda: kfp.now, sleep)).to_its_end(row, 600)
    assert (ended.state, len(waits)) == (State.SUCCEEDED, 4)


def test_a_token_that_ends_in_the_wait_and_that_nobody_renews_ends_the_wait_and_not_the_run(
    kfp: FakeKfp, token: Path
) -> None:
    server = opened(kfp.url, Access(service_account=ServiceAccount(str(token))))
    row = starting.start(server, wanted())
    kfp.expire_tokens()
    kfp.advance(2)
    with pytest.raises(KfpNotLetIn, match="expired"):
        follower(kfp, server).to_its_end(row, 600)
    assert kfp.world.runs[row.id].state == "RUNNING"
    token.write_text(kfp.token(EDITOR))
    assert starting.start(server, wanted()).id == row.id


def test_a_state_that_no_client_knows_yet_is_no_end(kfp: FakeKfp, server: Connection) -> None:
    row = starting.start(server, wanted())
    kfp.world.runs[row.id].states.append((kfp.now, "SUSPENDED_BY_A_LATER_SERVER"))
    looks: list[float] = []

    def sleep(seconds: float) -> None:
        looks.append(seconds)
        kfp.advance(seconds)
        if len(looks) == 3:
            kfp.finish(row.id)

    ended = Follower(server, lambda told: None, Pace(), Clock(lambda: kfp.now, sleep)).to_its_end(row, 600)
    assert (ended.state, len(looks)) == (State.SUCCEEDED, 3)


def test_an_object_store_that_is_down_leaves_no_version_and_the_next_upload_makes_one(
    kfp: FakeKfp, server: Connection, tmp_path: Path
) -> None:
    file, said = file_of(tmp_path, spec())
    kfp.object_store_down()
    with pytest.raises(KfpUnavailable, match="500"):
        uploading.upload(server, file, said)
    assert kfp.world.versions == {}
    kfp.calm()
    assert uploading.upload(server, file, said).name == "0.1.0"
    assert (len(kfp.world.pipelines), len(kfp.world.versions)) == (1, 1)


@pytest.fixture
def on(kfp: FakeKfp, server: Connection, tmp_path: Path) -> FakeKfp:
    """A server with both versions, and the schedule of the first switched on."""
    for release in (ONE, TWO):
        uploaded(server, tmp_path, release)
    schedules(kfp).apply("wine", ONE, [HOURLY])
    return kfp


def test_a_lost_database_is_no_server_without_schedules(on: FakeKfp) -> None:
    before = {job.id: job.mode for job in on.recurring}
    on.lose_database()
    with pytest.raises(KfpUnavailable):
        schedules(on).apply("wine", TWO, [HOURLY])
    on.calm()
    assert {job.id: job.mode for job in on.recurring} == before
    schedules(on).apply("wine", TWO, [HOURLY])
    assert [job.mode for job in on.recurring if "0.2.0" in job.display_name] == ["ENABLE"]


def test_a_quota_that_refuses_a_late_run_loses_and_doubles_no_tick(on: FakeKfp) -> None:
    (job,) = on.recurring
    job.mode = "DISABLE"
    job.updated_at = on.now
    on.advance(2 * 3600)
    on.quota_refused("exceeded quota: team")
    with pytest.raises(KfpRefused, match="exceeded quota"):
        schedules(on).apply("wine", ONE, [HOURLY])
    on.calm()
    for _ in range(2):
        schedules(on).apply("wine", ONE, [HOURLY])
    assert ticks(on) == {START + 3600.0: 1, START + 7200.0: 1}
    assert [job.mode for job in on.recurring] == ["ENABLE"]


def test_a_list_that_changes_between_its_pages_loses_no_row_of_ours(kfp: FakeKfp, server: Connection) -> None:
    starting.start(server, wanted())
    for number in range(2, 420):
        starting.start(server, wanted(f"wine/0.1.0/full/{number}")) if number < 6 else _copied(kfp, number)
    before = set(kfp.world.runs)

    def change() -> None:
        """Somebody removes a third of what was given and of what is to come, and starts others."""
        for number, run in enumerate(sorted(before)):
            if number % 3 == 0:
                del kfp.world.runs[run]
        for number in range(1000, 1040):
            _copied(kfp, number)

    kfp.change_while_listing(change)
    found = [row.id for row in starting.listed(server, "wine/", OWNER)]
    assert len(found) == len(set(found))
    assert before & set(kfp.world.runs) <= set(found)


def _copied(kfp: FakeKfp, number: int) -> None:
    """One more run beside those that were started, as if it had been."""
    made = deepcopy(next(iter(kfp.world.runs.values())))
    made.id, owner = kfp.world.new_id(), f"wine/0.1.0/full/{number}"
    made.display_name, made.description = keys.name_of(owner), keys.description_of(owner, OWNER)
    kfp.world.runs[made.id] = made


NEWER = {
    "sdkVersion": "kfp-4.1.0",
    "components": {
        "comp-fit": {**spec()["components"]["comp-fit"], "attestation": {"kind": "slsa"}},
        "comp-later": {"wasmRef": {"module": "x"}},
    },
    "deploymentSpec": {
        "executors": {
            "exec-fit": {"container": {"command": ["true"], "image": "wine:1", "sidecars": [{"image": "s"}]}},
            "exec-later": {"wasm": {"module": "x"}},
        }
    },
}


def test_an_ir_newer_than_the_client_is_linted_uploaded_and_sent_with_all_that_it_says(
    kfp: FakeKfp, server: Connection, tmp_path: Path
) -> None:
    file, said = file_of(tmp_path, spec() | NEWER)
    held = uploading.upload(server, file, said)
    assert uploading.upload(server, file, said) == held
    ours = compiled_file.read(file)
    assert {key: held.content.ir[key] for key in NEWER} == {key: ours.ir[key] for key in NEWER}
    assert all(finding.level for finding in registry.compiled_findings(ours))
    row = starting.start(server, wanted(spec=ours.ir))
    assert kfp.world.runs[row.id].inline["components"] == ours.ir["components"]


@pytest.mark.parametrize("newer", [{"schemaVersion": "3.0.0"}, {"attestations": {"kind": "slsa"}}])
def test_an_ir_newer_than_the_server_is_refused_with_what_mends_it_and_leaves_no_version(
    kfp: FakeKfp, server: Connection, tmp_path: Path, newer: dict[str, Any]
) -> None:
    file, said = file_of(tmp_path, spec() | newer)
    with pytest.raises(KfpRefused) as caught:
        uploading.upload(server, file, said)
    assert "compile it with a kfp of this server's version" in caught.value.fix
    assert kfp.world.versions == {}
    file, said = file_of(tmp_path, spec())
    assert uploading.upload(server, file, said).name == "0.1.0"
