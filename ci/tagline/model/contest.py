"""The contest: each model predicts the frozen rows by its own predictor, and one scorer judges both.

It fails closed: whatever goes wrong is an error, never a pass. Labels are written only after the last
predictor has ended, and predictions are kept in memory from the moment it has.
"""

import tempfile
from collections.abc import Sequence
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
OVERRIDE = "Override: scorer"


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
    engine: Engine, gate: Gate, data: Path, match: Match, work: Path, limits: Limits | None = None
) -> judging.Verdict:
    """Judge the candidate on the pinned file `data`; `work` is an existing folder to work in.

    Raises `GateDataChanged` (both digests), `ScorerMismatch` (the served scorer does not fit the data; names
    the override), `NotYetSupported` (losses other than 0 and 1), `GateError` (everything else).
    """
    try:
        return _contest(engine, gate, data, match, work, limits or Limits())
    except OSError as error:
        raise GateError(f"the gate could not be asked: {error}") from error


def _contest(
    engine: Engine, gate: Gate, data: Path, match: Match, work: Path, limits: Limits
) -> judging.Verdict:
    frozen = freeze(gate, data)
    if len(gate.metrics) != 1:
        raise NotYetSupported("gate.metrics: this version of tagline judges exactly one metric")
    metric = next(iter(gate.metrics.values()))
    with tempfile.TemporaryDirectory(prefix="gate-", dir=work) as folder:
        hide = [data.absolute(), *limits.hide]
        room = Room(engine, gate, Path(folder), hide, limits.predict, limits.score)
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
        fix=f"promote with the trailer {OVERRIDE!r} and a reason: the candidate's scorer judges then",
    )


def check_scorer(room: Room, frozen: Frozen, match: Match) -> None:
    """Raise unless the scorer finds the labels themselves right, and not so the labels of other rows.

    So a scorer with its sign turned round, or one that always says the same, never judges a model.
    `ScorerMismatch` where it is the served release's, else `GateError`.
    """
    truth = frozen.truth()
    labels = sorted(set(truth.values()))
    right = _by_scorer(room, frozen, match, truth)
    if any(right.rows.values()):
        _refuse(
            match, f"it counts {sum(right.rows.values()):g} predictions that are the label itself as wrong"
        )
    if len(labels) > 1:
        others = dict(zip(labels, [*labels[1:], labels[0]], strict=True))
        wrong = _by_scorer(room, frozen, match, {row: others[label] for row, label in truth.items()})
        if not any(wrong.rows.values()):
            _refuse(match, "it counts predictions that are all another label as right")


def _refuse(match: Match, why: str) -> None:
    if match.scorer[0] == SERVED:
        raise _mismatch(why)
    raise GateError(
        f"the candidate's scorer cannot be trusted: {why}", fix="mend evaluate: 1 is wrong, 0 is right"
    )
