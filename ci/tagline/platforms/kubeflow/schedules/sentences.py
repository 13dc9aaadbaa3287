"""Moves of schedules in words, and the next ticks as a person's clock has them."""

from datetime import UTC, datetime
from itertools import islice

from tagline import cron
from tagline.platforms.kubeflow.schedules.moves import Declared, Move

SHOWN = 5


def sentence(move: Move) -> str:
    """A move in words, with its tick and the server's id where it has them."""
    at = f" {datetime.fromtimestamp(move.tick, UTC).isoformat(timespec='minutes')}" if move.tick else ""
    return f"{move.name}: {move.kind}{at}" + (f" ({move.id})" if move.id else "")


def next_ticks(one: Declared, now: float) -> list[str]:
    """The next five ticks after `now` (seconds since 1970), in the schedule's own zone."""
    place = cron.zone(one.zone)
    found = islice(cron.ticks(one.cron, one.zone, now), SHOWN)
    return [datetime.fromtimestamp(tick, place).isoformat(timespec="minutes") for tick in found]
