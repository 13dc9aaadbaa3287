"""A plan as a file: what it was made from, its steps with their needs, and how another agent compares it."""

import hashlib
from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import assert_never

import msgspec

from tagline.errors import CallError, PlanDiffers
from tagline.flow.steps import (
    AnyStep,
    Check,
    CheckTag,
    FinishRelease,
    FinishRollback,
    GoOnTraining,
    MakeRelease,
    Nothing,
    Promote,
    Register,
    Schedule,
    Smoke,
    Train,
    Wake,
)
from tagline.git.occasion import Event

FORMAT = 1
AGAIN = "tagline plan -o FILE again, and an empty state directory"
# what a plan depends on stands or falls with the compared refs; the other steps look at the platform first
_BOUND = (Check, Smoke, MakeRelease, Promote)


class SavedStep(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A step for people and CI files: its kind, what it is about, why, and what an agent must have for it."""

    step: str
    subject: str = ""
    reason: str = ""
    needs: list[str] = []

    @property
    def key(self) -> str:
        return f"{self.step} {self.subject}".strip()


class Saved(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A plan file. Nothing in it is executed: an agent plans again, and refuses a file that differs.

    `run` is the id under which every agent of this plan writes into the ledger; `policy` the digest of
    tagline.yaml at the default branch's head with its platform file; `refs` what the plan depends on, by full
    name: release tags, promotion tags, and under the ledger's name the digest of the events that concern it.
    `environments` are those with work: one CI job for each. `told` is whether the caller said the event; where
    not, an agent on a CI host asks the host again, for what is checked out may be a merge that no branch has.
    """

    run: str
    event: Event
    ref: str
    head: str
    policy: str
    refs: dict[str, str]
    steps: list[SavedStep]
    environments: list[str] = []
    env: str = ""
    told: bool = True
    tagline: str = ""
    format: int = FORMAT

    def digest(self) -> str:
        """SHA-256 (hex) of all that tells this plan from another."""
        what = [self.run, self.event, self.ref, self.env, self.head, self.policy, self.refs]
        return hashlib.sha256(
            msgspec.json.encode([*what, [one.key for one in self.steps]], order="sorted")
        ).hexdigest()


def key(step: AnyStep) -> str:
    """A step's kind and what it is about: the same in every agent's plan."""
    return f"{kind(step)} {subject(step)}".strip()


def kind(step: AnyStep) -> str:
    """The name of a step's class, as JSON shows it."""
    return str(type(step).__struct_config__.tag)


def subject(step: AnyStep) -> str:
    """The release, promotion or place that a step is about; "" where there is none."""
    match step:
        case Smoke() | MakeRelease() | FinishRelease() | Schedule() | Train() | GoOnTraining():
            return step.named
        case Promote() | CheckTag() | Wake():
            return str(step.promotion)
        case FinishRollback():
            return f"{step.env}/{step.model}"
        case Check() | Register() | Nothing():
            return ""
        case _:
            assert_never(step)


def read(file: Path) -> Saved:
    """Read a plan file; raises `CallError` for what is none, or of another form."""
    try:
        saved = msgspec.json.decode(file.read_bytes(), type=Saved)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CallError(
            f"this is no plan file: {error}", where=str(file), fix="tagline plan -o FILE"
        ) from error
    if saved.format != FORMAT or not saved.run.isalnum():
        raise CallError(
            f"the plan file has the form {saved.format}, made by tagline {saved.tagline or '?'}",
            where=str(file),
            fix="tagline plan -o FILE, with the version that runs it",
        )
    return saved


def require_same(saved: Saved, own: Saved) -> None:
    """Raise `PlanDiffers` that names what has changed since a plan was saved: HEAD, the policy, refs."""
    said = []
    if saved.head != own.head:
        said.append(f"HEAD is {own.head[:10]}, planned was {saved.head[:10]}")
    if saved.policy != own.policy:
        said.append("the policy has changed")
    said += _moved(saved.refs, own.refs)
    if said:
        raise PlanDiffers(f"the plan is out of date: {'; '.join(said)}", where=saved.ref, fix=AGAIN)


def _moved(planned: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    words = []
    for name in sorted(planned.keys() | now.keys()):
        if name not in planned:
            words.append(f"{name} is new")
        elif name not in now:
            words.append(f"{name} is gone")
        elif planned[name] != now[name]:
            words.append(f"{name} has moved")
    return words


def todo(saved: Saved, own: Sequence[AnyStep], done: Set[str]) -> list[AnyStep]:
    """What is left: this agent's own steps but those that are done; the file only says what was agreed.

    Raises `PlanDiffers` for a step in one plan and not in the other, unless it is done, or one that looks at
    the platform before it acts: such a step may have come or gone without any ref.
    """
    agreed = {one.key for one in saved.steps}
    for step in own:
        if isinstance(step, _BOUND) and key(step) not in agreed:
            raise PlanDiffers(f"the file does not plan {key(step)!r}", where=saved.ref, fix=AGAIN)
    mine = {key(step) for step in own}
    bound = {
        one.__name__ for one in _BOUND if one is not Promote
    }  # a promotion's end is in the compared refs
    for one in saved.steps:
        if one.step in bound and one.key not in mine | done:
            raise PlanDiffers(f"the file plans {one.key!r}, this agent does not", where=saved.ref, fix=AGAIN)
    return [step for step in own if key(step) not in done]
