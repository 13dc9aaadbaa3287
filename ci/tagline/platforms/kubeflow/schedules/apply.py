"""Reads our schedules from the server and carries the moves out; safe to stop after any of them."""

import hashlib
import json
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, assert_never

import msgspec

from tagline import cron
from tagline.errors import KfpError, KfpNotThere, KfpUnavailable
from tagline.platforms.kubeflow.runs import keys, starting
from tagline.platforms.kubeflow.runs.caching import sent
from tagline.platforms.kubeflow.schedules import marks, seen
from tagline.platforms.kubeflow.schedules.moves import GOOD_FOR, Declared, Kind, Move, moves
from tagline.platforms.kubeflow.schedules.sentences import next_ticks, sentence
from tagline.platforms.kubeflow.server.connection import Connection
from tagline.platforms.kubeflow.versions.upload import Held, required
from tagline.platforms.schedules import Schedule
from tagline.words import Release

LONGEST_WAIT = 600.0  # seconds that a call waits in all for a time between ticks
ROUNDS = 100  # how often a call looks at the server, at most


class Place(msgspec.Struct, frozen=True):
    """Where schedules run: the repository's mark, the root of artifacts, the controller's zone, as whom there.

    `account` is a ServiceAccount, "" for the server's own choice.
    """

    owner: str
    root: str
    zone: str
    account: str = ""


class Asked(msgspec.Struct):
    """One call: what it was asked for, until when it may wait, and what it has done so far.

    `created` are the ids of what it made, `late` the schedule and tick of each run that stands there of ours, once
    they were asked for.
    """

    look: seen.Wanted
    release: Release
    wanted: Mapping[str, Schedule]
    until: float
    acted: list[Move] = []
    created: set[str] = set()
    late: set[str] | None = None


