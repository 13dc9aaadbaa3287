"""Ordinary five-field cron in a time zone, and the six fields in the controller's zone that the server reads.

The server's are `sec min hour dom mon dow` of robfig/cron's first version: `0 2 * * *` there fires every hour at :02.
Where both days are given, one of them is enough, in both; a step on `*` counts as given in one and not in the other.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from tagline.errors import KfpScheduleRefused

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
FIELDS = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day of the month", 1, 31, ()),
    ("month", 1, 12, MONTHS),
    ("day of the week", 0, 7, DAYS),
)
SHORTEST = 5  # minutes between two ticks
LONGEST_MONTHS = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}
YEARS = 9  # a leap day comes within eight
DAY = 24 * 60


class Cron(msgspec.Struct, frozen=True):
    """The times that an expression means, in its own zone: sets of each field, and whether a day field is `*`."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    any_day: bool
    any_weekday: bool

    @property
    def every_day(self) -> bool:
        return self.any_day and self.any_weekday and len(self.months) == 12

    def fits(self, day: datetime) -> bool:
        """Whether the expression fires on a day."""
        if day.month not in self.months:
            return False
        weekday = (day.weekday() + 1) % 7
        by_day, by_weekday = day.day in self.days, weekday in self.weekdays
        if self.any_day or self.any_weekday:
            return by_day and by_weekday
        return by_day or by_weekday


def parse(text: str) -> Cron:
    """Read `minute hour day month weekday`; raises `KfpScheduleRefused` with the field and the reason."""
    words = text.split()
    if len(words) != len(FIELDS):
        raise _refused(text, f"it has {len(words)} fields, and not five: minute hour day month weekday")
    sets = [_field(text, word, *field) for word, field in zip(words, FIELDS, strict=True)]
    weekdays = tuple(sorted({day % 7 for day in sets[4]}))
    for word, what in ((words[2], "day of the month"), (words[4], "day of the week")):
        other = words[4] if word is words[2] else words[2]
        if word.startswith("*/") and other != "*":
            raise _refused(
                text,
                f"{word} as {what} beside {other}: cron programs do not agree what it means; list the days",
            )
    made = Cron(
        sets[0], sets[1], sets[2], sets[3], weekdays, words[2].startswith("*"), words[4].startswith("*")
    )
    if made.any_weekday and all(min(made.days) > LONGEST_MONTHS.get(month, 31) for month in made.months):
        raise _refused(text, "no month has such a day: it would never fire")
    return made


def _field(text: str, word: str, what: str, low: int, high: int, names: tuple[str, ...]) -> tuple[int, ...]:
    found: set[int] = set()
    for part in word.split(","):
        span, slash, step = part.partition("/")
        if slash and (not step.isdigit() or int(step) == 0):
            raise _refused(text, f"{part!r} is no {what}: a step is a number above 0")
        if span == "*":
            first, last = low, min(high, 6) if names is DAYS else high
        else:
            begin, dash, end = span.partition("-")
            first = _number(text, begin, what, low, high, names)
            last = _number(text, end, what, low, high, names) if dash else (high if slash else first)
        if first > last:
            raise _refused(text, f"{part!r} is no {what}: it ends before it begins")
        found |= set(range(first, last + 1, int(step) if slash else 1))
    return tuple(sorted(found))


def _number(text: str, word: str, what: str, low: int, high: int, names: tuple[str, ...]) -> int:
    if word.lower() in names:
        return names.index(word.lower()) + (1 if names is MONTHS else 0)
    if not word.isdigit() or not low <= int(word) <= high:
        raise _refused(text, f"{word!r} is no {what} ({low} to {high})")
    return int(word)


def _refused(text: str, why: str, fix: str = "five fields, such as 30 2 * * 1-5") -> KfpScheduleRefused:
    return KfpScheduleRefused(f"cron {text!r}: {why}", fix=fix)


