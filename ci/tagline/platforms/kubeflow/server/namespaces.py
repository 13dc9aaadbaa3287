"""Which requests must say their namespace: without it the server answers with somebody else's pipeline."""

import re
from urllib.parse import parse_qs, urlsplit

from tagline.errors import KfpError
from tagline.platforms.kubeflow.server.answers import API

_READS = re.compile(rf".*{API}/(pipelines(/names/[^/]+)?|runs|experiments|recurringruns)")
_WRITES = re.compile(rf".*{API}/pipelines/upload")


def require(method: str, url: str) -> None:
    """Raise `KfpError` for a request that must name its namespace (an empty one too) and does not.

    An experiment says the namespace of what is listed in it.
    """
    parts = urlsplit(url)
    needs = _READS if method == "GET" else _WRITES if method == "POST" else None
    if needs is None or not needs.fullmatch(parts.path):
        return
    asked = parse_qs(parts.query, keep_blank_values=True)
    if "namespace" in asked or "experiment_id" in asked:
        return
    raise KfpError(f"{method} {parts.path} without a namespace is not sent: it would mean everybody's")
