"""Robfig's first cron, as the server reads it: `sec min hour dom mon [dow]`, in the controller's zone (UTC here)."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

BOUNDS = {
    "second": (0, 59),
    "minute": (0, 59),
    "hour": (0, 23),
    "day": (1, 31),
    "month": (1, 12),
    "dow": (0, 6),
}
MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
MONTHS = {name: number for number, name in enumerate(MONTH_NAMES, 1)}
DAYS = {name: number for number, name in enumerate(["sun", "mon", "tue", "wed", "thu", "fri", "sat"])}
NAMED = {
    "@yearly": "0 0 0 1 1 *",
    "@annually": "0 0 0 1 1 *",
    "@monthly": "0 0 0 1 * *",
    "@weekly": "0 0 0 * * 0",
    "@daily": "0 0 0 * * *",
    "@midnight": "0 0 0 * * *",
    "@hourly": "0 0 * * * *",
}
UNITS = {"h": 3600, "m": 60, "s": 1}
YEARS = 5


class BadCron(ValueError):
    """The library's own words."""


@dataclass(frozen=True)
class Cron:
    """The sets of each field; `every` seconds where it was `@every`."""

    fields: dict[str, frozenset[int]]
    starred: frozenset[str]
    every: int = 0

    def after(self, when: float) -> float | None:
        """The first tick later than `when` (seconds since 1970); None when none comes in five years."""
        if self.every:
            return float(int(when) + self.every)
        moment = datetime.fromtimestamp(int(when) + 1, UTC)
        last = moment.year + YEARS
        while moment.year <= last:
            if moment.month not in self.fields["month"]:
                moment = _next_month(moment)
            elif not self._day(moment):
                moment = moment.replace(hour=0, minute=0, second=0) + timedelta(days=1)
            elif moment.hour not in self.fields["hour"]:
                moment = moment.replace(minute=0, second=0) + timedelta(hours=1)
            elif moment.minute not in self.fields["minute"]:
                moment = moment.replace(second=0) + timedelta(minutes=1)
            elif moment.second not in self.fields["second"]:
                moment += timedelta(seconds=1)
            else:
                return moment.timestamp()
        return None

    def _day(self, moment: datetime) -> bool:
        day = moment.day in self.fields["day"]
        weekday = (moment.weekday() + 1) % 7 in self.fields["dow"]
        return day and weekday if {"day", "dow"} & self.starred else day or weekday


def _next_month(moment: datetime) -> datetime:
    first = moment.replace(day=1, hour=0, minute=0, second=0)
    return (first + timedelta(days=32)).replace(day=1)


def parse(text: str) -> Cron:
    """The schedule, or BadCron in the library's words."""
    if not text:
        raise BadCron("Empty spec string")
    if text.startswith("@"):
        return _descriptor(text)
    words = text.split()
    if not 5 <= len(words) <= 6:
        raise BadCron(f"Expected 5 to 6 fields, found {len(words)}: {text}")
    words += ["*"] * (6 - len(words))
    pairs = list(zip(BOUNDS, words, strict=True))
    fields = {name: _field(name, word) for name, word in pairs}
    return Cron(fields, frozenset(name for name, word in pairs if word[0] in "*?"))


def _descriptor(text: str) -> Cron:
    if text in NAMED:
        return parse(NAMED[text])
    if text.startswith("@every "):
        parts = re.findall(r"(\d+)([hms])", text)
        if parts and "".join(number + unit for number, unit in parts) == text.removeprefix("@every "):
            return Cron({}, frozenset(), max(1, sum(int(number) * UNITS[unit] for number, unit in parts)))
        raise BadCron(f"Failed to parse duration {text}")
    raise BadCron(f"Unrecognized descriptor: {text}")


def _field(name: str, word: str) -> frozenset[int]:
    return frozenset().union(*(_range(name, part) for part in word.split(",") if part))


def _range(name: str, part: str) -> frozenset[int]:
    low, high = BOUNDS[name]
    pieces = part.split("/")
    ends = pieces[0].split("-")
    if len(pieces) > 2:
        raise BadCron(f"Too many slashes: {part}")
    if len(ends) > 2:
        raise BadCron(f"Too many hyphens: {part}")
    starred = ends[0] in ("*", "?")
    start = low if starred else _number(name, ends[0])
    end = high if starred else _number(name, ends[1]) if len(ends) == 2 else start
    if len(pieces) == 2:
        step = _integer(pieces[1])
        end = high if len(ends) == 1 else end
    else:
        step = 1
    if start < low:
        raise BadCron(f"Beginning of range ({start}) below minimum ({low}): {part}")
    if end > high:
        raise BadCron(f"End of range ({end}) above maximum ({high}): {part}")
    if start > end:
        raise BadCron(f"Beginning of range ({start}) beyond end of range ({end}): {part}")
    if step == 0:
        raise BadCron(f"Step of range should be a positive number: {part}")
    return frozenset(range(start, end + 1, step))


def _number(name: str, word: str) -> int:
    names = {"month": MONTHS, "dow": DAYS}.get(name, {})
    return names[word.lower()] if word.lower() in names else _integer(word)


def _integer(word: str) -> int:
    if not re.fullmatch(r"[+-]?\d+", word):
        raise BadCron(f'Failed to parse int from {word}: strconv.Atoi: parsing "{word}": invalid syntax')
    if int(word) < 0:
        raise BadCron(f"Negative number ({word}) not allowed: {word}")
    return int(word)
