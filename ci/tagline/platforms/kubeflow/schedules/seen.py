"""What of our schedules stands on the server, and whether a run of one that may end goes on."""

from collections import Counter
from collections.abc import Iterator, Mapping

from tagline.platforms.kubeflow.runs import rows
from tagline.platforms.kubeflow.schedules import marks
from tagline.platforms.kubeflow.schedules.moves import Declared, Found
from tagline.platforms.kubeflow.server.connection import EQUALS, Connection, predicate


def found(server: Connection, pipeline: str, owner: str, declared: Mapping[str, Declared]) -> Iterator[Found]:
    """The schedules of a repository's pipeline on the server; what lacks our mark is not looked at.

    Whether a run goes on is asked only of one that may be removed.
    """
    keep = {one.digest for one in declared.values()}
    there = list(marks.listed(server, pipeline, owner))
    same = Counter(mark.digest for mark, _ in there)
    for mark, one in there:
        enabled = str(one.get("status") or one.get("mode", "")) in ("ENABLED", "ENABLE")
        ends = not enabled or mark.digest not in keep or same[mark.digest] > 1
        job = str(one["recurring_run_id"])
        yield Found(
            id=job,
            name=mark.name,
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
