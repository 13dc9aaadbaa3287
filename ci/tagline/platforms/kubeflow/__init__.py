"""The platform of a company: Kubeflow Pipelines runs what is trained, an S3-compatible store keeps it."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from tagline.errors import NotYetSupported
from tagline.kubeflow_keys import Kubeflow
from tagline.platforms import Rollouts, Schedules, Serving

if TYPE_CHECKING:
    from tagline.platforms.kubeflow.pipelines import KubeflowPipelines
    from tagline.platforms.kubeflow.server.connection import Connection, Patience


class Place(msgspec.Struct, frozen=True):
    """Who acts there and where it keeps what it read: the repository's mark, and a folder of this machine."""

    owner: str
    folder: Path


class KubeflowPlatform:
    """A Kubeflow installation, as a platform file says it; the server is asked when it is first needed."""

    name = "kubeflow"
    serves = False

    def __init__(
        self,
        said: Kubeflow,
        environ: Mapping[str, str],
        place: "Place",
        patience: "Patience | None" = None,
    ) -> None:
        self.said, self._environ, self._place, self._patience = said, environ, place, patience

    @property
    def machine(self) -> str:
        """The host of its pipelines server: what is done there is done on no machine of ours."""
        return urlsplit(self.said.endpoints.pipelines).hostname or self.name

    @cached_property
    def connection(self) -> "Connection":
        """The connection to its pipelines server, as the identity of its platform file."""
        return open_connection(self.said, self._environ, self._patience)

    @cached_property
    def pipelines(self) -> "KubeflowPipelines":
        """Versions and runs on its server, as the repository's."""
        from tagline.platforms.kubeflow.pipelines import KubeflowPipelines

        return KubeflowPipelines(
            self.connection, self.said, self._place.owner, self._place.folder, self._environ
        )

    @cached_property
    def schedules(self) -> Schedules:
        """The recurring runs on its server, as the repository's."""
        from tagline.platforms.kubeflow.schedules.apply import KubeflowSchedules
        from tagline.platforms.kubeflow.schedules.apply import Place as Where

        root = self.said.store.root if self.said.store else ""
        where = Where(self._place.owner, root, self.said.time_zone, self.said.service_account)
        return KubeflowSchedules(self.connection, where, self.pipelines.held)

    @property
    def serving(self) -> Serving:
        raise _later("serving models, and so promotion,")

    @property
    def rollouts(self) -> Rollouts:
        raise _later("rollouts")


def _later(what: str) -> NotYetSupported:
    """Raised instead of going to the local platform, which nobody asked for."""
    return NotYetSupported(
        f"{what} on a platform of kind kubeflow comes with a later version of tagline",
        fix="platform: local in tagline.yaml, for what is served on one machine",
    )


def open_connection(
    said: Kubeflow, environ: Mapping[str, str], patience: "Patience | None" = None
) -> "Connection":
    """A connection to a pipelines server; nothing is asked yet. Each call raises `KfpError`'s classes."""
    from tagline.platforms.kubeflow.access.opening import credentials
    from tagline.platforms.kubeflow.server.connection import Connection

    return Connection(said, credentials(said, environ), environ, patience)
