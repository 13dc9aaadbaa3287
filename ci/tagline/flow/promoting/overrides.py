"""What a person overrides at the gate: its verdict, or only whose scorer judges; never without a reason."""

import re

import msgspec

from tagline.errors import BadWord

_SCORER = re.compile(r"scorer\b[\s:,–-]*(.*)", re.DOTALL | re.IGNORECASE)


class Override(msgspec.Struct, frozen=True):
    """An `Override:` trailer. With `scorer` the candidate's scorer judges, and its verdict stands; without,
    the served release's scorer judges, and a refusal is overruled. `reason` is never empty."""

    scorer: bool
    reason: str


def read(text: str, reason: str, where: str = "") -> Override | None:
    """The override that a trailer's text asks for; None where it asks for none.

    `scorer: WHY` names the scorer, anything else is itself the reason for overruling the gate; `reason` is
    what the promotion gives as its own. Raises `BadWord` where there is no reason.
    """
    text = text.strip()
    if not text:
        return None
    scorer = _SCORER.fullmatch(text)
    why = (scorer[1] if scorer else text).strip() or reason.strip()
    if not why:
        raise BadWord(
            f"the override {text!r} gives no reason",
            where=where,
            fix="--override 'scorer: WHY', or add --reason",
        )
    return Override(scorer is not None, why)
