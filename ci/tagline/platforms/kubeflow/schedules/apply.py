"""Reads our schedules from the server and carries the moves out; safe to stop after any of them."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, assert_never

import msgspec

from tagline import cron
from tagline.errors import KfpError, KfpNotThere
from tagline.platforms.kubeflow.runs import keys, rows, starting
from tagline.platforms.kubeflow.runs.caching import sent
from tagline.platforms.kubeflow.schedules import marks
from tagline.platforms.kubeflow.schedules.moves import Declared, Found, Kind, Move, moves
from tagline.platforms.kubeflow.server.connection import EQUALS, Connection, predicate
from tagline.platforms.kubeflow.versions.upload import Held, required
from tagline.platforms.schedules import Schedule
from tagline.words import Release

SHOWN = 5


class Place(msgspec.Struct, frozen=True):
    """Where schedules run: the repository's mark, the root of artifacts, the controller's zone, as whom there.

    `account` is a ServiceAccount, "" for the server's own choice.
    """

    owner: str
    root: str
    zone: str
    account: str = ""


class KubeflowSchedules:
    """Implements `platforms.Schedules`; `held` finds an uploaded version, `now` is the time in seconds since 1970."""

    def __init__(
        self,
        server: Connection,
        place: Place,
        held: Callable[[str, Release], Held | None],
        now: Callable[[], float] = time.time,
    ) -> None:
        self._server, self._place, self._held, self._now = server, place, held, now

    def plan(self, pipeline: str, release: Release | None, wanted: Sequence[Schedule]) -> list[str]:
        """What `apply` would do now, a sentence each, with the next ticks; empty where all is as declared."""
        declared = self._declared(pipeline, release, wanted)
        found = list(self._found(pipeline, declared))
        made = moves(declared, found, self._now())
        said = [_sentence(move) for move in made]
        changed = {move.name for move in made}
        return said + [
            f"{one.name} ({one.cron}, {one.zone}): next {', '.join(_next(one, self._now()))}"
            for one in declared.values()
            if one.name in changed
        ]

    def apply(self, pipeline: str, release: Release, wanted: Sequence[Schedule]) -> list[str]:
        """Make the server's schedules those that are declared, of this release; what was done, a sentence each."""
        declared = self._declared(pipeline, release, wanted)
        by_name = {one.name: one for one in wanted}
        made = moves(declared, list(self._found(pipeline, declared)), self._now())
        created: dict[str, str] = {}
        for move in made:
            self._act(move, pipeline, release, by_name.get(move.name), declared.get(move.name), created)
        return [_sentence(move) for move in made]

    def _act(
        self,
        move: Move,
        pipeline: str,
        release: Release,
        wanted: Schedule | None,
        declared: Declared | None,
        created: dict[str, str],
    ) -> None:
        match move.kind:
            case Kind.CREATE:
                assert wanted and declared
                created[move.name] = self._create(pipeline, release, wanted, declared)
            case Kind.ENABLE:
                self._server.ask("POST", f"/recurringruns/{move.id or created[move.name]}:enable")
            case Kind.DISABLE:
                self._ask_if_there("POST", f"/recurringruns/{move.id}:disable")
            case Kind.DELETE:
                self._ask_if_there("DELETE", f"/recurringruns/{move.id}")
            case Kind.LATE:
                assert wanted
                self._start_late(pipeline, release, wanted, move.tick)
            case _:
                assert_never(move.kind)

    def _ask_if_there(self, method: str, path: str) -> None:
        try:
            self._server.ask(method, path)
        except KfpNotThere:
            return  # somebody removed it: that is what was wanted

    def _declared(
        self, pipeline: str, release: Release | None, wanted: Sequence[Schedule]
    ) -> dict[str, Declared]:
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

    def _found(self, pipeline: str, declared: Mapping[str, Declared]) -> Iterator[Found]:
        """Our schedules of a pipeline on the server; what lacks our mark is not looked at.

        Whether a run goes on is asked only of one that is to be removed.
        """
        keep = {one.digest for one in declared.values()}
        for mark, one in marks.listed(self._server, pipeline, self._place.owner):
            enabled = str(one.get("status") or one.get("mode", "")) in ("ENABLED", "ENABLE")
            job = str(one["recurring_run_id"])
            ends = not enabled or mark.digest not in keep
            yield Found(
                id=job,
                name=mark.name,
                digest=mark.digest,
                enabled=enabled,
                created_at=rows.moment(str(one.get("created_at", ""))),
                changed_at=rows.moment(str(one.get("updated_at") or one.get("created_at", ""))),
                cron=mark.cron,
                zone=mark.zone,
                busy=ends and self._busy(job),
            )

    def _busy(self, job: str) -> bool:
        """Whether a run of a schedule goes on."""
        of_it = predicate("recurring_run_id", EQUALS, job)
        query = {"namespace": self._server.scope, "filter": of_it}
        found = self._server.pages("/runs", "runs", query)
        return any(not rows.read(one, "").state.ended for one in found)

    def _create(self, pipeline: str, release: Release, wanted: Schedule, declared: Declared) -> str:
        """Make one, disabled; after a doubt it is looked for, so that there is one of it or a next call removes it."""
        mark = marks.Mark(
            pipeline, wanted.name, declared.digest, wanted.cron, wanted.time_zone, self._place.owner
        )
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
            known = self._found(pipeline, {wanted.name: declared})
            made = [one.id for one in known if one.digest == declared.digest and not one.enabled]
            if not made:
                raise
            return made[0]

    def _what(self, pipeline: str, release: Release, wanted: Schedule) -> dict[str, Any]:
        """What it runs: the pinned version, or its pipeline with the cache off where the version has it on."""
        held = required(self._held(pipeline, release), self._server, pipeline, release)
        return sent(held.content, held.reference, cache=wanted.cache)

    def _start_late(self, pipeline: str, release: Release, wanted: Schedule, tick: float) -> None:
        owner = owner_of(pipeline, release, wanted.name, tick)
        what = self._what(pipeline, release, wanted)
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


def owner_of(pipeline: str, release: Release, schedule: str, tick: float | None = None) -> str:
    """The owner key of a schedule's runs, and of the one for a tick."""
    at = "" if tick is None else f"-{datetime.fromtimestamp(tick, UTC).strftime(starting.STAMP)}"
    return f"{pipeline}/{release}/full/s-{schedule}{at}"


def _sentence(move: Move) -> str:
    at = f" {datetime.fromtimestamp(move.tick, UTC).isoformat(timespec='minutes')}" if move.tick else ""
    return f"{move.name}: {move.kind}{at}" + (f" ({move.id})" if move.id else "")


def _next(one: Declared, now: float) -> list[str]:
    """The next five ticks, as the person's clock has them."""
    place = cron.zone(one.zone)
    found = islice(cron.ticks(one.cron, one.zone, now), SHOWN)
    return [datetime.fromtimestamp(tick, place).isoformat(timespec="minutes") for tick in found]
