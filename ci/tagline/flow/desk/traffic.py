"""Requests for a laptop that has no users: the hold-out's features, replayed at a steady rate."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

VERSION_HEADER = "x-tagline-version"
REQUEST_TIMEOUT = 15.0


class Stream(msgspec.Struct, frozen=True):
    """What to send: `rate` requests a second to `url`, one instance each, for `seconds` (None: until stopped).

    `without` names a field that is left out of a `share` (0..1) of the requests.
    """

    url: str
    rate: float
    seconds: float | None = None
    without: str = ""
    share: float = 0.0
    seed: int = 0


class Tally(msgspec.Struct):
    """What came back: answers by status (0: no answer at all) and by model version."""

    sent: int = 0
    statuses: Counter[int] = msgspec.field(default_factory=Counter)
    versions: Counter[str] = msgspec.field(default_factory=Counter)

    @property
    def lost(self) -> int:
        """Requests that got no good answer."""
        return sum(count for status, count in self.statuses.items() if status != 200)


def instance(row: Mapping[str, Any], stream: Stream, dice: random.Random) -> dict[str, Any]:
    """One request's features: the row, without the field that this request leaves out."""
    missing = stream.without if dice.random() < stream.share else ""
    return {name: value for name, value in row.items() if name != missing}


def replay(
    rows: Sequence[Mapping[str, Any]],
    stream: Stream,
    told: Callable[[Tally], None],
    stopped: Callable[[], bool] = lambda: False,
) -> Tally:
    """Send the stream and return the tally; `told` hears it about once a second.

    Requests leave on time whether or not earlier ones were answered (an open loop), so a slow server is
    not spared.
    """
    return asyncio.run(_replay(rows, stream, told, stopped))


async def _replay(
    rows: Sequence[Mapping[str, Any]],
    stream: Stream,
    told: Callable[[Tally], None],
    stopped: Callable[[], bool],
) -> Tally:
    import aiohttp

    tally, dice, waiting = Tally(), random.Random(stream.seed), set[asyncio.Task[None]]()
    limit = aiohttp.ClientTimeout(total=REQUEST_TIMEOUT)
    async with aiohttp.ClientSession(timeout=limit) as client:
        start = last_told = time.monotonic()
        try:
            while not stopped() and (stream.seconds is None or time.monotonic() - start < stream.seconds):
                body = {"instances": [instance(dice.choice(rows), stream, dice)]}
                tally.sent += 1
                task = asyncio.create_task(_send(client, stream.url, body, tally))
                waiting.add(task)
                task.add_done_callback(waiting.discard)
                if time.monotonic() - last_told >= 1:
                    told(tally)
                    last_told = time.monotonic()
                await asyncio.sleep(max(0.0, start + tally.sent / stream.rate - time.monotonic()))
        finally:
            if waiting:
                await asyncio.wait(waiting, timeout=REQUEST_TIMEOUT)
    return tally


async def _send(client: Any, url: str, body: dict[str, Any], tally: Tally) -> None:
    import aiohttp

    try:
        async with client.post(url, json=body) as answer:
            await answer.read()
            tally.statuses[answer.status] += 1
            tally.versions[answer.headers.get(VERSION_HEADER, "")] += 1
    except (aiohttp.ClientError, TimeoutError):
        tally.statuses[0] += 1
