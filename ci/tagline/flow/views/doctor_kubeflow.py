"""What doctor says of a Kubeflow platform: is its server reached, as whom, what it is and cannot do there."""

from collections.abc import Iterator, Mapping

from tagline.errors import ConfigError, KfpError
from tagline.kubeflow_keys import Kubeflow
from tagline.platforms.kubeflow import open_connection
from tagline.platforms.kubeflow.cluster import Cluster
from tagline.platforms.kubeflow.server.connection import Connection, Patience
from tagline.platforms.kubeflow.wire import Times

Line = tuple[str, str, str]
IMPATIENT = Patience(Times(connect=5.0, read=15.0, whole=30.0), waits=(0.5, 1.0), inner=(0.5,))


def examine_kubeflow(
    said: Kubeflow, environ: Mapping[str, str], patience: Patience = IMPATIENT
) -> Iterator[Line]:
    """Level, sentence and remedy of each finding; an error of the server ends them, as a finding of its own."""
    connection = open_connection(said, environ, patience)
    try:
        yield from _server(connection, sees_cluster=said.cluster is not None)
        if said.cluster:
            cluster = Cluster(said.cluster, said.training, environ, patience.times)
            next(iter(cluster.workflows()), None)
            yield "ok", f"Kubernetes lets us see the Workflows of namespace {said.training}", ""
    except (KfpError, ConfigError) as error:
        place = f" ({error.where})" if error.where else ""
        yield "missing", f"{error.what}{place}", error.fix
    if said.store is None:
        yield "note", "the platform file names no store: models and facts of runs cannot be read", "store:"


def _server(connection: Connection, *, sees_cluster: bool) -> Iterator[Line]:
    from tagline.platforms.kubeflow.server import probe

    server = probe.health(connection)
    mode = "for many users, by namespace" if server.multi_user else "for one user"
    kept = {probe.Store.DATABASE: "its database", probe.Store.KUBERNETES: "Kubernetes objects"}[server.store]
    yield (
        "ok",
        f"Kubeflow Pipelines {server.version} answers at {connection.url}: {mode}, pipelines in {kept}",
        "",
    )
    probe.is_let_in(connection)
    yield "ok", f"it lets {connection.credentials.who} look into namespace {connection.namespace}", ""
    if server.multi_user and connection.credentials.identity.fetch is None:
        yield "missing", "the server has many users, and the platform file says nobody", "access:"
    for limit in probe.limits(server, sees_cluster=sees_cluster):
        yield "note", limit.what, limit.fix.replace("NAMESPACE", connection.namespace)
