"""Moves between schedules: after the next call each tick has exactly one run, whatever was killed in between."""

import random
from collections import Counter
from dataclasses import dataclass, field

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tagline import cron
from tagline.platforms.kubeflow.schedules.moves import QUIET, Declared, Found, Kind, Move, between, moves

BEGIN = 1_800_000_000.0
TEN = "*/10 * * * *"


@dataclass
class Server:
    """The real one's habits: switched on after a tick has passed it starts the latest missed one at once."""

    now: float = BEGIN
    jobs: dict[str, Found] = field(default_factory=dict)
    last: dict[str, float] = field(default_factory=dict)
    runs: list[tuple[str, float]] = field(default_factory=list)
    late: set[float] = field(default_factory=set)
    made: int = 0
    switched: list[tuple[float, str]] = field(default_factory=list)

    def fire(self) -> None:
        for one in list(self.jobs.values()):
            due = between(one, self.last.get(one.id, one.created_at), self.now)
            if one.enabled and due:
                self.runs.append((one.name, due[-1]))
                self.last[one.id] = due[-1]
                self.jobs[one.id] = msgspec.structs.replace(one, changed_at=self.now)

    def advance(self, seconds: float) -> None:
        goal = self.now + seconds
        coming = sorted(
            {tick for one in self.jobs.values() if one.enabled for tick in between(one, self.now, goal)}
        )
        for tick in coming:
            self.now = tick
            self.fire()
        self.now = goal

    def act(self, move: Move, wanted: dict[str, Declared], made: dict[str, str]) -> None:
        match move.kind:
            case Kind.CREATE:
                self.made += 1
                one = wanted[move.name]
                made[move.name] = f"job-{self.made}"
                self.jobs[made[move.name]] = Found(
                    made[move.name], one.name, one.digest, False, self.now, self.now, one.cron, one.zone
                )
            case Kind.ENABLE | Kind.DISABLE:
                job = self.jobs[move.id or made[move.name]]
                self.switched.append((self.now, job.cron))
                self.jobs[job.id] = msgspec.structs.replace(
                    job, enabled=move.kind is Kind.ENABLE, changed_at=self.now
                )
                self.fire()
            case Kind.DELETE:
                del self.jobs[move.id]
            case Kind.LATE:
                if move.tick not in self.late:  # its key is looked for first
                    self.late.add(move.tick)
                    self.runs.append((move.name, move.tick))
            case Kind.WAIT:
                pass  # a call that does not wait: a later one does what is left

    def call(self, wanted: dict[str, Declared], stop: int | None = None) -> bool:
        """One call of tagline, cut after `stop` moves; whether it came to its end."""
        made: dict[str, str] = {}
        todo = moves(wanted, list(self.jobs.values()), self.now)
        for move in todo[:stop]:
            self.act(move, wanted, made)
        return stop is None or stop >= len(todo)

    def settle(self, wanted: dict[str, Declared]) -> None:
        """Calls until nothing is to be done, away from every tick."""
        self.advance(2 * QUIET)
        for _ in range(3):
            self.call(wanted)
            self.advance(2 * QUIET + 1)


def declared(digest: int, text: str = TEN) -> dict[str, Declared]:
    return {"nightly": Declared("nightly", f"{digest:016x}", text, "UTC")}


def begun() -> Server:
    server = Server(BEGIN + 200)
    assert server.call(declared(0))
    return server


STEPS = st.lists(
    st.tuples(st.integers(1, 3000), st.integers(0, 4), st.one_of(st.none(), st.integers(0, 5))),
    min_size=1,
    max_size=60,
)


@settings(max_examples=250, deadline=None)
@given(STEPS)
def test_every_tick_has_exactly_one_run_after_the_next_call(steps: list[tuple[int, int, int | None]]) -> None:
    server = begun()
    since = server.now
    version = 0
    for seconds, step, stop in steps:
        server.advance(float(seconds))
        version += step
        server.call(declared(version), stop)
    server.settle(declared(version))
    meant = list(between(declared(version)["nightly"], since, server.now))
    found = Counter(tick for _, tick in server.runs)
    assert {tick: found[tick] for tick in meant} == dict.fromkeys(meant, 1)
    assert set(found) <= set(meant)
    (left,) = server.jobs.values()
    assert left.enabled and left.digest == f"{version:016x}"


