"""Schedules through our own connection on the fake server, whose clock a test moves."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from tagline.errors import KfpScheduleRefused
from tagline.kubeflow_keys import Access
from tagline.pipeline import compiled as compiled_file
from tagline.pipeline.identity import digest_of
from tagline.platforms.kubeflow.marks import Provenance, owner_of
from tagline.platforms.kubeflow.runs import keys, scheduled
from tagline.platforms.kubeflow.schedules.apply import KubeflowSchedules, Place
from tagline.platforms.kubeflow.server.connection import Connection
from tagline.platforms.kubeflow.versions import upload as uploading
from tagline.platforms.kubeflow.versions.upload import Held
from tagline.platforms.schedules import Schedule
from tagline.words import Release

from tests.contract.kfp.asking import START
from tests.contract.kfp.opened import ALICE, by_header, opened
from tests.contract.kfp.pipelines import spec
from tests.contract.kfp.test_exact_upload import Stopped, stopping
from tests.fakes.kfp import FakeKfp

OWNER = owner_of("https://git.example.org/ml/wine.git")
ONE, TWO = Release(0, 1, 0), Release(0, 2, 0)
HOURLY = Schedule("hourly", "0 * * * *", "UTC", {"rate": 0.2}, concurrency=10)
PLACE = Place(OWNER, "s3://models/v2", "UTC")


@pytest.fixture(params=["database-utf8mb4", "multiuser"])
def kfp(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FakeKfp]:
    with FakeKfp(request.param, start=START + 600) as fake:
        for release in (ONE, TWO):
            uploaded(connection(fake), tmp_path, release)
        yield fake
        fake.calm()


def connection(kfp: FakeKfp) -> Connection:
    return opened(kfp.url, by_header(ALICE) if kfp.world.multi_user else Access())


def uploaded(server: Connection, folder: Path, release: Release) -> None:
    file = folder / f"{release}.yaml"
    file.write_text(yaml.safe_dump(spec(image=f"wine:{release}")))
    digest = digest_of(compiled_file.read(file))
    uploading.upload(server, file, Provenance(OWNER, "wine", str(release), "c" * 40, digest, ""))


def schedules(kfp: FakeKfp, server: Connection | None = None) -> KubeflowSchedules:
    server = server or connection(kfp)

    def held(pipeline: str, release: Release) -> Held | None:
        found = uploading.find_pipeline(server, pipeline)
        return uploading.find_version(server, found["pipeline_id"], str(release)) if found else None

    return KubeflowSchedules(server, PLACE, held, lambda: kfp.now)


def ticks(kfp: FakeKfp) -> Counter[float]:
    """How many runs each tick has: the server's own, and ours that were started late."""
    own = [run.scheduled_at for run in kfp.world.runs.values() if run.recurring_run_id]
    late = [run for run in kfp.world.runs.values() if "/full/s-hourly-" in run.display_name]
    hours = [int(run.display_name[-5:-3]) for run in late]
    return Counter([*own, *(START + 3600.0 * hour for hour in hours)])


def test_a_declared_schedule_is_made_once_and_fires_at_the_ticks_of_its_person(kfp: FakeKfp) -> None:
    one = schedules(kfp)
    said = one.apply("wine", ONE, [HOURLY])
    assert [line.split(" (")[0] for line in said] == ["hourly: create, disabled", "hourly: enable"]
    assert one.apply("wine", ONE, [HOURLY]) == []
    (job,) = kfp.world.recurring.values()
    assert job.trigger == {"cron_schedule": {"cron": "0 0 * * * *"}}
    assert (job.no_catchup, job.mode, job.runtime["parameters"]) == (True, "ENABLE", {"rate": 0.2})
    assert job.inline["deploymentSpec"]["executors"]["exec-fit"]["container"]["image"] == "wine:0.1.0"
    assert job.runtime["pipeline_root"] == "s3://models/v2/tagline/wine/0.1.0/full/s-hourly"
    kfp.advance(3 * 3600)
    assert ticks(kfp) == {START + 3600.0 * hour: 1 for hour in (1, 2, 3)}


