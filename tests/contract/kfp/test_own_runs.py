"""Runs through our own connection: one for each key as far as the server lets us, followed, cancelled, told."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tagline.errors import KfpRefused, KfpRunCancelled, KfpRunFailed, KfpUnavailable, TaskTimedOut
from tagline.kubeflow_keys import Access
from tagline.platforms import RunState, TaskEvent
from tagline.platforms.kubeflow.marks import owner_of
from tagline.platforms.kubeflow.runs import following, keys, rows, starting, sweeping
from tagline.platforms.kubeflow.runs.following import Clock, Follower, Pace
from tagline.platforms.kubeflow.runs.rows import Row, State, Task
from tagline.platforms.kubeflow.server.connection import Connection

from tests.contract.kfp.opened import ALICE, by_header, opened
from tests.contract.kfp.pipelines import spec
from tests.fakes.kfp import FakeKfp

OWNER = owner_of("https://git.example.org/ml/wine.git")
KEY = "wine/0.1.0/full/1"
ROOT = "s3://models/v2"


@pytest.fixture(params=["database-utf8mb4", "multiuser"])
def kfp(request: pytest.FixtureRequest) -> Iterator[FakeKfp]:
    with FakeKfp(request.param, start=1_800_000_000.0) as fake:
        yield fake
        fake.calm()


def connection(kfp: FakeKfp) -> Connection:
    return opened(kfp.url, by_header(ALICE) if kfp.world.multi_user else Access())


def wanted(owner: str = KEY, **more: Any) -> starting.Wanted:
    return starting.Wanted(owner, OWNER, keys.root_of(ROOT, owner), {"rate": 0.2}, spec=spec(), **more)


def names(kfp: FakeKfp) -> list[str]:
    return sorted(run.display_name for run in kfp.world.runs.values())


def follower(kfp: FakeKfp, server: Connection, told: list[TaskEvent], pace: Pace | None = None) -> Follower:
    """One whose clock is the server's: to wait is to let time pass there."""
    return Follower(server, told.append, pace, Clock(lambda: kfp.now, kfp.advance))


def test_a_key_has_one_run_however_often_it_is_asked_for(kfp: FakeKfp) -> None:
    server = connection(kfp)
    first = starting.start(server, wanted())
    assert starting.start(server, wanted()).id == first.id
    assert names(kfp) == ["tagline wine/0.1.0/full/1"]
    (run,) = kfp.world.runs.values()
    assert run.runtime == {"parameters": {"rate": 0.2}, "pipeline_root": f"{ROOT}/tagline/{KEY}"}
    assert keys.owner_in(run.description, OWNER) == KEY
    assert run.namespace == ("mu-alice" if kfp.world.multi_user else "kubeflow")


def test_an_answer_that_is_lost_makes_no_second_run(kfp: FakeKfp) -> None:
    server = connection(kfp)
    starting.experiment(server)
    kfp.lose_answers(1)
    starting.start(server, wanted())
    kfp.calm()
    starting.start(server, wanted())
    assert len(names(kfp)) == 1


def test_a_refused_quota_makes_no_run_and_is_told(kfp: FakeKfp) -> None:
    server = connection(kfp)
    kfp.quota_refused("exceeded quota: team")
    with pytest.raises(KfpRefused, match="exceeded quota"):
        starting.start(server, wanted())
    assert names(kfp) == []


def test_what_no_run_could_carry_is_refused_before_it_is_sent(kfp: FakeKfp) -> None:
    server = connection(kfp)
    large = spec()
    large["deploymentSpec"]["executors"]["exec-fit"]["container"]["args"] = ["x" * 5_000_000]
    starting.experiment(server)
    kfp.asked.clear()
    with pytest.raises(KfpRefused, match="starts none over 5 MB"):
        starting.start(server, starting.Wanted(KEY, OWNER, ROOT, spec=large))
    assert {method for method, _ in kfp.asked} == {"GET"}


def test_another_repositorys_run_of_the_same_key_is_not_ours(kfp: FakeKfp) -> None:
    server = connection(kfp)
    theirs = starting.start(
        server, starting.Wanted(KEY, owner_of("git@other.org:ml/wine"), ROOT, spec=spec())
    )
    assert starting.start(server, wanted()).id != theirs.id
    assert [row.id for row in starting.listed(server, "wine/", OWNER)] != [theirs.id]


def test_an_archived_experiment_is_brought_back(kfp: FakeKfp) -> None:
    server = connection(kfp)
    made = starting.experiment(server)
    server.ask("POST", f"/experiments/{made}:archive")
    assert starting.experiment(server) == made
    assert kfp.world.experiments[made].storage_state == "AVAILABLE"


def test_a_run_is_followed_to_its_end_and_the_queue_is_counted_apart(kfp: FakeKfp) -> None:
    server, told = connection(kfp), []
    row = starting.start(server, wanted())
    kfp.finish_by_itself(after=4)
    ended = follower(kfp, server, told).to_its_end(row, 600)
    assert rows.as_run(ended).state is RunState.SUCCEEDED
    assert [event.state for event in told if event.task == KEY] == ["left the queue"]


