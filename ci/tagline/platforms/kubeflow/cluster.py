"""The Kubernetes API of the cluster behind a pipelines server: Workflows that it may have lost, seen and removed."""

import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec

from tagline import errors
from tagline.errors import ConfigError
from tagline.kubeflow_keys import Cluster as Said
from tagline.platforms.kubeflow.access.given import secret
from tagline.platforms.kubeflow.server.doubts import CONFLICT
from tagline.platforms.kubeflow.wire import Reply, Sent, Times, Wire, place

HOST, PORT = "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"  # Kubernetes sets them in every pod
AUTHORITY = "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt"
GROUP = "/apis/argoproj.io/v1alpha1/namespaces"
PAGE = 500
# of each Workflow its metadata alone: whole, one may hold megabytes
METADATA = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
ROLE = "kubectl create role tagline-workflows --verb=get,list,delete --resource=workflows.argoproj.io -n"


class Workflow(msgspec.Struct, frozen=True):
    """A Workflow as its metadata has it; `run` is the id of the run it was made for, `named` that run's name."""

    name: str
    uid: str
    run: str
    named: str
    created_at: str


class Cluster:
    """One namespace of the cluster that a platform file names; nothing is asked before it is needed."""

    def __init__(
        self, said: Said, namespace: str, environ: Mapping[str, str], times: Times | None = None
    ) -> None:
        self._said, self._environ, self.namespace = said, environ, namespace
        self._wire = Wire(environ, said.ca or ("" if said.server else AUTHORITY), times)

    @property
    def url(self) -> str:
        """The server's address; raises `ConfigError` where none is named, and this is no pod of a cluster."""
        host = self._environ.get(HOST, "")
        if not (self._said.server or host):
            raise ConfigError(
                "the platform file names no address of the cluster's Kubernetes API, and this is no pod of it",
                fix="cluster: {server: 'https://…:6443', variable: KUBE_TOKEN, ca: /path/of/its/authority.pem}",
            )
        inside = f"[{host}]" if ":" in host else host
        return self._said.server.rstrip("/") or f"https://{inside}:{self._environ.get(PORT, '443')}"

    def workflows(self) -> Iterator[Workflow]:
        """The Workflows of the namespace that were made for a run.

        Raises `KfpUnavailable`, `KfpNotLetIn`, `KfpForbidden` (with the right that is missing), `KfpNotThere` where
        the cluster knows no Workflows.
        """
        asked = {"labelSelector": "pipeline/runid", "limit": str(PAGE)}
        while True:
            answer = self._asked("GET", f"/workflows?{urlencode(asked)}")
            for one in answer.get("items") or []:
                yield _read(one["metadata"])
            token = str((answer.get("metadata") or {}).get("continue") or "")
            if not token:
                return
            asked["continue"] = token

    def delete(self, one: Workflow) -> bool:
        """Remove this very Workflow, and what runs of it; False where it is gone, or another has its name by now."""
        body = {"preconditions": {"uid": one.uid}, "propagationPolicy": "Background"}
        try:
            self._asked("DELETE", f"/workflows/{one.name}", body)
        except errors.KfpNotThere:
            return False
        except errors.KfpRefused as error:
            if error.status != CONFLICT:
                raise
            return False
        return True

    def _asked(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        token = secret(
            self._said.variable,
            "" if self._said.variable else self._said.token,
            self._environ,
            "the token for the Kubernetes API",
        )
        headers = {"Authorization": f"Bearer {token.open()}", "Accept": METADATA}
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            headers |= {"Content-Type": "application/json", "Accept": "application/json"}
        reply = self._wire.send(Sent(method, f"{self.url}{GROUP}/{self.namespace}{path}", headers, data))
        return self._judged(reply)

    def _judged(self, reply: Reply) -> dict[str, Any]:
        """The answer's object, or what is wrong in words: every refusal of Kubernetes is a Status."""
        try:
            answer = json.loads(reply.body)
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            what = f"what answers at {self.url} is no Kubernetes API (status {reply.status})"
            raise errors.KfpNotAServer(what, where=place(reply.url), fix="cluster: {server: …}")
        if reply.status < 300:
            return answer
        words, where = str(answer.get("message", ""))[:500], place(reply.url)
        match reply.status:
            case 401:
                raise errors.KfpNotLetIn("Kubernetes does not know the token", where=where, fix="cluster:")
            case 403:
                fix = f"{ROLE} {self.namespace}, and a rolebinding of it"
                raise errors.KfpForbidden(f"Kubernetes: {words}", where=where, fix=fix)
            case 404:
                raise errors.KfpNotThere(f"Kubernetes: {words}", where=where)
            case status if status >= 500 or status == 429:
                what = f"Kubernetes failed ({status}): {words}"
                raise errors.KfpUnavailable(what, where=where, fix="run it again", maybe_done=True)
            case status:
                raise errors.KfpRefused(f"Kubernetes: {words}", where=where, status=status)


def _read(metadata: Mapping[str, Any]) -> Workflow:
    return Workflow(
        name=str(metadata["name"]),
        uid=str(metadata["uid"]),
        run=str((metadata.get("labels") or {}).get("pipeline/runid", "")),
        named=str((metadata.get("annotations") or {}).get("pipelines.kubeflow.org/run_name", "")),
        created_at=str(metadata.get("creationTimestamp", "")),
    )
