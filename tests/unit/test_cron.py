"""Five-field cron in a person's zone, and the same ticks in the server's six fields, or a refusal that says why."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tagline import cron
from tagline.errors import KfpScheduleRefused

from tests.fakes.kfp import cron as servers

BEGIN = datetime(2026, 11, 25, tzinfo=UTC).timestamp()


def of_server(six: str, zone: str, count: int) -> list[float]:
    """The ticks that the server's own reading of six fields gives, its controller in a zone without summer time."""
    parsed, shift = servers.parse(six), ZoneInfo(zone).utcoffset(datetime(2026, 1, 1))
    assert shift is not None
    found, at = [], BEGIN + shift.total_seconds()
    for _ in range(count):
        tick = parsed.after(at)
        if tick is None:
            break
        found.append(tick - shift.total_seconds())
        at = tick
    return found


def numbers(low: int, high: int, most: int) -> st.SearchStrategy[str]:
    listed = st.lists(st.integers(low, high), min_size=1, max_size=most, unique=True)
    return st.one_of(st.just("*"), listed.map(lambda found: ",".join(map(str, sorted(found)))))


MINUTES = st.one_of(st.sampled_from(["*/5", "*/15", "0", "30", "7-59/20"]), numbers(0, 59, 3))
HOURS = st.one_of(st.sampled_from(["*", "*/3", "1-5", "22,23,0"]), numbers(0, 23, 4))
EXPRESSIONS = st.tuples(
    MINUTES, HOURS, numbers(1, 31, 4), numbers(1, 12, 3), st.sampled_from(["*", "1-5", "0", "7", "MON,fri"])
).map(" ".join)
ZONES = ["UTC", "Asia/Tokyo", "Asia/Kolkata", "America/Bogota", "Pacific/Kiritimati"]


@settings(max_examples=400, deadline=None)
@given(EXPRESSIONS, st.sampled_from(ZONES), st.sampled_from(["UTC", "Asia/Tokyo"]))
def test_what_the_server_is_told_fires_when_the_person_meant(text: str, here: str, there: str) -> None:
    try:
        six = cron.translate(text, here, there)
    except KfpScheduleRefused:
        assume(False)
        raise
    meant = list(islice(cron.ticks(text, here, BEGIN), 40))
    assert of_server(six, there, len(meant)) == meant


@given(st.text("0123456789*/,- LW?#abc", max_size=25))
def test_whatever_is_written_is_read_or_refused_by_name(text: str) -> None:
    try:
        made = cron.parse(text)
    except KfpScheduleRefused as refused:
        assert text in refused.what
    else:
        assert made.minutes and made.hours


@pytest.mark.parametrize(
    ("text", "zone", "server", "why"),
    [
        ("0 2 * * *", "Europe/Berlin", "UTC", "summer time"),
        ("0 2 1 * *", "Asia/Tokyo", "UTC", "on another day"),
        ("0 2 * * 1", "Asia/Tokyo", "UTC", "on another day"),
        ("*/2 * * * *", "UTC", "UTC", "2 min apart"),
        ("59,0 * * * *", "UTC", "UTC", "1 min apart"),
        ("0 0 30 2 *", "UTC", "UTC", "it would never fire"),
        ("0 0 31 4,6 *", "UTC", "UTC", "it would never fire"),
        ("0 0 */2 * 1", "UTC", "UTC", "do not agree"),
        ("0 0 * * * *", "UTC", "UTC", "6 fields"),
        ("@daily", "UTC", "UTC", "1 fields"),
        ("0 0 L * *", "UTC", "UTC", "'L' is no day of the month"),
        ("0 25 * * *", "UTC", "UTC", "'25' is no hour"),
        ("10,50 3 * * *", "Asia/Kolkata", "UTC", "do not move to the other zone alike"),
        ("0 2 * * *", "Mars/Olympus", "UTC", "no time zone"),
        ("0 2 * * *", "Europe", "UTC", "no time zone"),
    ],
)
def test_what_cannot_be_said_there_is_refused_with_the_reason(
    text: str, zone: str, server: str, why: str
) -> None:
    with pytest.raises(KfpScheduleRefused) as caught:
        cron.translate(text, zone, server)
    assert why in caught.value.what
    assert caught.value.fix


@pytest.mark.parametrize(
    ("text", "zone", "server", "six"),
    [
        ("0 2 * * *", "UTC", "UTC", "0 0 2 * * *"),
        ("0 2 * * *", "Europe/Berlin", "Europe/Berlin", "0 0 2 * * *"),
        ("30 2 * * 7", "UTC", "UTC", "0 30 2 * * 0"),
        ("0 2 * * *", "Asia/Tokyo", "UTC", "0 0 17 * * *"),
        ("15 12 1 jan *", "Asia/Kolkata", "UTC", "0 45 6 1 1 *"),
    ],
)
def test_the_servers_words(text: str, zone: str, server: str, six: str) -> None:
    assert cron.translate(text, zone, server) == six


def walls(found: Sequence[float], zone: str) -> list[str]:
    return [datetime.fromtimestamp(one, ZoneInfo(zone)).isoformat() for one in found]


def test_the_days_of_change_have_each_wall_time_once_or_not_at_all() -> None:
    spring = datetime(2027, 3, 27, 12, tzinfo=UTC).timestamp()
    found = list(islice(cron.ticks("30 2 * * *", "Europe/Berlin", spring), 2))
    assert walls(found, "Europe/Berlin") == ["2027-03-29T02:30:00+02:00", "2027-03-30T02:30:00+02:00"]
    autumn = datetime(2026, 10, 24, 12, tzinfo=UTC).timestamp()
    found = list(islice(cron.ticks("30 2 * * *", "Europe/Berlin", autumn), 2))
    assert walls(found, "Europe/Berlin") == ["2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"]
