"""Schedules moved while everything is against it: ticks near, a slow server, a kill, another call, a person."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from tagline.kubeflow_keys import Access
from tagline.platforms.kubeflow.schedules.apply import KubeflowSchedules
from tagline.platforms.kubeflow.server.connection import Connection
from tagline.platforms.kubeflow.versions import upload as uploading
from tagline.platforms.kubeflow.versions.upload import Held
from tagline.words import Release

from tests.contract.kfp.asking import START
from tests.contract.kfp.opened import opened
from tests.contract.kfp.test_exact_upload import Stopped
from tests.contract.kfp.test_schedules import HOURLY, ONE, PLACE, TWO, uploaded
from tests.fakes.kfp import FakeKfp

THREE = Release(0, 3, 0)
HOUR = 3600.0
Request = Callable[[str, str], None]


@pytest.fixture
def kfp(tmp_path: Path) -> Iterator[FakeKfp]:
    """A server with three versions, and the schedule of the first on; it is ten past midnight."""
    with FakeKfp("database-utf8mb4", start=START + 600) as fake:
        for release in (ONE, TWO, THREE):
            uploaded(opened(fake.url, Access()), tmp_path, release)
        call(fake).apply("wine", ONE, [HOURLY])
        yield fake
        fake.calm()


def nothing(method: str, path: str) -> None:
    """What happens at a request where nothing does."""


def call(kfp: FakeKfp, before: Request = nothing, after: Request = nothing) -> KubeflowSchedules:
    """A call of its own, whose clock is the server's; something may happen before each request and after it."""
    server = opened(kfp.url, Access())
    ask = server.ask

    def asked(method: str, path: str, *words: Any, **named: Any) -> Any:
        before(method, path)
        answer = ask(method, path, *words, **named)
        after(method, path)
        return answer

    server.ask = asked  # type: ignore[method-assign]
    return KubeflowSchedules(
        server, PLACE, lambda name, release: _held(server, name, release), lambda: kfp.now, kfp.advance
    )


def _held(server: Connection, pipeline: str, release: Release) -> Held | None:
    found = uploading.find_pipeline(server, pipeline)
    return uploading.find_version(server, found["pipeline_id"], str(release)) if found else None


def ended(kfp: FakeKfp) -> None:
    for run in kfp.runs:
        kfp.finish(run.id)


def ticks(kfp: FakeKfp) -> Counter[float]:
    """How many runs each tick has, counted in hours from midnight: of the server's own, and of those started late."""
    own = [(run.scheduled_at - START) / HOUR for run in kfp.runs if run.recurring_run_id]
    late = [run.display_name[-14:] for run in kfp.runs if "/full/s-hourly-" in run.display_name]
    return Counter([*own, *((int(name[6:8]) - 15) * 24.0 + int(name[9:11]) for name in late)])


def on(kfp: FakeKfp) -> list[str]:
    return [job.display_name.split()[2] for job in kfp.recurring if job.mode == "ENABLE"]


@pytest.mark.parametrize("seconds", [-80, -59, -1, 0, 1, 59])
def test_a_release_near_a_tick_waits_for_a_quiet_time_and_moves_the_schedule(
    kfp: FakeKfp, seconds: int
) -> None:
    kfp.advance(START + HOUR + seconds - kfp.now)
    said = call(kfp).apply("wine", TWO, [HOURLY])
    assert on(kfp) == ["0.2.0"]
    assert "hourly: a tick is near: wait until 2027-01-15T01:01+00:00" in said
    kfp.advance(HOUR)
    assert ticks(kfp) == {1.0: 1, 2.0: 1}


def test_a_tick_that_was_started_late_for_one_release_is_not_started_again_for_the_next(kfp: FakeKfp) -> None:
    (job,) = kfp.recurring
    job.mode, job.updated_at = "DISABLE", kfp.now
    kfp.advance(HOUR)

    def killed(method: str, path: str) -> None:
        if (method, path) == ("POST", "/runs"):
            raise Stopped

    with pytest.raises(Stopped):
        call(kfp, after=killed).apply("wine", TWO, [HOURLY])
    call(kfp).apply("wine", THREE, [HOURLY])
    assert ticks(kfp) == {1.0: 1}
    assert on(kfp) == ["0.3.0"]


