"""The gate's judgement: may the candidate take the served model's place, on the losses of frozen rows."""

import math
from collections.abc import Iterable, Mapping
from enum import StrEnum

import msgspec

from tagline.config import Metric
from tagline.errors import GateError, NotYetSupported
from tagline.model import bounds


class Outcome(StrEnum):
    """The gate's three answers; that it could not be asked is an error, not an answer."""

    PASS = "pass"
    REFUSED = "refused"
    INCONCLUSIVE = "inconclusive"


class Losses(msgspec.Struct, frozen=True):
    """One model's loss on each frozen row, 0.0 or 1.0, lower is better; `slices` names each row's slice.

    `metric` is the column's name. Made by `losses`, which does the checks.
    """

    metric: str
    rows: Mapping[str, float]
    slices: Mapping[str, str] = {}


class Counts(msgspec.Struct, frozen=True):
    """Rows of a set: all of them, those either model gets wrong, and where only one of the two errs.

    `worse`: the candidate wrong and the served right; `better` the reverse. At first nothing is served:
    `worse` is the candidate's wrong rows, `served_wrong` and `better` are 0.
    """

    rows: int
    candidate_wrong: int
    served_wrong: int
    worse: int
    better: int


class Verdict(msgspec.Struct, frozen=True):
    """The gate's answer, with the numbers it rests on.

    `bound` is the upper 95 % bound on the share of worse rows, `allowed` what it is held to, both in 0..1;
    `p_worse` the one-sided p-value of "worse". `rows_needed` (inconclusive only): rows that would pass with
    the worse rows seen and no other. `scorer` and `data_sha256` say who judged, and what on.
    """

    outcome: Outcome
    metric: str
    first: bool
    counts: Counts
    bound: float
    allowed: float
    p_worse: float
    sentence: str
    rows_needed: int | None = None
    slices: Mapping[str, Counts] = {}
    scorer: str = ""
    data_sha256: str = ""


def losses(
    metric: str,
    pairs: Iterable[tuple[str, float]],
    expected: Iterable[str],
    slices: Mapping[str, str] | None = None,
) -> Losses:
    """Losses of exactly the expected rows; raises `GateError` for a row missing, unknown or given twice,
    for an empty set and for a loss that is not finite, `NotYetSupported` for one that is not 0 or 1.
    """
    rows: dict[str, float] = {}
    for row, loss in pairs:
        if row in rows:
            raise GateError(f"row {row!r} has two losses in column {metric!r}")
        rows[row] = _zero_or_one(metric, row, loss)
    same_rows(rows, expected, "the scorer's rows")
    return Losses(metric, rows, slices or {})


def same_rows(given: Iterable[str], expected: Iterable[str], what: str) -> None:
    """Raise `GateError` unless `what` has exactly the expected rows, and at least one."""
    have, want = set(given), set(expected)
    if not want:
        raise GateError("the frozen data has no rows", fix="put rows into gate.data and pin its digest")
    for problem, rows in (("lack", want - have), ("have the unknown", have - want)):
        if rows:
            raise GateError(f"{what} {problem} row {min(rows)!r} ({len(rows)} in all)")


def _zero_or_one(metric: str, row: str, loss: float) -> float:
    if not math.isfinite(loss):
        raise GateError(f"the loss {metric!r} of row {row!r} is {loss}, not a number")
    if loss not in (0.0, 1.0):
        raise NotYetSupported(
            f"the loss {metric!r} of row {row!r} is {loss:g}: this version of tagline judges only 0 and 1",
            fix="write 1 where a prediction is wrong and 0 where it is right",
        )
    return float(loss)


