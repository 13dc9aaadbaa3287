"""What of our schedules stands on the server, and whether a run of one that may end goes on."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping

import msgspec

from tagline.platforms.kubeflow.runs import rows
from tagline.platforms.kubeflow.schedules import marks
from tagline.platforms.kubeflow.schedules.moves import Declared, Found
from tagline.platforms.kubeflow.server.connection import EQUALS, Connection, predicate


class Wanted(msgspec.Struct, frozen=True):
    """What is looked for: schedules of the repository `owner`, of its pipeline, and what is declared of them.

    With `pipelines`, all that it has, also those of pipelines that it no longer has; their names have the pipeline's
    before them, so that none is taken for one that is declared.
    """

    owner: str
    pipeline: str
    declared: Mapping[str, Declared]
    pipelines: Collection[str] = ()


def found(server: Connection, wanted: Wanted) -> Iterator[Found]:
    """The schedules of ours on the server; what lacks our mark is not looked at.

    Whether a run goes on is asked only of one that may be removed.
    """
    keep = {one.digest for one in wanted.declared.values()}
    all_of_it = marks.listed(server, "" if wanted.pipelines else wanted.pipeline, wanted.owner)
    there = [
        (mark, one)
        for mark, one in all_of_it
        if mark.pipeline == wanted.pipeline or mark.pipeline not in wanted.pipelines
    ]
    same = Counter(mark.digest for mark, _ in there)
    for mark, one in there:
        enabled = str(one.get("status") or one.get("mode", "")) in ("ENABLED", "ENABLE")
        ends = not enabled or mark.digest not in keep or same[mark.digest] > 1
        job = str(one["recurring_run_id"])
        yield Found(
            id=job,
            name=mark.name if mark.pipeline == wanted.pipeline else f"{mark.pipeline}/{mark.name}",
            digest=mark.digest,
            enabled=enabled,
            created_at=rows.moment(str(one.get("created_at", ""))),
            changed_at=rows.moment(str(one.get("updated_at") or one.get("created_at", ""))),
            cron=mark.cron,
            zone=mark.zone,
            busy=ends and _busy(server, job),
        )


def _busy(server: Connection, job: str) -> bool:
    """Whether a run of a schedule goes on."""
    query = {"namespace": server.scope, "filter": predicate("recurring_run_id", EQUALS, job)}
    return any(not rows.read(one, "").state.ended for one in server.pages("/runs", "runs", query))