def test_a_failed_run_is_an_error_that_names_it(kfp: FakeKfp) -> None:
    server = connection(kfp)
    row = starting.start(server, wanted())
    kfp.finish(row.id, "FAILED", "the task ended with exit code 1")
    run = rows.as_run(follower(kfp, server, []).to_its_end(row, 600))
    problem = run.problem()
    assert isinstance(problem, KfpRunFailed)
    assert "exit code 1" in problem.what


def test_a_cancelled_run_ends_as_failed_there_and_as_cancelled_here(kfp: FakeKfp) -> None:
    server = connection(kfp)
    row = starting.start(server, wanted())
    kfp.advance(2)
    starting.cancel(server, row)
    starting.cancel(server, row)
    kfp.advance(30)
    assert kfp.world.runs[row.id].state == "FAILED"
    run = rows.as_run(follower(kfp, server, []).to_its_end(row, 600))
    assert isinstance(run.problem(), KfpRunCancelled)


def test_a_run_past_its_limit_is_cancelled_and_nothing_of_it_goes_on(kfp: FakeKfp) -> None:
    server = connection(kfp)
    row = starting.start(server, wanted())
    with pytest.raises(TaskTimedOut, match="longer than 60 s"):
        follower(kfp, server, []).to_its_end(row, 60)
    assert kfp.world.runs[row.id].state == "FAILED"


def test_a_run_that_somebody_deletes_is_told_so(kfp: FakeKfp) -> None:
    server = connection(kfp)
    row = starting.start(server, wanted())
    server.ask("DELETE", f"/runs/{row.id}")
    with pytest.raises(KfpRunFailed, match="somebody deleted it"):
        follower(kfp, server, []).to_its_end(row, 60)


def test_an_interrupt_cancels_the_run_that_is_followed(kfp: FakeKfp) -> None:
    server = connection(kfp)
    row = starting.start(server, wanted())

    def interrupted(seconds: float) -> None:
        if kfp.world.runs[row.id].state == "RUNNING":
            raise KeyboardInterrupt
        kfp.advance(seconds)

    def sleep(seconds: float) -> None:
        kfp.advance(seconds) if kfp.world.runs[row.id].canceled_at else interrupted(seconds)

    one = Follower(server, lambda told: None, Pace(), Clock(lambda: kfp.now, sleep))
    kfp.advance(2)
    with pytest.raises(KeyboardInterrupt):
        one.to_its_end(row, 600)
    assert kfp.world.runs[row.id].state in ("CANCELING", "FAILED")


def refusing_to_cancel(kfp: FakeKfp, server: Connection, times: int) -> None:
    """Let the server answer so many requests for an end with 503."""
    ask, left = server.ask, [times]

    def asked(method: str, path: str, *more: Any, **named: Any) -> Any:
        if path.endswith(":terminate") and left[0]:
            left[0] -= 1
            kfp.fail_next(1, 503)
        return ask(method, path, *more, **named)

    server.ask = asked  # type: ignore[method-assign]


def test_a_cancel_that_fails_is_repeated_and_hides_no_interrupt(kfp: FakeKfp) -> None:
    server, told, interrupted = connection(kfp), [], []
    row = starting.start(server, wanted())
    refusing_to_cancel(kfp, server, 2)

    def sleep(seconds: float) -> None:
        kfp.advance(seconds)
        if not interrupted:
            interrupted.append(True)
            raise KeyboardInterrupt

    one = Follower(server, lambda event: told.append(event.state), Pace(), Clock(lambda: kfp.now, sleep))
    with pytest.raises(KeyboardInterrupt):
        one.to_its_end(row, 600)
    assert kfp.world.runs[row.id].state == "FAILED"
    assert told[-1] == "it was cancelled"


def test_a_server_that_lets_nobody_cancel_is_told_with_the_time_out(kfp: FakeKfp) -> None:
    server = connection(kfp)
    row = starting.start(server, wanted())
    refusing_to_cancel(kfp, server, 1000)
    with pytest.raises(TaskTimedOut, match="could not be cancelled, and may go on"):
        follower(kfp, server, []).to_its_end(row, 30)


def test_a_task_may_be_named_like_the_servers_own() -> None:
    """`sql-executor` and `truck-driver` are tasks of a person; `root-driver` and `fit-driver` are the server's."""
    named = ("root", "root-driver", "fit", "fit-driver", "executor", "sql-executor", "truck-driver")
    row = Row("1", KEY, State.RUNNING, tasks=tuple(Task(name, State.RUNNING) for name in named))
    assert [task.name for task in following.theirs(row)] == ["fit", "sql-executor", "truck-driver"]


