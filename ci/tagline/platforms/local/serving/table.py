"""The router's table: which versions stand behind which route, and how each request is drawn."""

from collections.abc import Sequence

import msgspec

from tagline.platforms.local.serving.files import Record


class Row(msgspec.Struct, frozen=True):
    """One version behind a route: where it listens, and its weight in percent (0 takes no request).

    `timeout` (seconds) ends its answers, and no other version's.
    """

    version: str
    port: int
    weight: int
    timeout: float = 10.0


class TableRoute(msgspec.Struct, frozen=True):
    """One model in one environment.

    `revision` rises with every change of the route. `stable` is the version that answers for a canary's
    failed calls, empty where there is none. An answer that took longer than `slower_than` seconds is bad
    (0: no such bound), for every version alike.
    """

    env: str
    model: str
    revision: int
    stable: str
    slower_than: float
    rows: list[Row]

    @property
    def name(self) -> str:
        return f"{self.env}/{self.model}"


class Table(Record, frozen=True, kw_only=True):
    """All routes; `revision` is the newest of theirs."""

    revision: int = 0
    routes: list[TableRoute] = msgspec.field(default_factory=list)


def draw(rows: Sequence[Row], point: float) -> Row | None:
    """The row that `point` (uniform in 0..1) falls on, with probability weight / sum; None if all are 0."""
    left = point * sum(row.weight for row in rows)
    chosen = None
    for row in rows:
        if row.weight > 0:
            chosen = row
            left -= row.weight
            if left < 0:
                break
    return chosen
