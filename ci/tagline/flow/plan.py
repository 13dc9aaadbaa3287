"""From what is known to what will be done: a pure function, and the steps it speaks of."""

import msgspec

from tagline.git.occasion import Event
from tagline.words import Promotion, Release


class Step(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """One thing to do, and the reason for it."""

    reason: str


class Check(Step, frozen=True, tag=True):
    """The repository's own checks at HEAD; `smoke` adds smoke training, `image` the image, which goes nowhere."""

    smoke: bool
    image: bool = False


class MakeRelease(Step, frozen=True, tag=True):
    """A release that does not exist yet: environment, compile, smoke training, claim, upload."""

    release: Release


class FinishRelease(Step, frozen=True, tag=True):
    """A release that was claimed, and whose upload is missing."""

    release: Release


class Train(Step, frozen=True, tag=True):
    """The full training of a release."""

    release: Release


class Register(Step, frozen=True, tag=True):
    """Join finished runs with their releases: each becomes a model version."""


class Promote(Step, frozen=True, tag=True):
    """Act on a promotion: resolve, gate, roll out."""

    promotion: Promotion


class FinishRollback(Step, frozen=True, tag=True):
    """A rollback that was begun on this platform and is not in the ledger."""

    env: str
    model: str


class Nothing(Step, frozen=True, tag=True):
    """Nothing to do, and why."""


AnyStep = Check | MakeRelease | FinishRelease | Train | Register | FinishRollback | Promote | Nothing


class Plan(msgspec.Struct, frozen=True):
    """The steps of one call, in order."""

    event: Event
    ref: str
    steps: list[AnyStep]


class Known(msgspec.Struct, frozen=True):
    """What a plan is made from.

    `next_release` is the version that HEAD would get, None with `next_reason` where there is none to make.
    `claimed` is the release that HEAD already has; `uploaded` and `trained` say how far it came.
    `rolled_back` names the (environment, model) pairs with a rollback that never reached the ledger.
    `promotion` is the tag event's; `open_promotions` are the newest of each (environment, model) without an
    end, `unfinished` the releases that were claimed and not uploaded.
    """

    event: Event
    ref: str
    smoke_on_pr: bool = False
    train_on_release: bool = True
    next_release: Release | None = None
    next_reason: str = ""
    claimed: Release | None = None
    uploaded: bool = False
    trained: bool = False
    promotion: Promotion | None = None
    open_promotions: list[Promotion] = []
    rolled_back: list[tuple[str, str]] = []
    unfinished: list[Release] = []
    unregistered: int = 0


def plan(known: Known) -> Plan:
    """The steps for what is known; never empty: a plan that does nothing says why."""
    steps: list[AnyStep]
    match known.event:
        case Event.PR:
            steps = [Check(smoke=known.smoke_on_pr, image=True, reason=_pr_reason(known))]
        case Event.MERGE:
            steps = _merge(known)
        case Event.TAG:
            steps = _tag(known)
        case Event.SCHEDULE:
            steps = _schedule(known)
    return Plan(known.event, known.ref, steps)


def _pr_reason(known: Known) -> str:
    if known.next_release:
        return f"a merge would release {known.next_release}: {known.next_reason}"
    return f"a merge would release nothing: {known.next_reason}"


def _register(known: Known) -> list[Register]:
    if not known.unregistered:
        return []
    return [Register(reason=f"{known.unregistered} finished training(s) not yet registered")]


def _rolled_back(known: Known) -> list[FinishRollback]:
    why = "a rollback was begun and is not recorded"
    return [FinishRollback(env=env, model=model, reason=why) for env, model in known.rolled_back]


def _merge(known: Known) -> list[AnyStep]:
    if known.next_release:
        release = known.next_release
        steps: list[AnyStep] = [
            *_rolled_back(known),
            Check(smoke=False, reason="a release needs its checks"),
            MakeRelease(release=release, reason=known.next_reason),
        ]
        if known.train_on_release:
            steps.append(Train(release=release, reason="train: on-release"))
        return steps
    steps = [*_rolled_back(known), *_register(known)]
    if known.claimed and not known.uploaded:
        steps.append(FinishRelease(release=known.claimed, reason="claimed, not uploaded: goes on"))
    if known.claimed and known.train_on_release and not known.trained and not known.unregistered:
        steps.append(Train(release=known.claimed, reason="released, nothing trained yet"))
    return steps or [Nothing(reason=known.next_reason)]


def _tag(known: Known) -> list[AnyStep]:
    if known.promotion is None:
        return [Nothing(reason=f"{known.ref} is no promotion tag: a release tag needs nothing more")]
    return [
        *_register(known),
        Promote(promotion=known.promotion, reason=f"asked by the tag {known.promotion}"),
    ]


def _schedule(known: Known) -> list[AnyStep]:
    steps: list[AnyStep] = [*_rolled_back(known)]
    for release in known.unfinished:
        steps.append(FinishRelease(release=release, reason="claimed, not uploaded: goes on"))
    steps += _register(known)
    for promotion in known.open_promotions:
        steps.append(Promote(promotion=promotion, reason="open: no terminal event yet"))
    return steps or [Nothing(reason="no open promotion, no finished training to register")]