def test_a_new_version_takes_over_without_a_lost_or_doubled_tick_and_no_run_is_ended(kfp: FakeKfp) -> None:
    one = schedules(kfp)
    one.apply("wine", ONE, [HOURLY])
    kfp.advance(3600)
    assert one.apply("wine", TWO, [HOURLY]) != []
    assert {run.state for run in kfp.world.runs.values()} <= {"PENDING", "RUNNING"}
    assert len(kfp.world.recurring) == 2, "the old one stays, disabled, while its run goes on"
    for run in list(kfp.world.runs.values()):
        kfp.finish(run.id)
    kfp.advance(3600)
    one.apply("wine", TWO, [HOURLY])
    (job,) = kfp.world.recurring.values()
    assert "0.2.0" in job.display_name
    assert ticks(kfp) == {START + 3600.0: 1, START + 7200.0: 1}


@pytest.mark.parametrize("kfp", ["database-utf8mb4"], indirect=True)
@pytest.mark.parametrize("calls", range(1, 13))
def test_a_move_that_stops_after_any_call_is_completed_by_the_next(kfp: FakeKfp, calls: int) -> None:
    schedules(kfp).apply("wine", ONE, [HOURLY])
    kfp.advance(3600)
    for run in list(kfp.world.runs.values()):
        kfp.finish(run.id)
    server = connection(kfp)
    with pytest.raises(Stopped):
        stopping(server, calls, lambda: schedules(kfp, server).apply("wine", TWO, [HOURLY]))
        raise Stopped  # fewer calls than that
    kfp.advance(2 * 3600)
    for run in list(kfp.world.runs.values()):
        kfp.finish(run.id)
    for _ in range(2):
        schedules(kfp).apply("wine", TWO, [HOURLY])
    (job,) = kfp.world.recurring.values()
    assert (job.mode, "0.2.0" in job.display_name) == ("ENABLE", True)
    assert ticks(kfp) == {START + 3600.0 * hour: 1 for hour in (1, 2, 3)}


def test_a_lost_answer_leaves_one_schedule(kfp: FakeKfp) -> None:
    one = schedules(kfp)
    connection(kfp).ask("GET", "/healthz")
    one.apply("wine", ONE, [])
    kfp.lose_answers(1)
    one.apply("wine", ONE, [HOURLY])
    kfp.calm()
    one.apply("wine", ONE, [HOURLY])
    assert len([job for job in kfp.world.recurring.values() if job.mode == "ENABLE"]) == 1


def test_the_plan_is_what_is_done_and_shows_the_next_five_ticks(kfp: FakeKfp) -> None:
    one = schedules(kfp)
    planned = one.plan("wine", ONE, [HOURLY])
    assert planned[-1] == (
        "hourly (0 * * * *, UTC): next 2027-01-15T01:00+00:00, 2027-01-15T02:00+00:00, 2027-01-15T03:00+00:00, "
        "2027-01-15T04:00+00:00, 2027-01-15T05:00+00:00"
    )
    assert one.apply("wine", ONE, [HOURLY]) == planned[:-1]
    assert one.plan("wine", ONE, [HOURLY]) == []
    assert len([line for line in one.plan("wine", TWO, [HOURLY]) if "next" not in line]) == 4


def test_what_is_not_ours_is_never_touched(kfp: FakeKfp) -> None:
    server = connection(kfp)
    held = schedules(kfp)._held("wine", ONE)
    assert held
    by_hand = {
        "display_name": "tagline wine/hourly by hand",
        "description": "mine",
        "max_concurrency": "1",
        "mode": "ENABLE",
        "trigger": {"cron_schedule": {"cron": "0 30 * * * *"}},
        "pipeline_version_reference": {"pipeline_id": held.pipeline_id, "pipeline_version_id": held.id},
    }
    if kfp.world.multi_user:
        from tagline.platforms.kubeflow.runs import starting

        by_hand["experiment_id"] = starting.experiment(server)
    made = server.ask("POST", "/recurringruns", body=by_hand)["recurring_run_id"]
    other = KubeflowSchedules(
        server, Place(owner_of("git@x:y/z"), "s3://m", "UTC"), lambda p, r: held, lambda: kfp.now
    )
    other.apply("wine", ONE, [HOURLY])
    theirs = set(kfp.world.recurring)
    schedules(kfp).apply("wine", ONE, [HOURLY])
    schedules(kfp).apply("wine", ONE, [])
    assert theirs <= set(kfp.world.recurring)
    assert kfp.world.recurring[made].mode == "ENABLE"


