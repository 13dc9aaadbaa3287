"""The plan for several pipelines of one repository, from the plan of each: one check, one claim, then the rest."""

from collections.abc import Mapping

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
    OfRelease,
    Plan,
    Promote,
    Register,
    Schedule,
    Smoke,
    Step,
    Train,
    Wake,
)

# the order of a call for several pipelines: what one of them waits for is done for all of them before it
_ORDER: tuple[type[Step], ...] = (
    FinishRollback,
    Register,
    Check,
    FinishRelease,
    Smoke,
    MakeRelease,
    Schedule,
    Train,
    GoOnTraining,
    CheckTag,
    Promote,
    Wake,
    Nothing,
)


def together(plans: Mapping[str, Plan]) -> Plan:
    """The plan for several pipelines, from the plan of each by its name: one check, one claim, then the rest.

    A plan that does nothing says so for each of them; what one has nothing to do in is not said where others have.
    """
    first = next(iter(plans.values()))
    steps = [_of(step, name) for name, made in plans.items() for step in made.steps]
    does = [step for step in steps if not isinstance(step, Nothing)]
    if not does:
        why = "; ".join(f"{name}: {step.reason}" for name, made in plans.items() for step in made.steps)
        return Plan(first.event, first.ref, [Nothing(reason=why)])
    checks = [step for step in does if isinstance(step, Check)]
    registers = [step for step in does if isinstance(step, Register)]
    others = [step for step in does if not isinstance(step, Check | Register)]
    merged: list[AnyStep] = [*_one_check(checks, plans), *_one_register(registers)]
    return Plan(first.event, first.ref, sorted([*merged, *others], key=lambda step: _ORDER.index(type(step))))


def _of(step: AnyStep, name: str) -> AnyStep:
    return msgspec.structs.replace(step, pipeline=name) if isinstance(step, OfRelease) else step


def _one_check(checks: list[Check], plans: Mapping[str, Plan]) -> list[Check]:
    if not checks:
        return []
    of = {name: step for name, made in plans.items() for step in made.steps if isinstance(step, Check)}
    same = len({step.reason for step in checks}) == 1
    reason = checks[0].reason if same else "; ".join(f"{name}: {step.reason}" for name, step in of.items())
    smokes = tuple(name for name, step in of.items() if step.smoke)
    return [msgspec.structs.replace(checks[0], reason=reason, smoke=bool(smokes), smokes=smokes)]


def _one_register(registers: list[Register]) -> list[Register]:
    reasons = [step.reason for step in registers]
    return [Register(reason="; ".join(reasons))] if reasons else []
