"""What the ledger's events add up to: releases, models, promotions, what serves and what is blocked."""

from collections.abc import Set
from enum import StrEnum

import msgspec

from tagline.git import events as ev
from tagline.git.event import Intent
from tagline.words import ModelVersion, Promotion, Release


class Status(StrEnum):
    """Where a promotion stands; everything after `ROLLING` is an end."""

    ASKED = "asked"
    PASSED = "passed the gate"
    ROLLING = "rolling out"
    PROMOTED = "promoted"
    REFUSED = "refused"
    INCONCLUSIVE = "inconclusive"
    ROLLED_BACK = "rolled back"
    FAILED = "failed"
    SUPERSEDED = "superseded"

    @property
    def terminal(self) -> bool:
        return self not in (Status.ASKED, Status.PASSED, Status.ROLLING)


class Asking(msgspec.Struct, frozen=True):
    """A promotion as the ledger tells it: its status, what it resolved to (None: it never did), its end."""

    promotion: Promotion
    status: Status
    asked: ev.Asked | None = None
    gated: ev.Gated | None = None
    why: str = ""


class Place(msgspec.Struct, frozen=True):
    """One model in one environment: what serves, what served well (oldest first), what is blocked and why.

    `adopted` is the number up to which promotions were settled by a person.
    """

    serves: ModelVersion | None = None
    good: tuple[ModelVersion, ...] = ()
    blocks: dict[ModelVersion, ev.Blocked] = {}
    adopted: int = 0


class State(msgspec.Struct, frozen=True):
    """The sum of all events. Keys: pipeline and release; model; promotion; (environment, model).

    `pending` is an intent without an end: whoever writes next completes it.
    """

    releases: dict[tuple[str, Release], ev.Released] = {}
    uploads: dict[tuple[str, Release], ev.Uploaded] = {}
    models: dict[str, tuple[ev.Trained, ...]] = {}
    promotions: dict[Promotion, Asking] = {}
    places: dict[tuple[str, str], Place] = {}
    ignored: Set[str] = frozenset()
    machines: Set[str] = frozenset()
    pending: Intent | None = None

    def place(self, env: str, model: str) -> Place:
        """What is known of a model in an environment; an empty place where nothing ever happened."""
        return self.places.get((env, model), Place())

    def release(self, pipeline: str, release: Release) -> ev.Released | None:
        """The claim of a release, or None."""
        return self.releases.get((pipeline, release))

    def trained_by(self, owner: str) -> tuple[ev.Trained, ...]:
        """The models that the run with this owner key registered."""
        return tuple(one for all_of in self.models.values() for one in all_of if one.owner == owner)

    def versions(self, model: str, release: Release) -> list[ModelVersion]:
        """The registered trainings of a release, oldest first."""
        return sorted(one.version for one in self.models.get(model, ()) if one.version.release == release)

    def trained(self, model: str, version: ModelVersion) -> ev.Trained | None:
        """The registration of a model version, or None."""
        return next((one for one in self.models.get(model, ()) if one.version == version), None)

    def next_version(self, model: str, release: Release) -> ModelVersion:
        """The number that the next registered training of a release gets."""
        have = self.versions(model, release)
        return ModelVersion(release, have[-1].number + 1 if have else 1)

    def newest_model(self, env: str, model: str, release: Release) -> ModelVersion | None:
        """The newest model of a release that is not blocked in the environment, or None."""
        blocks = self.place(env, model).blocks
        free = [version for version in self.versions(model, release) if version not in blocks]
        return free[-1] if free else None

    def rollback_target(self, env: str, model: str) -> ModelVersion | None:
        """The last good unblocked version other than the one that serves, or None."""
        place = self.place(env, model)
        fit = (one for one in reversed(place.good) if one != place.serves and one not in place.blocks)
        return next(fit, None)

    def ended(self, promotion: Promotion) -> bool:
        """Whether a promotion needs nobody to act: it has an end, or a person settled it."""
        if promotion.n <= self.place(promotion.env, promotion.model).adopted:
            return True
        known = self.promotions.get(promotion)
        return known is not None and known.status.terminal

    def last_number(self, env: str, model: str) -> int:
        """The highest promotion number that the ledger knows; 0 where it knows none."""
        numbers = [one.n for one in self.promotions if (one.env, one.model) == (env, model)]
        return max([self.place(env, model).adopted, *numbers])