def test_what_is_no_longer_declared_is_removed(kfp: FakeKfp) -> None:
    one = schedules(kfp)
    one.apply("wine", ONE, [HOURLY])
    assert [line.split(" (")[0] for line in one.apply("wine", ONE, [])] == [
        "hourly: disable",
        "hourly: delete",
    ]
    assert kfp.world.recurring == {}


def test_the_runs_that_the_server_starts_have_the_keys_of_their_ticks(kfp: FakeKfp) -> None:
    server = connection(kfp)
    schedules(kfp, server).apply("wine", ONE, [HOURLY])
    kfp.advance(2 * 3600)
    found = started(server)
    stamps = [datetime.fromtimestamp(START + 3600 * hour, UTC) for hour in (1, 2)]
    assert sorted(found) == [f"wine/0.1.0/full/s-hourly-{stamp:%Y%m%dT%H%MZ}" for stamp in stamps]


def started(server: Connection) -> list[str]:
    return [one.owner for one in scheduled.started(server, "wine", keys.root_of(PLACE.root, "wine/"), OWNER)]


@pytest.mark.parametrize("name", ["Clone of tagline wine/hourly 0.1.0", "tagline wine/hourly 0.1.0 mine"])
def test_a_persons_copy_of_a_schedule_is_not_touched_and_its_runs_are_not_ours(
    kfp: FakeKfp, name: str
) -> None:
    server = connection(kfp)
    schedules(kfp, server).apply("wine", ONE, [HOURLY])
    (own,) = server.ask("GET", "/recurringruns", {"namespace": server.scope})["recurringRuns"]
    kept = ("description", "experiment_id", "runtime_config", "trigger", "mode", "max_concurrency")
    copy = {key: own[key] for key in (*kept, "pipeline_spec")} | {"display_name": name}
    made = server.ask("POST", "/recurringruns", body=copy)["recurring_run_id"]
    kfp.advance(3600)
    assert started(server) == ["wine/0.1.0/full/s-hourly-20270115T0100Z"]
    server.ask("POST", f"/recurringruns/{own['recurring_run_id']}:disable")
    kfp.advance(3600)
    assert len(started(server)) == 1
    schedules(kfp, server).apply("wine", ONE, [])
    assert kfp.world.recurring[made].mode == "ENABLE"


def test_the_runs_of_a_schedule_that_gave_way_to_another_are_ours_when_it_is_gone(kfp: FakeKfp) -> None:
    server = connection(kfp)
    schedules(kfp, server).apply("wine", ONE, [HOURLY])
    kfp.advance(3600)
    for run in list(kfp.world.runs.values()):
        kfp.finish(run.id)
    schedules(kfp, server).apply("wine", TWO, [HOURLY])
    assert len(kfp.world.recurring) == 1
    assert started(server) == ["wine/0.1.0/full/s-hourly-20270115T0100Z"]


def test_a_zone_that_the_server_does_not_count_in_is_refused_before_anything_is_asked(kfp: FakeKfp) -> None:
    one = schedules(kfp)
    kfp.asked.clear()
    with pytest.raises(KfpScheduleRefused, match="summer time"):
        one.apply("wine", ONE, [Schedule("berlin", "0 2 * * *", "Europe/Berlin")])
    assert kfp.asked == []


def test_a_cache_that_is_switched_off_is_off_in_the_pipeline_that_is_scheduled(kfp: FakeKfp) -> None:
    schedules(kfp).apply("wine", ONE, [Schedule("hourly", "0 * * * *", "UTC", cache=False)])
    (job,) = kfp.world.recurring.values()
    assert job.inline["root"]["dag"]["tasks"]["fit"]["cachingOptions"] == {}
