"""The fake's schedules tick in its own time, as the controller of the real server would start them."""

from tests.contract.kfp.asking import START, ask, schedule
from tests.contract.kfp.pipelines import spec
from tests.fakes.kfp import FakeKfp, versions


def test_five_fields_of_cron_tick_at_the_second_minute_of_each_hour(fake: FakeKfp) -> None:
    schedule(fake, "0 2 * * *")

    fake.advance(3 * 3600)

    assert [one.scheduled_at - START for one in fake.runs] == [120, 3720, 7320]


def test_six_fields_tick_once_a_day(fake: FakeKfp) -> None:
    schedule(fake, "0 30 2 * * *")

    fake.advance(2 * 86_400)

    assert [one.scheduled_at - START for one in fake.runs] == [9000, 95_400]


def test_a_schedule_made_disabled_and_switched_on_after_a_tick_starts_a_run_at_once(fake: FakeKfp) -> None:
    job = schedule(fake, "0 0 * * * *", mode="DISABLE", no_catchup=True)
    fake.advance(3 * 3600 + 60)
    assert fake.runs == []

    ask(fake, "POST", f"/recurringruns/{job}:enable")
    fake.advance(1)

    assert [one.scheduled_at - START for one in fake.runs] == [3 * 3600]


def test_with_catchup_every_missed_tick_is_started(fake: FakeKfp) -> None:
    job = schedule(fake, "0 0 * * * *", mode="DISABLE")
    fake.advance(3 * 3600 + 60)

    ask(fake, "POST", f"/recurringruns/{job}:enable")
    fake.advance(1)

    assert [one.scheduled_at - START for one in fake.runs] == [3600, 7200, 10_800]


def test_a_tick_waits_for_max_concurrency(fake: FakeKfp) -> None:
    schedule(fake, "0 0 * * * *", max_concurrency="1")
    fake.advance(2 * 3600)
    assert len(fake.runs) == 1

    fake.finish(fake.runs[0].id)
    fake.advance(1)

    assert [one.scheduled_at - START for one in fake.runs] == [3600, 7200]


def test_a_disabled_or_deleted_schedule_starts_nothing(fake: FakeKfp) -> None:
    first, second = schedule(fake, "0 0 * * * *"), schedule(fake, "0 0 * * * *")
    ask(fake, "POST", f"/recurringruns/{first}:disable")
    ask(fake, "DELETE", f"/recurringruns/{second}")

    fake.advance(86_400)

    assert fake.runs == []


def test_on_latest_without_an_identity_nothing_is_started_while_the_schedule_says_enabled() -> None:
    with FakeKfp("multiuser", start=START) as kfp:
        alice = {"kubeflow-userid": "alice@example.com"}
        _, experiment = ask(
            kfp, "POST", "/experiments", {"display_name": "e", "namespace": "mu-alice"}, alice
        )
        _, made = ask(kfp, "POST", "/pipelines", {"name": "p", "namespace": "mu-alice"}, alice)
        pipeline = kfp.world.pipelines[made["pipeline_id"]]
        versions.insert(kfp.world, pipeline, "v1", "v1", spec())
        kfp.world.scheduler_has_identity = False
        body = {"display_name": "s", "max_concurrency": "1", "mode": "ENABLE"} | {
            "experiment_id": experiment["experiment_id"],
            "trigger": {"periodic_schedule": {"interval_second": "60"}},
            "pipeline_version_reference": {"pipeline_id": pipeline.id},
        }
        _, job = ask(kfp, "POST", "/recurringruns", body, alice)

        kfp.advance(600)

        assert kfp.runs == []
        path = f"/recurringruns/{job['recurring_run_id']}"
        assert ask(kfp, "GET", path, headers=alice)[1]["status"] == "ENABLED"