def zone(name: str) -> ZoneInfo:
    """A time zone by its name; raises `KfpScheduleRefused` for one that there is not."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # OSError: `Europe` is a folder of zones
        raise KfpScheduleRefused(
            f"no time zone is called {name!r}", fix="time_zone: Europe/Berlin"
        ) from error


def translate(text: str, here: str, there: str) -> str:
    """The server's six fields for `text` in the zone `here`, where its controller runs in the zone `there`.

    Raises `KfpScheduleRefused`: for a zone with summer time other than the controller's, times whose days move
    over midnight, minutes that do not move alike, and ticks less than five minutes apart.
    """
    cron = parse(text)
    _require_apart(text, cron)
    shift = 0 if here == there else _offset(text, there) - _offset(text, here)
    minutes, hours, carry = _shifted(text, cron, shift)
    if carry and not cron.every_day:
        raise _refused(
            text,
            f"in {there}, where the server counts, some of its times are on another day than in {here}, "
            "and it names days",
            f"write it in {there}: time_zone: {there}",
        )
    days = "*" if cron.any_day and len(cron.days) == 31 else _listed(cron.days)
    weekdays = "*" if cron.any_weekday and len(cron.weekdays) == 7 else _listed(cron.weekdays)
    months = "*" if len(cron.months) == 12 else _listed(cron.months)
    whole = "*" if len(hours) == 24 else _listed(hours)
    return f"0 {_listed(minutes)} {whole} {days} {months} {weekdays}"


def _listed(numbers: tuple[int, ...]) -> str:
    return ",".join(map(str, numbers))


def _offset(text: str, name: str) -> int:
    """Minutes ahead of UTC, all the year round; raises `KfpScheduleRefused` where that changes."""
    place, begin = zone(name), datetime.now(UTC)
    found = {place.utcoffset((begin + timedelta(days=7 * week)).replace(tzinfo=None)) for week in range(106)}
    offsets = {int(one.total_seconds() // 60) for one in found if one is not None}
    if len(offsets) != 1:
        raise _refused(
            text,
            f"{name} has summer time, and the server's controller runs in another zone",
            "time_zone: UTC",
        )
    return offsets.pop()


def _shifted(text: str, cron: Cron, shift: int) -> tuple[tuple[int, ...], tuple[int, ...], bool]:
    """Minutes and hours in the other zone, and whether any of the times is on another day there."""
    minutes = sorted({(minute + shift) % 60 for minute in cron.minutes})
    moves = {(minute + shift) // 60 for minute in cron.minutes}
    if len(moves) > 1 and len(cron.hours) != 24:
        raise _refused(
            text, "its minutes do not move to the other zone alike", "one schedule for each of them"
        )
    ahead = moves.pop()
    hours = tuple(sorted({(hour + ahead) % 24 for hour in cron.hours}))
    carry = any(not 0 <= hour * 60 + minute + shift < DAY for hour in cron.hours for minute in cron.minutes)
    return tuple(minutes), hours, carry


def _require_apart(text: str, cron: Cron) -> None:
    times = sorted(hour * 60 + minute for hour in cron.hours for minute in cron.minutes)
    gaps = [later - sooner for sooner, later in zip(times, [*times[1:], times[0] + DAY], strict=True)]
    if min(gaps) < SHORTEST:
        raise _refused(text, f"two of its ticks are {min(gaps)} min apart: at least {SHORTEST} are needed")


def ticks(text: str, here: str, after: float) -> Iterator[float]:
    """The ticks after a time (seconds since 1970), in order, as the person's clock has them.

    A wall time that does not come on a day of change is left out, one that comes twice counts once.
    """
    cron, place = parse(text), zone(here)
    begin = datetime.fromtimestamp(after, place).replace(
        hour=0, minute=0, second=0, microsecond=0, tzinfo=None
    )
    last = after
    for number in range(366 * YEARS):
        day = begin + timedelta(days=number)
        if not cron.fits(day):
            continue
        for hour in cron.hours:
            for minute in cron.minutes:
                wall = day.replace(hour=hour, minute=minute)
                moment = wall.replace(tzinfo=place).timestamp()
                there = datetime.fromtimestamp(moment, place).replace(tzinfo=None) == wall
                if there and moment > last:
                    last = moment
                    yield moment
