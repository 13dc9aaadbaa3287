"""Connections as the tests here open them: impatient, and as somebody of the fake server."""

from collections.abc import Mapping

from tagline.kubeflow_keys import Access, Endpoints, Kubeflow, UserHeader
from tagline.platforms.kubeflow import open_connection
from tagline.platforms.kubeflow.server.connection import Connection, Patience
from tagline.platforms.kubeflow.wire import Times

QUICK = Patience(Times(connect=1.0, read=0.5, whole=2.0), waits=(0.01, 0.01, 0.01), inner=(0.01, 0.01))
ALICE = "alice@example.com"


def by_header(user: str) -> Access:
    return Access(user_header=UserHeader(user)) if user else Access()


def opened(
    url: str,
    access: Access,
    environ: Mapping[str, str] | None = None,
    namespace: str = "mu-alice",
    patience: Patience = QUICK,
) -> Connection:
    said = Kubeflow(Endpoints(url), {"training": namespace}, access)
    return open_connection(said, environ or {}, patience)
