"""From what is known to what will be done: a pure function."""

import msgspec

from tagline.flow.steps import (
    AnyStep,
    Check,
    CheckTag,
    FinishRelease,
    FinishRollback,
    GoOnTraining,
    MakeRelease,
    Nothing,
    Plan,
    Promote,
    Register,
    Schedule,
    Smoke,
    Train,
    Wake,
)
from tagline.git.occasion import Event
from tagline.words import Promotion, Release


class Known(msgspec.Struct, frozen=True):
    """What a plan is made from.

    `next_release` is the version that HEAD would get, None with `next_reason` where there is none to make.
    `claimed` is the release that HEAD already has; `uploaded` and `trained` say how far it came. Both
    `next_release` and `claimed` are set where this very run has claimed it: the plan is the one it began with.
    `rolled_back` names the (environment, model) pairs with a rollback that never reached the ledger.
    `promotion` is the tag event's, and with `wakes` its job may only wake another; `open_promotions` are the
    newest of each (environment, model) without an end, `unfinished` the releases that were claimed and not
    uploaded, `interrupted` the newest release where its training's process vanished. `unregistered` counts
    trainings that wait to be registered, or whose models are unclear; `awaited`: one of them is of HEAD's
    release. `schedules` is what is to be done to the schedules of the release `scheduled`, a sentence each.
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
    wakes: bool = False
    open_promotions: list[Promotion] = []
    rolled_back: list[tuple[str, str]] = []
    unfinished: list[Release] = []
    interrupted: Release | None = None
    scheduled: Release | None = None
    schedules: tuple[str, ...] = ()
    unregistered: int = 0
    awaited: bool = False


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
            *(_register(known) if known.claimed else []),
            Check(smoke=False, reason="a release needs its checks"),
            Smoke(release=release, reason="a release is tried before its version is taken"),
            MakeRelease(release=release, reason=known.next_reason),
        ]
        steps += _scheduled(known, release)
        begun = known.claimed is not None and (known.trained or known.awaited)
        if known.train_on_release and not begun:
            steps.append(Train(release=release, reason="train: on-release"))
        return steps
    steps = [*_rolled_back(known), *_register(known)]
    if known.claimed and not known.uploaded:
        steps.append(FinishRelease(release=known.claimed, reason="claimed, not uploaded: goes on"))
    steps += _scheduled(known, known.scheduled)
    if known.claimed and known.train_on_release and not known.trained and not known.awaited:
        steps.append(Train(release=known.claimed, reason="released, nothing trained yet"))
    return steps or [Nothing(reason=known.next_reason)]


def _scheduled(known: Known, release: Release | None) -> list[Schedule]:
    if release is None or not known.schedules:
        return []
    return [Schedule(release=release, reason="; ".join(known.schedules))]


def _tag(known: Known) -> list[AnyStep]:
    if known.promotion is None:
        return [Nothing(reason=f"{known.ref} is no promotion tag: it asks for nothing")]
    if known.wakes:
        why = "only a run of the default branch may use the environment's credentials"
        return [
            CheckTag(promotion=known.promotion, reason=f"asked by the tag {known.promotion}"),
            Wake(promotion=known.promotion, reason=why),
        ]
    return [
        *_register(known),
        Promote(promotion=known.promotion, reason=f"asked by the tag {known.promotion}"),
    ]


def _schedule(known: Known) -> list[AnyStep]:
    steps: list[AnyStep] = [*_rolled_back(known)]
    for release in known.unfinished:
        steps.append(FinishRelease(release=release, reason="claimed, not uploaded: goes on"))
    steps += _scheduled(known, known.scheduled)
    steps += _register(known)
    if known.interrupted:
        steps.append(
            GoOnTraining(release=known.interrupted, reason="its training was interrupted: it goes on")
        )
    for promotion in known.open_promotions:
        steps.append(Promote(promotion=promotion, reason="open: no terminal event yet"))
    return steps or [Nothing(reason="no open promotion, no finished training to register")]


def environments(steps: list[AnyStep]) -> list[str]:
    """The environments that the steps act on, by name."""
    asked = {step.promotion.env for step in steps if isinstance(step, Promote)}
    undone = {step.env for step in steps if isinstance(step, FinishRollback)}
    return sorted(asked | undone)


def only_env(made: Plan, env: str) -> Plan:
    """The part of a plan that concerns one environment: its promotions and rollbacks, and finished trainings,
    which a promotion may ask for."""
    mine = [step for step in made.steps if _env_of(step) == env]
    if not mine:
        return Plan(made.event, made.ref, [Nothing(reason=f"no open promotion in {env}")])
    return Plan(made.event, made.ref, [one for one in made.steps if one in mine or isinstance(one, Register)])


def _env_of(step: AnyStep) -> str:
    """The environment that a step is about; "" for one that is about none."""
    if isinstance(step, Promote | CheckTag | Wake):
        return step.promotion.env
    return step.env if isinstance(step, FinishRollback) else ""