@pytest.mark.parametrize("act", ["/recurringruns", ":disable", ":enable"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_server_that_is_slow_over_a_tick_loses_and_doubles_none(kfp: FakeKfp, act: str, when: str) -> None:
    kfp.advance(START + HOUR - 100 - kfp.now)
    slow = [180.0]

    def waits(method: str, path: str) -> None:
        if method == "POST" and path.endswith(act) and slow:
            kfp.advance(slow.pop())

    call(kfp, **{when: waits}).apply("wine", TWO, [HOURLY])
    ended(kfp)
    call(kfp).apply("wine", TWO, [HOURLY])
    kfp.advance(HOUR)
    assert slow == []
    assert ticks(kfp) == {1.0: 1, 2.0: 1}
    assert on(kfp) == ["0.2.0"]


def test_two_calls_at_once_leave_one_schedule_on(kfp: FakeKfp) -> None:
    inside = [True]

    def another(method: str, path: str) -> None:
        if (method, path) == ("POST", "/recurringruns") and inside:
            inside.clear()
            call(kfp).apply("wine", TWO, [HOURLY])

    call(kfp, before=another).apply("wine", TWO, [HOURLY])
    assert on(kfp) == ["0.2.0"]
    kfp.advance(HOUR)
    assert ticks(kfp) == {1.0: 1}


def test_what_a_person_removes_between_two_moves_is_made_again(kfp: FakeKfp) -> None:
    removed: list[str] = []

    def removes(method: str, path: str) -> None:
        if path.endswith(":disable") and not removed:
            removed.extend(
                job.id for job in kfp.recurring if job.mode == "DISABLE" and "0.2.0" in job.display_name
            )
            for job in removed:
                del kfp.world.recurring[job]

    call(kfp, before=removes).apply("wine", TWO, [HOURLY])
    assert len(removed) == 1
    assert on(kfp) == ["0.2.0"]
    kfp.advance(HOUR)
    assert ticks(kfp) == {1.0: 1}


@pytest.mark.parametrize("act", ["disable", "delete"])
def test_a_schedule_that_a_person_switches_off_or_removes_is_on_again_after_the_next_call(
    kfp: FakeKfp, act: str
) -> None:
    (job,) = kfp.recurring
    server = opened(kfp.url, Access())
    if act == "delete":
        server.ask("DELETE", f"/recurringruns/{job.id}")
    else:
        server.ask("POST", f"/recurringruns/{job.id}:disable")
        kfp.advance(HOUR)
    call(kfp).apply("wine", ONE, [HOURLY])
    kfp.advance(HOUR)
    assert on(kfp) == ["0.1.0"]
    assert ticks(kfp) == ({1.0: 1} if act == "delete" else {1.0: 1, 2.0: 1})


def test_an_old_schedule_that_a_person_switches_on_again_gives_way_to_the_new_one(kfp: FakeKfp) -> None:
    kfp.advance(HOUR)
    call(kfp).apply("wine", TWO, [HOURLY])
    old = next(job for job in kfp.recurring if "0.1.0" in job.display_name)
    opened(kfp.url, Access()).ask("POST", f"/recurringruns/{old.id}:enable")
    ended(kfp)
    call(kfp).apply("wine", TWO, [HOURLY])
    assert [job.display_name.split()[2] for job in kfp.recurring] == ["0.2.0"]


@pytest.mark.parametrize("seed", range(20))
def test_calls_that_are_slow_and_killed_and_meet_each_other_give_each_tick_one_run(
    kfp: FakeKfp, seed: int
) -> None:
    chance, releases = random.Random(seed), [ONE, TWO, THREE]
    current = ONE

    def slow(method: str, path: str) -> None:
        if chance.random() < 0.15:
            kfp.advance(chance.uniform(1, 200))

    def kill(method: str, path: str) -> None:
        if chance.random() < 0.06:
            raise Stopped

    for _ in range(12):
        kfp.advance(chance.uniform(30, 2 * HOUR))
        ended(kfp)
        current = chance.choice(releases)
        try:
            call(kfp, before=slow, after=kill).apply("wine", current, [HOURLY])
        except Stopped:
            continue
    for _ in range(2):
        kfp.advance(300)
        ended(kfp)
        call(kfp).apply("wine", current, [HOURLY])
    hours = range(1, int((kfp.now - START) // HOUR) + 1)
    assert ticks(kfp) == {float(hour): 1 for hour in hours}
    assert on(kfp) == [str(current)]


def test_of_two_that_were_both_on_the_one_whose_run_goes_on_is_not_removed_under_it(kfp: FakeKfp) -> None:
    (job,) = kfp.recurring
    twin = deepcopy(job)
    twin.id, twin.object_name = kfp.world.new_id(), "twin"
    kfp.world.recurring[twin.id] = twin
    kfp.advance(HOUR)
    kfp.advance(600)
    call(kfp).apply("wine", ONE, [HOURLY])
    assert Counter(one.mode for one in kfp.recurring) == {"ENABLE": 1, "DISABLE": 1}
    ended(kfp)
    call(kfp).apply("wine", ONE, [HOURLY])
    assert [one.mode for one in kfp.recurring] == ["ENABLE"]
