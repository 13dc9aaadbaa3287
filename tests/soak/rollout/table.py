"""Simulates 10,000 rollouts a case and prints Markdown tables: `python -m tests.soak.rollout.table`."""

import argparse
import random
import statistics
import sys
from collections.abc import Iterator

from tagline.rollout.evidence import (
    Evidence,
    Interval,
    Rule,
    added,
    e_not_worse,
    e_worse,
    is_not_worse,
)
from tagline.rollout.state import Verdict

from tests.soak.rollout.simulation import CASES, Case, binomial, rollout

ENOUGH = 20_000
RULE = Rule()


def share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.2f} %"


def case_row(case: Case, runs: int) -> str:
    """One line of the table of decisions."""
    seen = [rollout(seed, case) for seed in range(runs)]
    counts = {verdict: sum(outcome.verdict is verdict for outcome in seen) for verdict in Verdict}
    back = [outcome for outcome in seen if outcome.verdict is Verdict.TAKEN_BACK]
    bad = statistics.median(outcome.tally.canary_bad for outcome in back) if back else None
    wait = statistics.median(outcome.reaction or 0.0 for outcome in back) if back else None
    cells = [
        case.name,
        share(counts[Verdict.TAKEN_BACK], runs),
        share(counts[Verdict.LET_IN], runs),
        share(counts[Verdict.INCONCLUSIVE], runs),
        share(counts[case.wrong], runs),
        "" if bad is None else f"{bad:g}",
        "" if wait is None else f"{wait:g} s",
    ]
    return "| " + " | ".join(cells) + " |"


def decisions(runs: int) -> Iterator[str]:
    """The table of decisions, line by line."""
    yield "| case | taken back | let in | inconclusive | wrong | bad responses until taken back | seconds |"
    yield "|---|---|---|---|---|---|---|"
    for case in CASES:
        yield case_row(case, runs)


def intervals(rng: random.Random, weight: int, stable: float, canary: float) -> Iterator[Interval]:
    """Endless intervals of 20 responses."""
    while True:
        n = binomial(rng, 20, weight / 100)
        yield Interval(n, binomial(rng, n, canary), 20 - n, binomial(rng, 20 - n, stable))


def needed(seed: int, weight: int, bad: float) -> float:
    """Responses of the canary until it may be let in; inf where ENOUGH do not do."""
    evidence = Evidence()
    for interval in intervals(random.Random(seed), weight, bad, bad):
        evidence = added(evidence, interval, RULE)
        if is_not_worse(evidence, RULE):
            return min(evidence.canary, evidence.stable)
        if min(evidence.canary, evidence.stable) > ENOUGH:
            break
    return float("inf")


def power(runs: int) -> Iterator[str]:
    """How many responses of the canary letting in takes, where both arms are equally bad."""
    yield "| bad on both | weight | 10th percentile | median | 90th percentile |"
    yield "|---|---|---|---|---|"
    for bad in (0.0, 0.002, 0.01, 0.05):
        for weight in (50, 10):
            seen = sorted(needed(seed, weight, bad) for seed in range(runs))
            low, median, high = (seen[int(runs * q)] for q in (0.1, 0.5, 0.9))
            yield f"| {100 * bad:g} % | {weight} % | {low:g} | {median:g} | {high:g} |"


def crosses(seed: int, weight: int, stable: float, canary: float) -> tuple[bool, bool]:
    """Whether each test alone ever reaches its limit within 6,000 responses: take back, let in."""
    evidence, back, let_in = Evidence(), False, False
    for interval in intervals(random.Random(seed), weight, stable, canary):
        evidence = added(evidence, interval, RULE)
        back = back or e_worse(evidence) >= 1 / RULE.alpha
        let_in = let_in or e_not_worse(evidence) >= 1 / RULE.beta
        if evidence.canary + evidence.stable >= 6000:
            return back, let_in
    raise AssertionError("intervals are endless")


def alone(runs: int) -> Iterator[str]:
    """Each test alone, exactly at its limit, looked at after every interval."""
    yield "| test alone, at its limit | weight | stable | canary | ever wrong |"
    yield "|---|---|---|---|---|"
    for weight in (10, 50):
        for stable in (0.0, 0.002, 0.05):
            wrong = sum(crosses(seed, weight, stable, stable + RULE.increase)[1] for seed in range(runs))
            yield f"| let in | {weight} % | {stable:.1%} | {stable + 0.02:.1%} | {share(wrong, runs)} |"
        for stable in (0.002, 0.05, 0.3):
            wrong = sum(crosses(seed, weight, stable, stable)[0] for seed in range(runs))
            yield f"| take back | {weight} % | {stable:.1%} | {stable:.1%} | {share(wrong, runs)} |"


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--power-runs", type=int, default=1000)
    given = parser.parse_args(argv)
    for table in (power(given.power_runs), decisions(given.runs), alone(given.runs)):
        for line in table:
            print(line, flush=True)
        print(flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
