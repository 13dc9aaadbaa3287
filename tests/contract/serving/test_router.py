"""The router over real sockets: who answers, what counts, what the client sees."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest
from tagline.platforms.local.serving.table import Table
from tagline.platforms.local.serving.tally import prometheus

from tests.contract.serving.upstreams import GOOD, Act, Rig, Script, always, http, rig

STABLE, CANARY = "1.0.0-r1", "1.0.0-r2"
ok = always(Act())


def play(script: Callable[[Rig], Awaitable[None]], *acts: Script) -> None:
    async def run() -> None:
        async with rig(*acts) as made:
            await asyncio.wait_for(script(made), 60)

    asyncio.run(run())


def test_a_prediction_is_passed_through_and_names_its_version() -> None:
    async def script(made: Rig) -> None:
        assert await made.ask(body=b'{"instances": [1]}') == (200, GOOD, STABLE)
        assert made.fakes[0].requests[0].endswith(b'\r\n\r\n{"instances": [1]}')

    play(script, ok)


def test_v2_predictions_are_counted_too() -> None:
    async def script(made: Rig) -> None:
        assert (await made.ask("/prod/v2/models/wine/infer"))[0] == 200
        assert made.fakes[0].requests[0].startswith(b"POST /v2/models/wine/infer ")
        assert made.counts(STABLE) == (1, 0, {})

    play(script, ok)


def test_metadata_and_health_reach_the_server_and_are_not_counted() -> None:
    async def script(made: Rig) -> None:
        for path in ("/v1/models/wine", "/v2/models/wine", "/v2/models/wine/ready"):
            async with made.client.get(made.url + "/prod" + path) as response:
                assert response.status == 200
        assert [head.split()[1] for head in made.fakes[0].requests] == [
            b"/v1/models/wine",
            b"/v2/models/wine",
            b"/v2/models/wine/ready",
        ]
        assert made.counts(STABLE) == (0, 0, {})

    play(script, ok)


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


def test_requests_are_drawn_by_weight() -> None:
    async def script(made: Rig) -> None:
        made.weigh(90, 10)
        await asyncio.gather(*(made.ask() for _ in range(1000)))
        assert 60 <= made.counts(CANARY)[0] <= 145  # 10 percent of 1,000, 4.2 standard deviations either way
        assert made.counts(CANARY)[0] + made.counts(STABLE)[0] == made.tally.requests == 1000

    play(script, ok, ok)


def test_no_request_is_lost_while_weights_change() -> None:
    async def script(made: Rig) -> None:
        going = True
        statuses: list[int] = []

        async def load() -> None:
            while going:
                statuses.append((await made.ask())[0])

        clients = [asyncio.create_task(load()) for _ in range(4)]
        for weight in (10, 25, 50, 95, 0, 100, 0, 50) * 6:
            made.weigh(100 - weight, weight)
            await asyncio.sleep(0.02)
        going = False
        await asyncio.gather(*clients)
        assert len(statuses) > 200
        assert set(statuses) == {200}

    play(script, ok, ok)


def test_a_version_at_weight_0_gets_no_request_after_the_change() -> None:
    async def script(made: Rig) -> None:
        made.weigh(50, 50)
        await asyncio.gather(*(made.ask() for _ in range(50)))
        made.weigh(100, 0)
        before = len(made.fakes[1].requests)
        await asyncio.gather(*(made.ask() for _ in range(50)))
        assert len(made.fakes[1].requests) == before
        assert made.tally.arms[CANARY].drawn == 0

    play(script, ok, ok)


def test_a_request_in_flight_ends_and_is_counted_after_its_weight_went_to_0() -> None:
    async def script(made: Rig) -> None:
        made.weigh(0, 100)
        waiting = asyncio.create_task(made.ask())
        await asyncio.sleep(0.1)
        made.weigh(100, 0)
        assert made.tally.arms[CANARY].inflight == 1
        assert (await waiting)[::2] == (200, CANARY)
        assert (made.tally.arms[CANARY].inflight, made.counts(CANARY)) == (0, (1, 0, {}))

    play(script, ok, always(Act(wait=0.4)))


def test_an_older_table_that_comes_late_changes_nothing() -> None:
    async def script(made: Rig) -> None:
        made.weigh(0, 100)
        before = made.tally.route
        made.router.apply(Table(revision=made.router.revision - 1, routes=[]))
        assert made.tally.route == before

    play(script, ok, ok)


def test_an_unknown_route_is_a_404_that_lists_the_known_ones() -> None:
    async def script(made: Rig) -> None:
        status, body, _ = await made.ask("/prod/v1/models/win:predict")
        assert status == 404
        assert json.loads(body)["known"] == ["/prod/v1/models/wine:predict"]

    play(script, ok)


def test_nothing_that_serves_is_a_503() -> None:
    async def script(made: Rig) -> None:
        made.weigh(0)
        status, body, _ = await made.ask()
        assert (status, json.loads(body)) == (503, {"error": "nothing serves wine in prod"})

    play(script, ok)


def test_a_wrong_method_is_a_405() -> None:
    async def script(made: Rig) -> None:
        async with made.client.get(made.url + "/prod/v1/models/wine:predict") as response:
            assert (response.status, response.headers["Allow"]) == (405, "POST")

    play(script, ok)


def test_a_request_past_the_limit_is_a_413_and_reaches_no_server() -> None:
    async def script(made: Rig) -> None:
        async with made.client.post(
            made.url + "/prod/v1/models/wine:predict", data=bytes(33 * 1024 * 1024)
        ) as response:
            assert response.status == 413
        assert made.fakes[0].requests == []

    play(script, ok)


def test_metrics_are_in_prometheus_text_format() -> None:
    async def script(made: Rig) -> None:
        made.weigh(0, 100)
        await made.ask()
        async with made.client.get(made.url + "/metrics") as response:
            text = await response.text()
            assert response.headers["Content-Type"].startswith("text/plain")
        labels = 'env="prod",model="wine",version="1.0.0-r2"'
        assert f'tagline_responses_total{{{labels},kind="5xx"}} 1' in text
        assert f'tagline_responses_total{{{labels},kind="good"}} 0' in text
        assert 'tagline_requests_total{env="prod",model="wine"} 1' in text
        assert text == prometheus(made.router.routes.values())

    play(script, ok, always(Act(http(500, b"{}"))))


def test_headers_of_the_client_pass_and_those_of_the_connection_do_not() -> None:
    async def script(made: Rig) -> None:
        headers = {"traceparent": "00-abc", "Content-Type": "application/json", "TE": "trailers"}
        async with made.client.post(
            made.url + "/prod/v1/models/wine:predict?a=b%20c", data=b"{}", headers=headers
        ) as response:
            assert response.headers["x-served-by"] == "me"
        head = made.fakes[0].requests[0].lower()
        assert b"traceparent: 00-abc" in head
        assert b"\r\nte:" not in head
        assert head.startswith(b"post /v1/models/wine:predict?a=b%20c ")

    play(script, always(Act(http(headers="Content-Type: application/json\r\nX-Served-By: me\r\n"))))
