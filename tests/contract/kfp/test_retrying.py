"""A run that failed goes on in its own row, however often that is asked for, and not for ever."""

from collections.abc import Iterator
from typing import Any

import pytest
from tagline.errors import KfpRefused, KfpRunFailed, KfpUnavailable
from tagline.platforms.kubeflow.runs import retrying, rows, starting
from tagline.platforms.kubeflow.runs.rows import State
from tagline.platforms.kubeflow.server.connection import Connection

from tests.contract.kfp.test_own_runs import connection, names, wanted
from tests.fakes.kfp import FakeKfp


@pytest.fixture(params=["database-utf8mb4", "multiuser"])
def kfp(request: pytest.FixtureRequest) -> Iterator[FakeKfp]:
    with FakeKfp(request.param, start=1_800_000_000.0) as fake:
        yield fake
        fake.calm()


def test_a_failed_run_goes_on_in_its_own_row_and_asking_again_asks_nothing(kfp: FakeKfp) -> None:
    server = connection(kfp)
    row = starting.start(server, wanted())
    kfp.finish(row.id, "FAILED", "the node went away")
    assert retrying.retry(server, row).state is State.RUNNING
    kfp.asked.clear()
    assert retrying.retry(server, row).state is State.RUNNING
    kfp.finish(row.id, "SUCCEEDED")
    assert retrying.retry(server, row).state is State.SUCCEEDED
    assert {method for method, _ in kfp.asked} == {"GET"}
    assert len(names(kfp)) == 1


def test_a_lost_answer_to_a_retry_lets_it_go_on_once(kfp: FakeKfp) -> None:
    server = connection(kfp)
    row = starting.start(server, wanted())
    kfp.finish(row.id, "FAILED")
    kfp.lose_answers(1)
    assert retrying.retry(server, row).retries == 1
    kfp.calm()
    assert retrying.retry(server, row).retries == 1


def test_a_retry_that_the_server_fails_to_carry_out_is_an_error(kfp: FakeKfp) -> None:
    server = connection(kfp)
    row = starting.start(server, wanted())
    kfp.finish(row.id, "FAILED")

    def fail(method: str, path: str, *rest: Any, **more: Any) -> Any:
        kfp.fail_next(1, 500) if path.endswith(":retry") else None
        return Connection.ask(server, method, path, *rest, **more)

    server.ask = fail
    with pytest.raises(KfpUnavailable):
        retrying.retry(server, row)
    assert kfp.world.runs[row.id].state == "FAILED"


def test_what_fails_again_and_again_is_let_go_on_three_times(kfp: FakeKfp) -> None:
    server = connection(kfp)
    row = starting.start(server, wanted())
    for _ in range(retrying.MOST):
        kfp.finish(row.id, "FAILED")
        retrying.retry(server, row)
    kfp.finish(row.id, "FAILED")
    with pytest.raises(KfpRefused, match="let go on 3 times"):
        retrying.retry(server, row)


def test_a_cancelled_run_that_goes_on_and_then_fails_has_failed(kfp: FakeKfp) -> None:
    server = connection(kfp)
    row = starting.start(server, wanted())
    kfp.advance(2)
    starting.cancel(server, row)
    kfp.advance(30)
    assert starting.read(server, row).cancelled
    retrying.retry(server, row)
    kfp.finish(row.id, "FAILED", "exit code 1")
    assert isinstance(rows.as_run(starting.read(server, row)).problem(), KfpRunFailed)
