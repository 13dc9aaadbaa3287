"""Everything a rollout knows: one frozen struct that is saved after every tick and comes back bit for bit."""

from enum import StrEnum

import msgspec

from tagline.errors import Blocked, RolloutError, RolloutInconclusive, StateBroken, Superseded, TakenBack
from tagline.platforms import Counts
from tagline.rollout.evidence import Evidence, e_not_worse, e_worse
from tagline.rollout.plan import Plan
from tagline.rollout.reading import Tally
from tagline.words import ModelVersion, Promotion


class Phase(StrEnum):
    """Where a rollout stands; `docs/explanation/evidence.md` draws the way between them."""

    DEPLOYING = "deploying"
    MOVING = "moving"
    WATCHING = "watching"
    LETTING_IN = "letting in"
    TAKING_BACK = "taking back"
    BLOCKING = "blocking"
    SETTLING = "settling"
    REMOVING = "removing"
    PAUSED = "paused"
    DONE = "done"

    @property
    def unproven(self) -> bool:
        """The canary may have traffic and nothing is decided, or it is decided against it."""
        return self in {Phase.MOVING, Phase.WATCHING, Phase.TAKING_BACK}

    @property
    def decided(self) -> bool:
        """The verdict stands; what is left is to carry it out."""
        return self not in {Phase.DEPLOYING, Phase.MOVING, Phase.WATCHING, Phase.PAUSED}


class Verdict(StrEnum):
    """How a rollout ended."""

    LET_IN = "let in"
    TAKEN_BACK = "taken back"
    INCONCLUSIVE = "inconclusive"
    SUPERSEDED = "superseded"
    BLOCKED = "blocked"


class Outcome(msgspec.Struct, frozen=True):
    """How a rollout ended and the numbers it ended on.

    `seconds` is the watched time since the first step, `reaction` that from before the first bad canary
    response to weight 0 (an upper bound, None unless taken back), `needs` the further requests
    that an inconclusive rollout lacked (None: more would not prove it). `tally` counts to the canary's last
    response, `reason` and the e-values to the verdict. `superseded_by` is the promotion that took its place.
    """

    verdict: Verdict
    promotion: Promotion
    candidate: ModelVersion
    stable: ModelVersion | None
    reason: str
    tally: Tally = Tally()
    e_worse: float = 1.0
    e_not_worse: float = 1.0
    seconds: float = 0.0
    reaction: float | None = None
    needs: int | None = None
    superseded_by: Promotion | None = None


class State(msgspec.Struct, frozen=True):
    """A rollout between two moments.

    `in_step` and `running` count watched seconds only, so a restart neither loses nor gains time; `quiet`
    those without a request; `step_from` is the canary's tally when the step began, `earlier` what was spent
    before it began again. The next interval counts from `base`, the tally from `last`; `first_bad` is the value
    of `running` before the first bad canary response. `outcome` is set when the verdict is reached.
    """

    promotion: Promotion
    candidate: ModelVersion
    stable: ModelVersion | None
    plan: Plan
    phase: Phase = Phase.DEPLOYING
    step: int = 0
    in_step: float = 0.0
    step_from: int = 0
    running: float = 0.0
    earlier: float = 0.0
    quiet: float = 0.0
    first_bad: float | None = None
    evidence: Evidence = Evidence()
    tally: Tally = Tally()
    base: Counts | None = None
    last: Counts | None = None
    outcome: Outcome | None = None

    @property
    def weight(self) -> int:
        """The canary's weight in this step, percent."""
        return self.plan.steps[self.step]

    @property
    def at_risk(self) -> ModelVersion | None:
        """The version that the dead-man switch has to take to 0 if nobody comes back."""
        return self.candidate if self.stable is not None and self.phase.unproven else None

    def ended(self, verdict: Verdict, reason: str, needs: int | None = None) -> Outcome:
        """The outcome with the numbers of now."""
        failed = verdict is Verdict.TAKEN_BACK and self.first_bad is not None
        return Outcome(
            verdict=verdict,
            promotion=self.promotion,
            candidate=self.candidate,
            stable=self.stable,
            reason=reason,
            tally=self.tally,
            e_worse=e_worse(self.evidence),
            e_not_worse=e_not_worse(self.evidence),
            seconds=self.running,
            reaction=self.running - (self.first_bad or 0.0) if failed else None,
            needs=needs,
        )


def dump(state: State) -> bytes:
    """The state as JSON; floats as their shortest exact form."""
    return msgspec.json.encode(state)


def read(saved: bytes) -> State:
    """The state from its file; raises `StateBroken`."""
    try:
        return msgspec.json.decode(saved, type=State)
    except msgspec.DecodeError as error:
        raise StateBroken(
            f"the rollout's saved state cannot be read: {error}",
            fix="see what serves with `tagline status`; take the canary out with `tagline rollback`",
        ) from error


def error_of(outcome: Outcome) -> RolloutError | None:
    """The error, and so the exit code, that an outcome stands for; None where the candidate was let in."""
    kinds: dict[Verdict, type[RolloutError]] = {
        Verdict.TAKEN_BACK: TakenBack,
        Verdict.INCONCLUSIVE: RolloutInconclusive,
        Verdict.SUPERSEDED: Superseded,
        Verdict.BLOCKED: Blocked,
    }
    if outcome.verdict is Verdict.LET_IN:
        return None
    return kinds[outcome.verdict](outcome.reason, where=str(outcome.promotion), fix=_way_out(outcome))


def _way_out(outcome: Outcome) -> str:
    model, env = outcome.promotion.model, outcome.promotion.env
    match outcome.verdict:
        case Verdict.TAKEN_BACK | Verdict.BLOCKED:
            return (
                f"tagline unblock {model} {outcome.candidate} --env {env} --reason '...', once it is mended"
            )
        case Verdict.INCONCLUSIVE:
            return f"tagline promote {model} --to {env} again, with more traffic or a longer max_duration"
        case Verdict.SUPERSEDED | Verdict.LET_IN:
            return ""
