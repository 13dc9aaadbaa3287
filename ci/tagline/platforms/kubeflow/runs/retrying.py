"""Lets a run that failed go on where it failed: in the same row, under the same key, a bounded number of times."""

from tagline.errors import KfpError, KfpRefused
from tagline.platforms.kubeflow.runs import starting
from tagline.platforms.kubeflow.runs.rows import Row, State
from tagline.platforms.kubeflow.server.connection import Connection
from tagline.platforms.kubeflow.server.doubts import may_stand

MOST = 3  # times that one run is let go on; what fails as often fails for a reason


def retry(server: Connection, row: Row) -> Row:
    """The run as it goes on; one that goes on already, or has succeeded, is left alone, so that asking again is safe.

    What succeeded in it is not run again. No second row is made, so a key still has one run that registers. Raises
    `KfpRefused` after `MOST` times, `KfpNotThere` for a run that is gone, and `KfpError`'s classes.
    """
    row = starting.read(server, row)
    if not row.state.ended or row.state is State.SUCCEEDED:
        return row
    if row.retries >= MOST:
        raise KfpRefused(
            f"the run {row.owner} was let go on {row.retries} times, and failed again",
            where=server.url,
            fix="look at its tasks on the server; tagline train starts another",
        )
    try:
        server.ask("POST", f"/runs/{row.id}:retry")
    except KfpError as error:
        now = starting.read(server, row) if may_stand(error) else row  # it may go on all the same
        if now.state.ended:
            raise
        return now
    return starting.read(server, row)
