"""The fold of the ledger: one rule for each event, and what contradicts what came before."""

from collections.abc import Iterable
from typing import TypeVar, assert_never

import msgspec

from tagline.git import events as ev
from tagline.git.event import Done, Intent
from tagline.git.events import AnyEvent, PromotionEvent
from tagline.git.state import Asking, Place, State, Status
from tagline.words import ModelVersion

_K = TypeVar("_K")
_E = TypeVar("_E")
_VERDICTS = {
    ev.Verdict.PASSED: Status.PASSED,
    ev.Verdict.OVERRIDDEN: Status.PASSED,
    ev.Verdict.REFUSED: Status.REFUSED,
    ev.Verdict.INCONCLUSIVE: Status.INCONCLUSIVE,
}


class Contradiction(ValueError):
    """An event that cannot follow those before it; `index` is its place, counted from 0."""

    def __init__(self, index: int, why: str) -> None:
        super().__init__(why)
        self.index = index


def fold(events: Iterable[AnyEvent]) -> State:
    """The state after these events, oldest first; raises `Contradiction` at the first that cannot be."""
    building = _Fold(State())
    for index, event in enumerate(events):
        why = building.add(event)
        if why:
            raise Contradiction(index, f"{event.sentence()}, but {why}")
    return building.state()


def after(state: State, event: AnyEvent) -> State:
    """The state after one more event; raises `Contradiction`. For a whole ledger `fold` is faster."""
    building = _Fold(state)
    why = building.add(event)
    if why:
        raise Contradiction(0, f"{event.sentence()}, but {why}")
    return building.state()


