"""What this server is and can do: version, mode, store, whether its database answers, and whom it takes us for."""

from enum import StrEnum
from typing import Any

import msgspec

from tagline.errors import KfpNotAServer, KfpUnavailable
from tagline.platforms.kubeflow.cluster import ROLE
from tagline.platforms.kubeflow.server.connection import Connection

UNKNOWN = "unknown"


class Store(StrEnum):
    """Where a server keeps pipelines and their versions."""

    DATABASE = "database"
    KUBERNETES = "kubernetes"


class Server(msgspec.Struct, frozen=True):
    """A server as it says of itself; `version` is "unknown" where its builder left it out."""

    version: str
    multi_user: bool
    store: Store


class Limit(msgspec.Struct, frozen=True):
    """One thing that a server cannot do, or does otherwise, and what helps; `fix` may be empty."""

    what: str
    fix: str = ""


def health(connection: Connection) -> Server:
    """What the server says of itself: 200 even while its database is down, and without an identity.

    Raises `KfpNotAServer` for something else with JSON, and `KfpError`'s other classes.
    """
    answer: Any = connection.ask("GET", "/healthz")
    if not isinstance(answer, dict) or "tag_name" not in answer:
        what = f"what answers at {connection.url} is JSON, and not of a Kubeflow Pipelines API"
        raise KfpNotAServer(what, where=connection.url, fix="endpoints: {pipelines: …}")
    try:
        store = Store(answer.get("pipeline_store") or Store.DATABASE)
    except ValueError:
        what = f"the server keeps its pipelines in {answer['pipeline_store']!r}, which this tagline does not know"
        raise KfpNotAServer(what, where=connection.url, fix="look for a later version of tagline") from None
    return Server(str(answer["tag_name"] or UNKNOWN), bool(answer.get("multi_user")), store)


def is_let_in(connection: Connection) -> None:
    """Ask a question that needs the database, and in multi-user mode our identity and our right to look.

    Raises `KfpNotLetIn`, `KfpForbidden`, and `KfpUnavailable` where the server is up and its database is not.
    """
    try:
        connection.ask("GET", "/pipelines", {"namespace": connection.scope, "page_size": "1"})
    except KfpUnavailable as error:
        what = f"the server says that it is well, and cannot answer a question: {error.what}"
        fix = (
            "look at its database: kubectl -n kubeflow get pods, kubectl -n kubeflow logs deploy/ml-pipeline"
        )
        raise KfpUnavailable(what, where=error.where, fix=fix) from error


def limits(server: Server, *, sees_cluster: bool = False) -> list[Limit]:
    """What this server does not do, or lets everybody do, in words; `sees_cluster`: tagline may look for Workflows."""
    lost = Limit(
        "a Workflow can run without a row on the server (a run that the server failed to note): without "
        "Kubernetes rights tagline neither sees nor ends it",
        f"cluster: {{}} in the platform file, and {ROLE} NAMESPACE",
    )
    found = [
        *([] if sees_cluster else [lost]),
        Limit("schedules cannot be changed: tagline makes a new one and removes the old"),
    ]
    if server.multi_user:
        what = "pipelines without a namespace are shared, and anyone may upload one, without an identity"
        fix = "let the gateway refuse POST …/pipelines/upload without namespace=; tagline always names one"
        found.insert(0, Limit(what, fix))
    if server.store is Store.KUBERNETES:
        what = "an upload is not atomic (a pipeline may stay without a version), and one over 1.5 MB fails"
        found.append(Limit(what, "the next tagline ci mends what was left"))
        found.append(Limit("names must be DNS names: lower case, digits, - and ."))
        if server.multi_user:
            what = "a list without a namespace shows every namespace's pipelines to everybody"
            found.append(Limit(what))
    return found
