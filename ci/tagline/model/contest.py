"""The contest: each model predicts the frozen rows by its own predictor, and one scorer judges both.

It fails closed: whatever goes wrong is an error, never a pass. Labels are written only after the last
predictor has ended: until then they are in no file that the gate makes, since where mounts are forbidden
nothing can be hidden. And predictions are kept in memory from the moment it has.
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from tagline.config import Gate
from tagline.engines import Engine
from tagline.errors import GateError, NotYetSupported, ScorerMismatch
from tagline.model import gate as judging
from tagline.model.children import Room, predictions, scored
from tagline.model.judge_data import Frozen, freeze
from tagline.platforms import ServerSpec

CANDIDATE, SERVED = "candidate", "served"
OVERRIDE = "Override: scorer: WHY"
MOST_ROTATIONS = 5


class Match(msgspec.Struct, frozen=True):
    """Who meets whom: `served` is None only where nothing serves.

    The served release's `evaluate` judges both, the candidate's at first or with `candidate_scores`, which a
    promotion asks for by the trailer `Override: scorer`, with a reason.
    """

    candidate: ServerSpec
    served: ServerSpec | None = None
    candidate_scores: bool = False

    @property
    def scorer(self) -> tuple[str, ServerSpec]:
        if self.served is None or self.candidate_scores:
            return CANDIDATE, self.candidate
        return SERVED, self.served


class Limits(msgspec.Struct, frozen=True):
    """Seconds that one predictor and one scorer may take, and more paths that no child may see."""

    predict: float = 900.0
    score: float = 300.0
    hide: Sequence[Path] = ()


def contest(
    engine: Engine, gate: Gate, data: bytes, match: Match, work: Path, limits: Limits | None = None
) -> judging.Verdict:
    """Judge the candidate on `data`, the content of the pinned file; `work` is an existing folder to work in.

    Raises `GateDataChanged` (both digests), `ScorerMismatch` (the served scorer does not fit the data; names
    the override), `NotYetSupported` (losses other than 0 and 1), `GateError` (everything else).
    """
    try:
        return _contest(engine, gate, data, match, work, limits or Limits())
    except OSError as error:
        raise GateError(f"the gate could not be asked: {error}") from error


def _contest(
    engine: Engine, gate: Gate, data: bytes, match: Match, work: Path, limits: Limits
) -> judging.Verdict:
    frozen = freeze(gate, data)
    if len(gate.metrics) != 1:
        raise NotYetSupported("gate.metrics: this version of tagline judges exactly one metric")
    metric = next(iter(gate.metrics.values()))
    with tempfile.TemporaryDirectory(prefix="gate-", dir=work) as folder:
        room = Room(engine, gate, Path(folder), limits.hide, limits.predict, limits.score)
        mine = predictions(room, frozen, match.candidate, CANDIDATE)
        theirs = predictions(room, frozen, match.served, SERVED) if match.served else None
        check_scorer(room, frozen, match)
        served = _by_scorer(room, frozen, match, theirs) if theirs is not None else None
        candidate = scored(room, frozen, match.scorer[1], mine)
    verdict = judging.judge(candidate, served, metric)
    return msgspec.structs.replace(verdict, scorer=match.scorer[0], data_sha256=frozen.sha256)


def _by_scorer(room: Room, frozen: Frozen, match: Match, given: dict[str, str]) -> judging.Losses:
    """Losses by the match's scorer; the served one's failure is a `ScorerMismatch`."""
    whose, scorer = match.scorer
    try:
        return scored(room, frozen, scorer, given)
    except GateError as error:
        if whose == CANDIDATE:
            raise
        raise _mismatch(str(error), error) from error


def _mismatch(why: str, error: GateError | None = None) -> ScorerMismatch:
    return ScorerMismatch(
        f"the served release's scorer does not fit the pinned data: {why}",
        where=error.where if error else "",
        fix=f"promote with the trailer {OVERRIDE!r}: the candidate's scorer judges then",
    )


def check_scorer(room: Room, frozen: Frozen, match: Match) -> None:
    """Raise unless the scorer finds the labels themselves right, and every row wrong with another label.

    So a scorer with its sign turned round, one that always says the same, or one that sees only errors to one
    side, never judges a model.
    `ScorerMismatch` where it is the served release's, else `GateError`.
    """
    truth = frozen.truth()
    right = _by_scorer(room, frozen, match, truth)
    if any(right.rows.values()):
        _refuse(
            match, f"it counts {sum(right.rows.values()):g} predictions that are the label itself as wrong"
        )
    for other in rotations(truth):
        wrong = _by_scorer(room, frozen, match, other).rows
        missed = [row for row in wrong if not wrong[row]]
        if missed:
            row = missed[0]
            _refuse(
                match,
                f"it counts {len(missed)} of {len(wrong)} predictions that are another label as right, such as"
                f" {other[row]!r} where the label is {truth[row]!r}",
            )


def rotations(truth: Mapping[str, str]) -> list[dict[str, str]]:
    """Wrong answers for every row: its label replaced by the k-th next of the distinct labels, in their order.

    Every k where that gives at most 5, else 5 of them evenly spread, so that labels which are measurements are
    not tried with their next neighbours; none where there is one label.
    """
    labels = _in_order(set(truth.values()))
    count, tries = len(labels), min(len(labels) - 1, MOST_ROTATIONS)
    turns = [round(turn * count / (tries + 1)) for turn in range(1, tries + 1)]
    at = {label: place for place, label in enumerate(labels)}
    return [{row: labels[(at[label] + turn) % count] for row, label in truth.items()} for turn in turns]


def _in_order(labels: set[str]) -> list[str]:
    try:
        return sorted(labels, key=float)
    except ValueError:
        return sorted(labels)


def _refuse(match: Match, why: str) -> None:
    if match.scorer[0] == SERVED:
        raise _mismatch(why)
    raise GateError(
        f"the candidate's scorer cannot be trusted: {why}", fix="mend evaluate: 1 is wrong, 0 is right"
    )
