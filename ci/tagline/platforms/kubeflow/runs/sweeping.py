"""Removes what tagline's own runs leave on the server: old smoke runs, and rows that a key has too many."""

from collections.abc import Iterable

from tagline.errors import KfpNotThere
from tagline.platforms.kubeflow.runs import rows, starting
from tagline.platforms.kubeflow.runs.rows import Row, State
from tagline.platforms.kubeflow.server.connection import Connection

KEPT = 14 * 24 * 3600.0  # seconds that an ended smoke run, or a second row of a key, can be looked at
SMOKE = "/smoke/"


def leftovers(found: Iterable[Row], now: float) -> list[Row]:
    """Of our rows those that nobody needs: ended longer than `KEPT` before `now` (seconds since 1970), and of a smoke
    run, or without success and not the one that counts of its key. The ledger may name any full training's success."""
    of_key: dict[str, list[Row]] = {}
    for row in found:
        of_key.setdefault(row.owner, []).append(row)
    counting = {one.id for same in of_key.values() if (one := rows.chosen(same))}
    return [
        row
        for same in of_key.values()
        for row in same
        if row.state.ended and rows.age(row, now) > KEPT and (SMOKE in row.owner or _is_spare(row, counting))
    ]


def _is_spare(row: Row, counting: set[str]) -> bool:
    """Whether a full training's row is one too many; one that succeeded may be what a model came from, and stays."""
    return row.id not in counting and row.state is not State.SUCCEEDED


def sweep(server: Connection, pipeline: str, repository: str, now: float) -> list[str]:
    """Remove the leftovers of a pipeline's runs from the server; their owner keys. Again is a no-op."""
    left = leftovers(starting.listed(server, f"{pipeline}/", repository), now)
    for row in left:
        try:
            server.ask("DELETE", f"/runs/{row.id}")
        except KfpNotThere:
            continue  # somebody was faster
    return [row.owner for row in left]