def test_ten_thousand_ticks_with_moves_and_kills_have_a_run_each() -> None:
    chance, server, version = random.Random(7), begun(), 0
    since, ticks = server.now, 0
    while ticks < 10_000:
        server.advance(chance.uniform(30, 20_000))
        version += chance.random() < 0.5
        server.call(declared(version), None if chance.random() < 0.6 else chance.randrange(5))
        ticks = len(server.runs)
    server.settle(declared(version))
    meant = list(between(declared(version)["nightly"], since, server.now))
    found = Counter(tick for _, tick in server.runs)
    assert [tick for tick in meant if found[tick] != 1] == []
    assert len(meant) >= 10_000


def test_nothing_is_switched_within_a_minute_of_a_tick() -> None:
    chance, server = random.Random(11), begun()
    server.switched.clear()
    for version in range(1, 401):
        server.advance(chance.uniform(1, 1500))
        server.call(declared(version))
    assert len(server.switched) > 300
    for at, text in server.switched:
        assert list(between(Declared("x", "", text, "UTC"), at - 60.0, at + 60.0)) == []


def test_another_rhythm_waits_for_the_old_ones_ticks_too() -> None:
    server = Server(BEGIN + 200)
    server.call(declared(1, "0 * * * *"))
    (old,) = server.jobs.values()
    tick = between(old, server.now, server.now + 4000)[0]
    server.now = tick - 30
    assert moves(declared(2, "30 * * * *"), [old], server.now) == [
        Move(Kind.WAIT, "nightly", tick=tick + 60.0)
    ]
    assert [one.kind for one in moves(declared(2, "30 * * * *"), [old], tick + 90)] == [
        Kind.CREATE,
        Kind.DISABLE,
        Kind.ENABLE,
        Kind.DELETE,
    ]


def test_what_is_no_longer_declared_is_removed_but_not_while_a_run_of_it_goes_on() -> None:
    (one,) = begun().jobs.values()
    assert [move.kind for move in moves({}, [one], BEGIN + 500)] == [Kind.DISABLE, Kind.DELETE]
    busy = msgspec.structs.replace(one, enabled=False, busy=True)
    assert moves({}, [busy], BEGIN + 500) == []
    assert [move.kind for move in moves({}, [msgspec.structs.replace(busy, busy=False)], BEGIN + 500)] == [
        Kind.DELETE
    ]


def test_what_is_no_longer_declared_is_only_switched_off_near_its_tick() -> None:
    """Between the look at its runs and its removal it could begin one, which the cluster would end with it."""
    (one,) = begun().jobs.values()
    tick = between(one, BEGIN + 500, BEGIN + 5000)[0]
    for now in (tick - 30, tick + 30):
        assert [move.kind for move in moves({}, [one], now)] == [Kind.DISABLE]
    off = msgspec.structs.replace(one, enabled=False)
    assert [move.kind for move in moves({}, [off], tick + 31)] == [Kind.DELETE]
    just_now = msgspec.structs.replace(off, changed_at=tick + 30)
    assert moves({}, [just_now], tick + 31) == []


def test_one_that_a_changing_list_gives_twice_is_one() -> None:
    (one,) = begun().jobs.values()
    assert moves(declared(0), [one, one], BEGIN + 200) == []


def test_of_two_that_are_off_the_one_that_would_fire_by_itself_is_not_switched_on() -> None:
    (one,) = begun().jobs.values()
    stale = msgspec.structs.replace(one, id="stale", enabled=False)
    fresh = msgspec.structs.replace(stale, id="fresh", created_at=BEGIN + 1000, changed_at=BEGIN + 1000)
    made = moves(declared(0), [stale, fresh], BEGIN + 1000)
    assert [(move.kind, move.id) for move in made if move.kind is not Kind.LATE] == [
        (Kind.ENABLE, "fresh"),
        (Kind.DELETE, "stale"),
    ]


def test_what_is_as_declared_is_left_alone() -> None:
    server = begun()
    assert moves(declared(0), list(server.jobs.values()), server.now + 7777) == []


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_ticks_rise_through_the_years_in_zones_with_summer_time(zone: str) -> None:
    found = [tick for _, tick in zip(range(4000), cron.ticks("15 1-3 * * *", zone, BEGIN), strict=False)]
    assert found == sorted(set(found))