def judge(candidate: Losses, served: Losses | None, metric: Metric) -> Verdict:
    """Pass, refused or inconclusive: on the rows where the candidate errs and the served model does not.

    Pass: the upper 95 % Clopper–Pearson bound on their share is at most `max_drop`; gains do not offset.
    Refused: a one-sided exact test says worse at 5 %: against the served model the sign test on the rows
    where they differ, at first the binomial test of the wrong share against 1 - `floor`. Pass is looked at
    first. Raises `GateError` where the two were not judged on the same rows by the same metric.
    """
    for whose in (candidate, served):
        if whose is not None:
            losses(whose.metric, whose.rows.items(), candidate.rows)
    if served is not None and served.metric != candidate.metric:
        raise GateError(f"the models were judged by {candidate.metric!r} and by {served.metric!r}")
    counts = _counts(list(candidate.rows), candidate, served)
    allowed = 1.0 - metric.floor if served is None else metric.max_drop
    p_worse = _p_worse(counts, allowed, first=served is None)
    bound = bounds.upper_bound(counts.worse, counts.rows)
    outcome = _outcome(bound, allowed, p_worse)
    verdict = Verdict(
        outcome=outcome,
        metric=candidate.metric,
        first=served is None,
        counts=counts,
        bound=bound,
        allowed=allowed,
        p_worse=p_worse,
        sentence="",
        rows_needed=_rows_needed(outcome, counts.worse, allowed),
        slices=_by_slice(candidate, served),
    )
    return msgspec.structs.replace(verdict, sentence=sentence(verdict))


def _rows_needed(outcome: Outcome, worse: int, allowed: float) -> int | None:
    return bounds.rows_needed(worse, allowed) if outcome is Outcome.INCONCLUSIVE else None


def _outcome(bound: float, allowed: float, p_worse: float) -> Outcome:
    if bound <= allowed:
        return Outcome.PASS
    return Outcome.REFUSED if p_worse <= bounds.ALPHA else Outcome.INCONCLUSIVE


def _p_worse(counts: Counts, allowed: float, *, first: bool) -> float:
    if first:
        return bounds.at_least(counts.worse, counts.rows, allowed)
    return bounds.sign_test(counts.worse, counts.better)


def _counts(rows: list[str], candidate: Losses, served: Losses | None) -> Counts:
    wrong = {row for row in rows if candidate.rows[row]}
    if served is None:
        return Counts(len(rows), len(wrong), 0, len(wrong), 0)
    served_wrong = {row for row in rows if served.rows[row]}
    return Counts(
        len(rows), len(wrong), len(served_wrong), len(wrong - served_wrong), len(served_wrong - wrong)
    )


def _by_slice(candidate: Losses, served: Losses | None) -> dict[str, Counts]:
    members: dict[str, list[str]] = {}
    for row in candidate.rows:
        members.setdefault(candidate.slices.get(row, ""), []).append(row)
    return {name: _counts(rows, candidate, served) for name, rows in sorted(members.items()) if name}


def sentence(verdict: Verdict) -> str:
    """The verdict in one sentence for people: what was seen, what it proves, what is missing."""
    counts, column = verdict.counts, f"{verdict.metric!r}"
    seen = (
        f"{counts.worse} of {counts.rows} rows are {column}"
        if verdict.first
        else f"on {counts.worse} of {counts.rows} rows the candidate is {column} and the served model is not"
        f" (the reverse on {counts.better})"
    )
    proven = f"at 95 % that is at most {verdict.bound:.1%}, allowed {verdict.allowed:.1%}"
    match verdict.outcome:
        case Outcome.PASS:
            return f"passed: {seen}; {proven}"
        case Outcome.REFUSED:
            against = "the floor demands" if verdict.first else "the served model"
            return f"refused: {seen}; worse than {against} (p = {verdict.p_worse:.2g})"
        case Outcome.INCONCLUSIVE:
            return f"inconclusive: {seen}; {proven}; {_missing(verdict)}"


def _missing(verdict: Verdict) -> str:
    if verdict.rows_needed is None:
        return "no number of rows can prove that"
    counts = verdict.counts
    at_least = f"needs at least {verdict.rows_needed} rows with no further such row"
    more = bounds.rows_needed_at(counts.worse / counts.rows, verdict.allowed)
    return (
        f"{at_least}, about {more} at this share" if more else f"{at_least}; at this share no number will do"
    )