class _Fold:
    """The state while it is being added up; every rule answers "" or why the event cannot be."""

    def __init__(self, state: State) -> None:
        self._releases = dict(state.releases)
        self._uploads = dict(state.uploads)
        self._models = {model: {one.version: one for one in all_of} for model, all_of in state.models.items()}
        self._promotions = dict(state.promotions)
        self._places = dict(state.places)
        self._ignored = set(state.ignored)
        self._machines = set(state.machines)
        self._pending = state.pending

    def state(self) -> State:
        return State(
            releases=self._releases,
            uploads=self._uploads,
            models={model: tuple(versions.values()) for model, versions in self._models.items()},
            promotions=self._promotions,
            places=self._places,
            ignored=frozenset(self._ignored),
            machines=frozenset(self._machines),
            pending=self._pending,
        )

    def add(self, event: AnyEvent) -> str:
        if event.machine:
            self._machines.add(event.machine)
        if self._pending and event.run != self._pending.run:
            return f"{self._pending.actor or 'somebody'} {self._pending.sentence()}, which comes first"
        match event:
            case Intent():
                return self._begin(event)
            case Done():
                return self._finish(event)
            case ev.Released():
                return _first(self._releases, event.key, event, "released")
            case ev.Uploaded():
                return _first(self._uploads, event.key, event, "uploaded")
            case ev.Trained():
                have = self._models.setdefault(event.model, {})
                return _first(have, event.version, event, "registered")
            case ev.Blocked() | ev.Unblocked() | ev.Adopted():
                return self._said(event)
            case _:
                return self._promotion(event)

    def _begin(self, event: Intent) -> str:
        if self._pending:
            return "something is begun already"
        self._pending = event
        return ""

    def _finish(self, event: Done) -> str:
        if self._pending is None:
            return "nothing was begun"
        self._pending = None
        return ""

    def _said(self, event: ev.Blocked | ev.Unblocked | ev.Adopted) -> str:
        """What a person says of a place always holds."""
        place = self._at(event)
        match event:
            case ev.Blocked():
                self._place(event, blocks=place.blocks | {event.version: event})
            case ev.Unblocked():
                self._place(event, blocks={k: v for k, v in place.blocks.items() if k != event.version})
            case ev.Adopted():
                serves = ModelVersion.parse(event.serves) if event.serves else None
                good = _last(place.good, serves) if serves else place.good
                self._ignored.update(event.ignored)
                self._place(event, serves=serves, good=good, adopted=max(place.adopted, event.n))
            case _:
                assert_never(event)
        return ""

    def _promotion(self, event: PromotionEvent) -> str:
        known = self._promotions.get(event.promotion)
        over = self._over(event, known)
        if over:
            return over
        match event:
            case ev.Asked():
                return self._ask(event, known)
            case ev.Failed() | ev.Superseded():
                return self._end(event, known, *_stopped(event))
            case ev.RolledBack():
                return self._roll_back(event, known)
            case ev.Gated() | ev.WeightMoved() | ev.Promoted() | ev.Inconclusive():
                return self._go_on(event, known) if known else f"{event.promotion} was never asked"
            case _:
                assert_never(event)

    def _over(self, event: PromotionEvent, known: Asking | None) -> str:
        if known and known.status.terminal:
            return f"{event.promotion} had ended already ({known.status})"
        if event.n <= self._at(event).adopted:
            return f"{event.promotion} was settled when its numbers were adopted"
        return ""

    def _ask(self, event: ev.Asked, known: Asking | None) -> str:
        if known:
            return f"{event.promotion} was asked before"
        self._promotions[event.promotion] = Asking(event.promotion, Status.ASKED, event)
        return ""

    def _go_on(self, event: ev.Gated | ev.WeightMoved | ev.Promoted | ev.Inconclusive, known: Asking) -> str:
        match event:
            case ev.Gated():
                changed = msgspec.structs.replace(known, gated=event)
                self._promotions[event.promotion] = changed
                return self._end(event, changed, _VERDICTS[event.verdict], event.why)
            case ev.Inconclusive():
                return self._end(event, known, Status.INCONCLUSIVE, event.why)
            case ev.WeightMoved():
                return self._passed(known) or self._end(event, known, Status.ROLLING, "")
            case ev.Promoted():
                return self._passed(known) or self._serve(event, known)
            case _:
                assert_never(event)

    def _passed(self, known: Asking) -> str:
        return "" if known.gated else f"{known.promotion} had not passed the gate"

    def _end(self, event: PromotionEvent, known: Asking | None, status: Status, why: str) -> str:
        before = known or Asking(event.promotion, Status.ASKED)
        self._promotions[event.promotion] = msgspec.structs.replace(before, status=status, why=why)
        return ""

    def _serve(self, event: ev.Promoted, known: Asking) -> str:
        version = ModelVersion.parse(event.model_version)
        if known.asked and known.asked.model_version != event.model_version:
            return f"{event.promotion} asked for {known.asked.model_version}"
        if version in self._at(event).blocks:
            return f"{version} is blocked there"
        self._place(event, serves=version, good=_last(self._at(event).good, version))
        return self._end(event, known, Status.PROMOTED, "")

    def _roll_back(self, event: ev.RolledBack, known: Asking | None) -> str:
        """The canary ends the promotion it rode on; a person's rollback is a promotion of its own."""
        if event.by is ev.By.CANARY and known is None:
            return f"{event.promotion} was never asked"
        taken = ModelVersion.parse(event.taken_back)
        to = ModelVersion.parse(event.to) if event.to else None
        place = self._at(event)
        good = tuple(one for one in place.good if one != taken)
        block = ev.Blocked(
            run=event.run,
            actor=event.actor,
            at=event.at,
            env=event.env,
            model=event.model,
            model_version=event.taken_back,
            by="the canary" if event.by is ev.By.CANARY else event.actor or event.by,
            why=event.why,
        )
        self._place(
            event, serves=to, good=_last(good, to) if to else good, blocks=place.blocks | {taken: block}
        )
        return self._end(event, known, Status.ROLLED_BACK, event.why)

    def _at(self, event: ev.OfPlace) -> Place:
        return self._places.get((event.env, event.model), Place())

    def _place(self, event: ev.OfPlace, **changes: object) -> None:
        self._places[event.env, event.model] = msgspec.structs.replace(self._at(event), **changes)


def _stopped(event: ev.Failed | ev.Superseded) -> tuple[Status, str]:
    if isinstance(event, ev.Failed):
        return Status.FAILED, event.why
    return Status.SUPERSEDED, f"number {event.by} took its place"


def _first(known: dict[_K, _E], key: _K, event: _E, what: str) -> str:
    if key in known:
        return f"it was {what} before"
    known[key] = event
    return ""


def _last(good: tuple[ModelVersion, ...], version: ModelVersion) -> tuple[ModelVersion, ...]:
    return (*(one for one in good if one != version), version)
