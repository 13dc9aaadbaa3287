"""What a platform file may not say of a Kubeflow installation although every value is well-formed."""

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from tagline import cron
from tagline.config_rules import Fault
from tagline.errors import KfpScheduleRefused
from tagline.kubeflow_keys import Access, Cluster, Kubeflow

EXAMPLE = "pipelines: https://kubeflow.example.org/pipeline"
_NAMESPACE = re.compile("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_ACCOUNT = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
LONGEST = 253  # characters of the name of a Kubernetes object
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def faults(said: Kubeflow) -> Iterator[Fault]:
    """Every rule that is broken, at its path in the platform file."""
    yield from _address(("endpoints", "pipelines"), said.endpoints.pipelines)
    if "training" not in said.namespaces:
        what = "namespaces lacks training: nothing is uploaded without a namespace"
        yield Fault(("namespaces",), what, "namespaces: {training: my-team}")
    for name, namespace in said.namespaces.items():
        if not _NAMESPACE.fullmatch(namespace):
            what = f"namespaces.{name} {namespace!r} cannot name a Kubernetes namespace"
            yield Fault(("namespaces", name), what, f"{name}: my-team")
    yield from _access(said.access, said.endpoints.pipelines)
    if said.ca and not Path(said.ca).is_absolute():
        what = f"ca {said.ca!r} must be an absolute path: a platform file may lie anywhere"
        yield Fault(("ca",), what, "ca: /etc/ssl/company-ca.pem")
    if not _is_zone(said.time_zone):
        what = f"time_zone {said.time_zone!r} is not known here: a name such as Europe/Berlin, or UTC"
        yield Fault(("time_zone",), what, "time_zone: UTC")
    if said.service_account and not _is_account(said.service_account):
        what = f"service_account {said.service_account!r} cannot name a ServiceAccount"
        yield Fault(("service_account",), f"{what} of namespace training", "service_account: default-editor")
    if said.cluster:
        yield from _cluster(said.cluster)
    if said.store and said.store.endpoint:
        yield from _address(("store", "endpoint"), said.store.endpoint)


def _address(at: tuple[str, ...], url: str) -> Iterator[Fault]:
    name, parts = ".".join(at), _split(url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        yield Fault(at, f"{name} must be a web address", EXAMPLE)
    elif parts.username or parts.password:
        yield Fault(at, f"{name} holds a password: everybody can read a platform file", "access: {dex: {}}")
    elif parts.fragment or parts.query:
        what = f"{name} is the address of a page in a browser, not of the API"
        yield Fault(at, what, f"{at[-1]}: {parts.scheme}://{parts.netloc}{api_path(parts.path)}")
    elif "/apis" in f"{parts.path}/":
        what = f"{name} goes too deep: tagline adds /apis/v2beta1 itself"
        yield Fault(at, what, f"{at[-1]}: {parts.scheme}://{parts.netloc}{parts.path.partition('/apis')[0]}")


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def api_path(path: str) -> str:
    """Where the API most likely is, below the path of a page of Kubeflow's dashboard."""
    return path.replace("/_/", "/").rstrip("/") or "/pipeline"


def is_local(url: str) -> bool:
    """Whether a server is on this machine."""
    parts = _split(url)
    return parts is not None and parts.hostname in LOOPBACK


def _access(access: Access, url: str) -> Iterator[Fault]:
    chosen = access.chosen()
    if len(chosen) > 1:
        what = f"access names {' and '.join(chosen)}: who is tagline?"
        yield Fault(("access", chosen[1]), what, "keep one")
    if access.user_header and not is_local(url):
        what = (
            "access.user_header is for a server on this machine: elsewhere everybody could say who they are"
        )
        yield Fault(("access", "user_header"), what, "access: {service_account: {}}")
    if access.user_header and not access.user_header.user.strip():
        what = "access.user_header.user is empty: an empty header stops the server"
        yield Fault(("access", "user_header", "user"), what, "user: ada@example.org")
    if access.oidc:
        yield from _address(("access", "oidc", "issuer"), access.oidc.issuer)


def _cluster(said: Cluster) -> Iterator[Fault]:
    if said.server and not (said.server.startswith("https://") or is_local(said.server)):
        what = "cluster.server must begin with https://: a token is sent there"
        yield Fault(("cluster", "server"), what, "server: https://kube.example.org:6443")
    elif said.server:
        yield from _address(("cluster", "server"), said.server)
    if said.ca and not Path(said.ca).is_absolute():
        what = f"cluster.ca {said.ca!r} must be an absolute path: a platform file may lie anywhere"
        yield Fault(("cluster", "ca"), what, "ca: /etc/ssl/cluster-ca.pem")


def _is_account(name: str) -> bool:
    return len(name) <= LONGEST and bool(_ACCOUNT.fullmatch(name))


def _is_zone(name: str) -> bool:
    try:
        cron.zone(name)
    except KfpScheduleRefused:
        return name == "UTC"  # known without a data base of zones
    return True
