"""What is worth telling between one state and the next."""

from tagline.rollout.evidence import e_not_worse, e_worse
from tagline.rollout.forecast import requests_needed
from tagline.rollout.state import Phase, State
from tagline.rollout.told import Decided, Finished, NoTraffic, Paused, Progress, StepEntered, Told

QUIET = 10.0


def progress(state: State) -> Progress:
    """Where a watched rollout stands."""
    plan, evidence = state.plan, state.evidence
    return Progress(
        weight=state.weight,
        tally=state.tally,
        e_worse=e_worse(evidence),
        taken_back_at=1 / plan.rule.alpha,
        e_not_worse=e_not_worse(evidence),
        let_in_at=1 / plan.rule.beta,
        needs=requests_needed(evidence, plan.rule, plan.steps[-1]),
        left=max(0.0, plan.duration - state.step * plan.step_time - state.in_step),
    )


def news(old: State, new: State, hint: str) -> list[Told]:
    """What a person and the ledger hear of this change, in order; `hint` makes traffic."""
    told: list[Told] = []
    if old.phase is Phase.MOVING and new.phase is Phase.WATCHING and new.stable is not None:
        told.append(StepEntered(new.step + 1, len(new.plan.steps), new.weight, new.plan.step_time))
    if old.phase is Phase.WATCHING and new.phase is Phase.DEPLOYING:
        told.append(Paused("the canary was found at weight 0: nobody had watched it; it begins again"))
    elif old.phase is Phase.WATCHING:
        told.append(progress(new))
    if old.quiet < QUIET <= new.quiet:
        told.append(NoTraffic(new.quiet, hint))
    if old.outcome is None and new.outcome is not None:
        told.append(Decided(new.outcome))
    if new.phase is Phase.DONE and new.outcome is not None:
        told.append(Finished(new.outcome))
    return told
