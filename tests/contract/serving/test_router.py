"""The router over real sockets: who answers, and what it says of itself."""

import asyncio
import json

from tagline.platforms.local.serving.table import Table
from tagline.platforms.local.serving.tally import prometheus

from tests.contract.serving.upstreams import CANARY, GOOD, STABLE, Act, Rig, always, http, ok, play


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
        moves = 0
        while moves < 48 or len(statuses) < 200:
            weight = (10, 25, 50, 95, 0, 100, 0, 50)[moves % 8]
            made.weigh(100 - weight, weight)
            moves += 1
            await asyncio.sleep(0.02)
        going = False
        await asyncio.gather(*clients)
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
