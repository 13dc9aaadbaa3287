"""Workflows of ours without a row: the server made them and failed to note the run, so that nobody sees or ends them.

A Workflow bears its run's name, which begins with our pipeline's, and no mark of the repository: so they are looked for
only where the pipeline of that name on the server is the repository's.
"""

from collections.abc import Collection, Iterable

from tagline.errors import KfpNotThere
from tagline.platforms.kubeflow.cluster import Cluster, Workflow
from tagline.platforms.kubeflow.marks import TAGLINE, is_ours
from tagline.platforms.kubeflow.runs import rows, starting
from tagline.platforms.kubeflow.server.connection import Connection
from tagline.platforms.kubeflow.versions.upload import find_pipeline

AGE = 3600.0  # seconds after which a run that is not noted will not be noted any more


def suspects(found: Iterable[Workflow], pipeline: str, noted: Collection[str], now: float) -> list[Workflow]:
    """Of the Workflows those of a pipeline's runs, older than `AGE` at `now` (seconds since 1970), whose run's id is
    not among those noted."""
    return [
        one
        for one in found
        if one.named.startswith(f"{TAGLINE} {pipeline}/")
        and one.run
        and one.run not in noted
        and 0 < rows.moment(one.created_at) < now - AGE
    ]


def sweep(server: Connection, cluster: Cluster, pipeline: str, repository: str, now: float) -> list[str]:
    """Remove the Workflows of a pipeline that have no row, each asked for by its run's id; their runs' names.

    Nothing is removed where the cluster holds no Workflow of a run that the server knows: it may be another's cluster.
    """
    there = find_pipeline(server, pipeline)
    if there is None or not is_ours(str(there.get("description", "")), repository):
        return []
    noted = {row.id for row in starting.listed(server, f"{pipeline}/", repository)}
    found = cluster.workflows()
    if not any(one.run in noted for one in found):
        return []
    lost = suspects(found, pipeline, noted, now)
    return [one.named for one in lost if _has_no_row(server, one) and cluster.delete(one)]


def _has_no_row(server: Connection, one: Workflow) -> bool:
    try:
        server.ask("GET", f"/runs/{one.run}")
    except KfpNotThere:
        return True
    return False
