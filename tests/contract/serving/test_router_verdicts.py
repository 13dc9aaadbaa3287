"""The router over real sockets: what counts against which version, and what the client sees."""

import json

import pytest

from tests.contract.serving.upstreams import CANARY, GOOD, STABLE, Act, Rig, always, http, ok, play


@pytest.mark.parametrize(
    ("act", "kind"),
    [
        (Act(http(500, b"{}")), "5xx"),
        (Act(http(400, b"{}")), "4xx"),
        (Act(http(200, b"not json")), "unparsable"),
        (Act(http(200, b'{"predictions": [NaN]}')), "non_finite"),
        (Act(http(200, b'{"predictions": [-Infinity]}')), "non_finite"),
        (Act(http(200, b'{"predictions": [null]}')), "non_finite"),
        (Act(b"", then="reset"), "reset"),
        (Act(b"", then="close"), "reset"),
        (Act(http()[:-4], then="close"), "reset"),
        (Act(b"hello, this is no HTTP\r\n\r\n", then="close"), "unparsable"),
        (Act(wait=1.0), "timeout"),
    ],
)
def test_a_failed_canary_call_is_answered_by_the_stable_version_and_counts_once(act: Act, kind: str) -> None:
    async def script(made: Rig) -> None:
        made.weigh(0, 100, timeout=0.4)
        assert await made.ask() == (200, GOOD, STABLE)
        assert made.counts(CANARY) == (1, 1, {kind: 1})
        assert made.counts(STABLE) == (0, 0, {})
        assert (made.tally.requests, made.tally.client_bad, made.tally.arms[STABLE].retries) == (1, 0, 1)

    play(script, ok, always(act))


def test_a_canarys_short_time_out_is_its_own_fault_and_the_stable_version_keeps_its_own() -> None:
    async def script(made: Rig) -> None:
        made.weigh(0, 100, timeout=(2.0, 0.05))
        assert await made.ask() == (200, GOOD, STABLE)
        assert made.counts(CANARY) == (1, 1, {"timeout": 1})
        made.weigh(100, 0, timeout=(2.0, 0.05))
        assert await made.ask() == (200, GOOD, STABLE)
        assert made.counts(STABLE) == (1, 0, {})

    play(script, always(Act(wait=0.3)), always(Act(wait=0.3)))


@pytest.mark.parametrize("status", [401, 403, 429])
def test_answers_that_say_nothing_of_the_model_are_neither_bad_nor_tried_again(status: int) -> None:
    async def script(made: Rig) -> None:
        made.weigh(0, 100)
        assert (await made.ask())[::2] == (status, CANARY)
        assert made.counts(CANARY) == (1, 0, {})
        assert made.fakes[0].requests == []

    play(script, ok, always(Act(http(status, b"{}"))))


def test_the_stable_versions_failures_are_not_tried_on_the_canary() -> None:
    async def script(made: Rig) -> None:
        made.weigh(100, 0)
        assert (await made.ask())[::2] == (500, STABLE)
        assert made.counts(STABLE) == (1, 1, {"5xx": 1})
        assert (made.tally.client_bad, made.fakes[1].requests) == (1, [])

    play(script, always(Act(http(500, b"{}"))), ok)


def test_where_both_fail_the_client_sees_it_once() -> None:
    async def script(made: Rig) -> None:
        made.weigh(0, 100)
        assert (await made.ask())[0] == 400
        assert (made.counts(CANARY), made.counts(STABLE)) == ((1, 1, {"5xx": 1}), (0, 0, {}))
        assert made.tally.client_bad == 1

    play(script, always(Act(http(400, b"{}"))), always(Act(http(500, b"{}"))))


def test_a_slow_answer_is_bad_and_still_the_answer() -> None:
    async def script(made: Rig) -> None:
        made.weigh(0, 100, slower=0.05)
        assert await made.ask() == (200, GOOD, CANARY)
        assert made.counts(CANARY) == (1, 1, {"slow": 1})
        assert (made.tally.client_bad, made.fakes[0].requests) == (1, [])

    play(script, ok, always(Act(wait=0.1)))


def test_a_server_that_does_not_listen_is_a_reset_and_the_client_hears_of_it() -> None:
    async def script(made: Rig) -> None:
        made.fakes[0].port = 1
        made.weigh(100)
        status, body, _ = await made.ask()
        assert (status, made.counts(STABLE)) == (502, (1, 1, {"reset": 1}))
        assert "closed the connection" in json.loads(body)["error"]

    play(script, ok)


def test_a_connection_that_gave_an_error_is_not_used_again() -> None:
    """KServe answers 500, keeps the connection for a moment, and then closes it."""

    def act(n: int, _: int) -> Act:
        return Act(http(500, b"{}"), then="reset", after=0.003) if n % 2 == 0 else Act()

    async def script(made: Rig) -> None:
        statuses = [(await made.ask())[0] for _ in range(200)]
        assert statuses == [500, 200] * 100
        assert made.counts(STABLE) == (200, 100, {"5xx": 100})

    play(script, act)


def test_a_reset_on_a_connection_left_idle_is_tried_again_on_a_new_one_without_counting() -> None:
    async def script(made: Rig) -> None:
        statuses = [(await made.ask())[0] for _ in range(100)]
        assert statuses == [200] * 100
        assert made.counts(STABLE) == (100, 0, {})

    play(script, lambda _, turn: Act() if turn == 0 else Act(b"", then="reset"))


def test_a_server_that_resets_every_call_is_asked_at_most_twice() -> None:
    async def script(made: Rig) -> None:
        await made.ask()
        assert (await made.ask())[0] == 502
        assert made.counts(STABLE) == (2, 1, {"reset": 1})
        assert len(made.fakes[0].requests) == 3

    play(script, lambda n, _: Act() if n == 0 else Act(b"", then="reset"))
