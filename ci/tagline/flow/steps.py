"""The steps that a plan speaks of, each one thing to do with the reason for it."""

import msgspec

from tagline.git.occasion import Event
from tagline.words import Promotion, Release


class Step(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """One thing to do, and the reason for it."""

    reason: str


class Check(Step, frozen=True, tag=True):
    """The repository's own checks at HEAD; `smoke` adds smoke training, `image` the image, which goes nowhere.

    Of several pipelines `smokes` names those that are trained.
    """

    smoke: bool
    image: bool = False
    smokes: tuple[str, ...] = ()


class OfRelease(Step, frozen=True, tag=True, kw_only=True):
    """A step about one release; `pipeline` is "" where the repository holds but one."""

    release: Release
    pipeline: str = ""

    @property
    def named(self) -> str:
        """The release as a plan names it: `1.4.0`, of several pipelines `fraud@1.4.0`."""
        return f"{self.pipeline}@{self.release}" if self.pipeline else str(self.release)


class Smoke(OfRelease, frozen=True, tag=True):
    """The first half of a release that does not exist yet: environment, compile, smoke training.

    No version is taken yet: `release` is what the other half will ask for.
    """


class MakeRelease(OfRelease, frozen=True, tag=True):
    """The other half, on this agent or another: claim and upload of what passed its smoke training.

    Of several pipelines all are claimed in one push, before the first is uploaded.
    """


class FinishRelease(OfRelease, frozen=True, tag=True):
    """A release that was claimed, and whose upload is missing."""


class Train(OfRelease, frozen=True, tag=True):
    """The full training of a release."""


class GoOnTraining(OfRelease, frozen=True, tag=True):
    """A full training whose process vanished: it goes on under the same owner key."""


class Schedule(OfRelease, frozen=True, tag=True):
    """The schedules of a release on its platform: those that are declared, and no other of ours."""


class Register(Step, frozen=True, tag=True):
    """Join finished runs with their releases: each becomes a model version."""


class Promote(Step, frozen=True, tag=True):
    """Act on a promotion: resolve, gate, roll out."""

    promotion: Promotion


class CheckTag(Step, frozen=True, tag=True):
    """A promotion tag on a CI host: is it one to act on."""

    promotion: Promotion


class Wake(Step, frozen=True, tag=True):
    """Wake a run of the default branch: the tag's own job runs the tagged commit's CI file, so it may not act."""

    promotion: Promotion


class FinishRollback(Step, frozen=True, tag=True):
    """A rollback that was begun on this platform and is not in the ledger."""

    env: str
    model: str


class Nothing(Step, frozen=True, tag=True):
    """Nothing to do, and why."""


AnyStep = (
    Check
    | Smoke
    | MakeRelease
    | FinishRelease
    | Train
    | GoOnTraining
    | Schedule
    | Register
    | FinishRollback
    | CheckTag
    | Wake
    | Promote
    | Nothing
)


class Plan(msgspec.Struct, frozen=True):
    """The steps of one call, in order."""

    event: Event
    ref: str
    steps: list[AnyStep]