class KubeflowSchedules:
    """Implements `platforms.Schedules`; `held` finds an uploaded version, `now` is the time in seconds since 1970."""

    def __init__(
        self,
        server: Connection,
        place: Place,
        held: Callable[[str, Release], Held | None],
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._server, self._place, self._held = server, place, held
        self._now, self._sleep = now, sleep

    def plan(
        self,
        pipeline: str,
        release: Release | None,
        wanted: Sequence[Schedule],
        declared: Collection[str] = (),
    ) -> list[str]:
        """What `apply` would do now, a sentence each, with the next ticks; empty where all is as declared."""
        look = seen.Wanted(self._place.owner, pipeline, self._declared(release, wanted), declared)
        made = moves(look.declared, list(seen.found(self._server, look)), self._now())
        said = [sentence(move) for move in made]
        changed = {move.name for move in made}
        return said + [
            f"{one.name} ({one.cron}, {one.zone}): next {', '.join(next_ticks(one, self._now()))}"
            for one in look.declared.values()
            if one.name in changed
        ]

    def apply(
        self, pipeline: str, release: Release, wanted: Sequence[Schedule], declared: Collection[str] = ()
    ) -> list[str]:
        """Make the server's schedules those that are declared, of this release; what was done, a sentence each.

        Moves are good for a moment alone: after it, after a wait, and where something was made or is gone, the server
        is looked at again, as a tick may have come, or another call, or a person.
        """
        look = seen.Wanted(self._place.owner, pipeline, self._declared(release, wanted), declared)
        asked = Asked(look, release, {one.name: one for one in wanted}, self._now() + LONGEST_WAIT)
        for _ in range(ROUNDS):
            planned = self._now()
            found = list(seen.found(self._server, look))
            if self._carried_out(asked, moves(look.declared, found, planned), planned):
                return [sentence(move) for move in asked.acted]
        raise KfpUnavailable(
            f"the schedules of {pipeline} keep changing while they are moved",
            where=self._server.url,
            fix="run it again",
        )

    def _carried_out(self, asked: Asked, made: Sequence[Move], planned: float) -> bool:
        """Carry moves out, the first wait last; False where the rest of them must be planned anew."""
        for move in sorted(made, key=lambda one: one.tick if one.kind is Kind.WAIT else 0.0):
            if move in asked.acted and move.kind is Kind.LATE:
                continue
            if move.kind is not Kind.LATE and self._now() > planned + GOOD_FOR:
                return False
            mine = move.kind is Kind.ENABLE and move.id in asked.created
            asked.acted.append(msgspec.structs.replace(move, id="") if mine else move)
            if not self._act(move, asked):
                return False
        return True

    def _act(self, move: Move, asked: Asked) -> bool:
        """Carry one move out; whether what was planned after it still holds."""
        match move.kind:
            case Kind.CREATE:
                asked.created.add(self._create(asked, asked.wanted[move.name]))
                return False  # another call may have made one as well: both then choose the same
            case Kind.ENABLE:
                return self._ask_if_there("POST", f"/recurringruns/{move.id}:enable")
            case Kind.DISABLE:
                self._ask_if_there("POST", f"/recurringruns/{move.id}:disable")
            case Kind.DELETE:
                self._ask_if_there("DELETE", f"/recurringruns/{move.id}")
            case Kind.LATE:
                self._start_late(asked, asked.wanted[move.name], move.tick)
            case Kind.WAIT:
                return self._waited(move.tick, asked.until)
            case _:
                assert_never(move.kind)
        return True

    def _waited(self, end: float, until: float) -> bool:
        """Wait for a time between ticks; True, having waited for nothing, where that takes too long."""
        if end > until:
            return True
        self._sleep(max(0.0, end - self._now()))
        return False

    def _ask_if_there(self, method: str, path: str) -> bool:
        """Ask for a change of one; False where somebody has removed it."""
        try:
            self._server.ask(method, path)
        except KfpNotThere:
            return False
        return True

    def _declared(self, release: Release | None, wanted: Sequence[Schedule]) -> dict[str, Declared]:
        made = {}
        for one in wanted:
            said = [self._six(one), str(release or ""), dict(one.parameters), one.concurrency, one.cache]
            said += [one.cron, one.time_zone, self._place.root, self._place.account]
            text = json.dumps(said, sort_keys=True)
            digest = hashlib.sha256(text.encode()).hexdigest()[:16]
            made[one.name] = Declared(one.name, digest, one.cron, one.time_zone)
        return made

    def _six(self, one: Schedule) -> str:
        return cron.translate(one.cron, one.time_zone, self._place.zone)

    def _create(self, asked: Asked, wanted: Schedule) -> str:
        """Make one, disabled; after a doubt it is looked for, so that there is one of it or a next call removes it."""
        pipeline, release, digest = (
            asked.look.pipeline,
            asked.release,
            asked.look.declared[wanted.name].digest,
        )
        mark = marks.Mark(pipeline, wanted.name, digest, wanted.cron, wanted.time_zone, self._place.owner)
        body = {
            "display_name": mark.called(str(release)),
            "description": mark.description(),
            "experiment_id": starting.experiment(self._server),
            "runtime_config": {
                "parameters": dict(wanted.parameters),
                "pipeline_root": keys.root_of(self._place.root, owner_of(pipeline, release, wanted.name)),
            },
            "trigger": {"cron_schedule": {"cron": self._six(wanted)}},
            "mode": "DISABLE",
            "max_concurrency": str(wanted.concurrency),
            "no_catchup": True,
            **self._what(pipeline, release, wanted),
        }
        if self._place.account:
            body["service_account"] = self._place.account
        try:
            return str(self._server.ask("POST", "/recurringruns", body=body)["recurring_run_id"])
        except KfpError as error:
            if not error.maybe_done:
                raise
            known = seen.found(self._server, asked.look)
            made = [one.id for one in known if one.digest == digest and not one.enabled]
            if not made:
                raise
            return made[0]

    def _what(self, pipeline: str, release: Release, wanted: Schedule) -> dict[str, Any]:
        """What it runs: the pinned version, or its pipeline with the cache off where the version has it on."""
        held = required(self._held(pipeline, release), self._server, pipeline, release)
        return sent(held.content, held.reference, cache=wanted.cache)

    def _start_late(self, asked: Asked, wanted: Schedule, tick: float) -> None:
        """Start a missed tick's run, of this release: a tick has one, whatever release it was started for."""
        owner = owner_of(asked.look.pipeline, asked.release, wanted.name, tick)
        if asked.late is None:
            ours = starting.listed(self._server, f"{asked.look.pipeline}/", self._place.owner)
            asked.late = {_tick_of(row.owner) for row in ours}
        if _tick_of(owner) in asked.late:
            return
        what = self._what(asked.look.pipeline, asked.release, wanted)
        starting.start(
            self._server,
            starting.Wanted(
                owner=owner,
                repository=self._place.owner,
                root=keys.root_of(self._place.root, owner),
                parameters=wanted.parameters,
                version=what.get("pipeline_version_reference"),
                spec=what.get("pipeline_spec"),
                service_account=self._place.account,
            ),
        )


def _tick_of(owner: str) -> str:
    """The schedule and tick of an owner key, without the release."""
    return owner.rpartition("/full/")[2]


def owner_of(pipeline: str, release: Release, schedule: str, tick: float | None = None) -> str:
    """The owner key of a schedule's runs, and of the one for a tick."""
    at = "" if tick is None else f"-{datetime.fromtimestamp(tick, UTC).strftime(starting.STAMP)}"
    return f"{pipeline}/{release}/full/s-{schedule}{at}"