def test_a_run_that_succeeds_later_takes_nothing_over_and_no_success_of_a_training_is_swept() -> None:
    early = Row("a", KEY, State.RUNNING, created_at="2026-11-01T00:00:00Z")
    first = Row(
        "b", KEY, State.SUCCEEDED, created_at="2026-11-01T00:01:00Z", finished_at="2026-11-01T01:00:00Z"
    )
    late = msgspec.structs.replace(early, state=State.SUCCEEDED, finished_at="2026-11-01T02:00:00Z")
    failed = msgspec.structs.replace(first, id="c", state=State.FAILED)
    for found in ([early, first], [late, first]):
        chosen = rows.chosen(found)
        assert chosen and chosen.id == "b"
    later = rows.moment("2026-12-01T00:00:00Z")
    assert sweeping.leftovers([late, first, failed], later) == [failed]


@pytest.mark.parametrize(
    ("finished", "swept"), [("2026-11-29T00:00:00Z", False), ("2026-11-02T00:00:00Z", True)]
)
def test_a_smoke_run_is_kept_two_weeks_from_its_end(finished: str, swept: bool) -> None:
    row = Row("a", "wine/smoke/f/1", State.FAILED, created_at="2026-11-01T00:00:00Z", finished_at=finished)
    later = rows.moment("2026-12-01T00:00:00Z")
    assert bool(sweeping.leftovers([row], later)) is swept
    untold = msgspec.structs.replace(row, created_at="1970-01-01T00:00:00Z", finished_at="junk")
    assert sweeping.leftovers([untold], later) == []


def test_a_server_that_is_not_ready_for_a_minute_ends_no_wait(kfp: FakeKfp) -> None:
    server, slept = connection(kfp), [0.0]
    server.patience = type(server.patience)(waits=(5.0,) * 30)
    row = starting.start(server, wanted())
    kfp.finish(row.id, "SUCCEEDED")
    kfp.fail_next(1000, 503)

    def sleep(seconds: float) -> None:
        slept[0] += seconds
        kfp.calm() if slept[0] >= 60 else None

    server.sleep = sleep
    assert follower(kfp, server, []).to_its_end(row, 600).state is State.SUCCEEDED
    assert slept[0] >= 60


def test_a_lost_database_is_no_end_of_a_run(kfp: FakeKfp) -> None:
    server = connection(kfp)
    row = starting.start(server, wanted())
    kfp.lose_database()
    with pytest.raises(KfpUnavailable):
        follower(kfp, server, []).to_its_end(row, 600)
    kfp.calm()
    kfp.finish(row.id, "SUCCEEDED")
    assert follower(kfp, server, []).to_its_end(row, 600).state is State.SUCCEEDED


def test_old_smoke_runs_are_swept_and_nothing_else(kfp: FakeKfp) -> None:
    server, smoke = connection(kfp), "wine/smoke/0123456789abcdef/1"
    old, going = starting.start(server, wanted(smoke)), starting.start(server, wanted("wine/smoke/f/1"))
    full = starting.start(server, wanted())
    theirs = starting.start(server, starting.Wanted(smoke, owner_of("git@x.org:y/z"), ROOT, spec=spec()))
    for one in (old, full, theirs):
        kfp.finish(one.id)
    assert sweeping.sweep(server, "wine", OWNER, kfp.now + 3600) == []
    kfp.advance(sweeping.KEPT + 60)
    young = starting.start(server, wanted("wine/smoke/a/1"))
    kfp.finish(young.id)
    assert sweeping.sweep(server, "wine", OWNER, kfp.now) == [smoke]
    assert set(kfp.world.runs) == {going.id, full.id, theirs.id, young.id}
    assert sweeping.sweep(server, "wine", OWNER, kfp.now) == []


TIMES = st.integers(0, 5).map(lambda n: f"2026-11-25T00:00:0{n}Z")
ROWS = st.builds(
    Row, st.text("abc", min_size=1, max_size=3), st.just(KEY), st.sampled_from(State), created_at=TIMES
)


@given(st.lists(ROWS, max_size=6), st.randoms())
def test_whoever_looks_chooses_the_same_row_and_one_that_succeeded_if_there_is_one(
    found: list[Row], chance: Any
) -> None:
    shuffled = list(found)
    chance.shuffle(shuffled)
    one, other = rows.chosen(found), rows.chosen(shuffled)
    assert (one is None) == (not found)
    if one and other:
        assert (one.created_at, one.id) == (other.created_at, other.id)
        assert one.state is State.SUCCEEDED or State.SUCCEEDED not in {row.state for row in found}


@given(st.text("abcdefghij-/.0123456789", min_size=1, max_size=200))
def test_every_key_gives_a_name_that_the_server_takes_and_another_key_another(owner: str) -> None:
    assert len(keys.name_of(owner)) <= keys.NAME_LIMIT
    assert keys.name_of(owner) != keys.name_of(f"{owner}0")
    assert keys.prefix_of(owner[:5]) in keys.name_of(owner)
