"""The router's counters: per arm the first draws, per route what clients saw; printed for Prometheus too."""

from collections.abc import Iterable

from tagline.platforms import ArmCounts
from tagline.platforms.local.serving.table import Row, TableRoute
from tagline.platforms.local.serving.verdict import Kind


class ArmTally:
    """One version's counters. `drawn` counts since the last change of the route, `inflight` calls now."""

    def __init__(self, row: Row) -> None:
        self.row = row
        self.served = 0
        self.kinds: dict[Kind, int] = {}
        self.retries = 0
        self.drawn = 0
        self.inflight = 0

    def count(self, kind: Kind | None) -> None:
        """One answered first draw."""
        self.served += 1
        if kind:
            self.kinds[kind] = self.kinds.get(kind, 0) + 1

    def counts(self) -> ArmCounts:
        kinds = {str(kind): number for kind, number in sorted(self.kinds.items())}
        return ArmCounts(self.served, sum(kinds.values()), kinds)


class RouteTally:
    """One route as it stands now; a version's counters outlive changes of its weight."""

    def __init__(self, route: TableRoute) -> None:
        self.client_bad = 0
        self.requests = 0
        self.arms: dict[str, ArmTally] = {}
        self.apply(route)

    def apply(self, route: TableRoute) -> None:
        """Take a new version of the route; the same one again changes nothing."""
        self.route = route
        kept = {row.version: self.arms.get(row.version) or ArmTally(row) for row in route.rows}
        for row in route.rows:
            kept[row.version].row = row
            kept[row.version].drawn = 0
        self.arms = kept

    @property
    def stable(self) -> ArmTally | None:
        return self.arms.get(self.route.stable)


_HELP = (
    (
        "tagline_responses_total",
        "counter",
        "Predictions by the arm first drawn; kind is good or why it was bad.",
    ),
    ("tagline_retries_total", "counter", "Failed canary calls that this version answered instead."),
    ("tagline_client_bad_total", "counter", "Bad answers that a client saw, after retries."),
    ("tagline_requests_total", "counter", "Predictions asked for."),
    ("tagline_weight_percent", "gauge", "The share of requests that this version is to take."),
    ("tagline_inflight", "gauge", "Calls that this version is working on."),
)


def prometheus(routes: Iterable[RouteTally]) -> str:
    """All counters in Prometheus's text format 0.0.4."""
    samples: dict[str, list[str]] = {name: [] for name, _, _ in _HELP}
    for tally in routes:
        labels = f'env="{tally.route.env}",model="{tally.route.model}"'
        samples["tagline_client_bad_total"].append(f"{{{labels}}} {tally.client_bad}")
        samples["tagline_requests_total"].append(f"{{{labels}}} {tally.requests}")
        for version, arm in tally.arms.items():
            _sample_arm(samples, f'{labels},version="{version}"', arm)
    lines = []
    for name, kind, text in _HELP:
        lines += [f"# HELP {name} {text}", f"# TYPE {name} {kind}", *(name + line for line in samples[name])]
    return "\n".join(lines) + "\n"


def _sample_arm(samples: dict[str, list[str]], labels: str, arm: ArmTally) -> None:
    counts = arm.counts()
    for kind, number in {"good": counts.served - counts.bad, **counts.kinds}.items():
        samples["tagline_responses_total"].append(f'{{{labels},kind="{kind}"}} {number}')
    samples["tagline_retries_total"].append(f"{{{labels}}} {arm.retries}")
    samples["tagline_weight_percent"].append(f"{{{labels}}} {arm.row.weight}")
    samples["tagline_inflight"].append(f"{{{labels}}} {arm.inflight}")
