"""What a rollout says while it runs: facts for the terminal and the ledger, worded elsewhere."""

import msgspec

from tagline.rollout.reading import Tally
from tagline.rollout.state import Outcome
from tagline.words import ModelVersion


class Deploying(msgspec.Struct, frozen=True, tag=True):
    """A warm server of the candidate is being made."""

    candidate: ModelVersion


class WeightMoved(msgspec.Struct, frozen=True, tag=True):
    """The data plane uses these weights, percent by version."""

    weights: dict[str, int]


class StepEntered(msgspec.Struct, frozen=True, tag=True):
    """The canary takes `weight` percent for `seconds` (watched time); `step` counts from 1 of `steps`."""

    step: int
    steps: int
    weight: int
    seconds: float


class Progress(msgspec.Struct, frozen=True, tag=True):
    """One look: e-values, what each needs, and the further requests until the canary can be let in.

    `left` is the watched seconds until the last step has run its time; `needs` is None where more requests
    like these would not prove it.
    """

    weight: int
    tally: Tally
    e_worse: float
    taken_back_at: float
    e_not_worse: float
    let_in_at: float
    needs: int | None
    left: float


class NoTraffic(msgspec.Struct, frozen=True, tag=True):
    """No request came for `seconds`; `hint` names the command that makes some."""

    seconds: float
    hint: str


class Blind(msgspec.Struct, frozen=True, tag=True):
    """The platform did not answer for `seconds`; the canary goes to 0 at `ttl`."""

    seconds: float
    ttl: float
    why: str


class Paused(msgspec.Struct, frozen=True, tag=True):
    """The canary is at weight 0 without a verdict; the next run begins at the first step."""

    why: str


class Resumed(msgspec.Struct, frozen=True, tag=True):
    """A rollout that another process began goes on, with `responses` of the canary as evidence."""

    phase: str
    step: int
    responses: int


class Decided(msgspec.Struct, frozen=True, tag=True):
    """The verdict; the weights follow at once."""

    outcome: Outcome


class Finished(msgspec.Struct, frozen=True, tag=True):
    """The verdict is carried out: what goes has no traffic and, where it is not kept warm, no server."""

    outcome: Outcome


class Removed(msgspec.Struct, frozen=True, tag=True):
    """A version was drained and stopped."""

    version: ModelVersion


Told = (
    Deploying
    | WeightMoved
    | StepEntered
    | Progress
    | NoTraffic
    | Blind
    | Paused
    | Resumed
    | Decided
    | Finished
    | Removed
)
