"""The client that is generated from the server's own description, with our connection below it."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from tagline.errors import MissingTool
from tagline.platforms.kubeflow.wire import Reply


class ForClient:
    """An answer as the generated client reads it."""

    def __init__(self, reply: Reply) -> None:
        self.status, self.reason = reply.status, reply.reason
        self.data: Any = reply.body
        self._headers = dict(reply.headers)

    def getheader(self, name: str, default: str | None = None) -> str | None:
        return self._headers.get(name.lower(), default)

    def getheaders(self) -> dict[str, str]:
        return self._headers


class Services:
    """The services of `kfp_server_api`, imported when the first is used (0.1 s); `request` sends for all of them.

    Their methods take and give `kfp_server_api`'s models and raise `KfpError`'s classes. Lists and look-ups by
    name must be given `namespace` (`Connection.scope`).
    """

    def __init__(self, url: str, request: Callable[..., ForClient]) -> None:
        self._url, self._request = url, request

    @cached_property
    def client(self) -> Any:
        """The one `kfp_server_api.ApiClient`."""
        library = _library()
        client = library.ApiClient(library.Configuration(host=self._url))
        client.request = self._request
        return client

    @cached_property
    def pipelines(self) -> Any:
        """`PipelineServiceApi`: pipelines and their versions."""
        return _library().PipelineServiceApi(self.client)

    @cached_property
    def experiments(self) -> Any:
        """`ExperimentServiceApi`."""
        return _library().ExperimentServiceApi(self.client)

    @cached_property
    def runs(self) -> Any:
        """`RunServiceApi`."""
        return _library().RunServiceApi(self.client)

    @cached_property
    def schedules(self) -> Any:
        """`RecurringRunServiceApi`."""
        return _library().RecurringRunServiceApi(self.client)


def _library() -> Any:
    from tagline import extras

    try:
        import kfp_server_api
    except ImportError as error:
        raise MissingTool("kfp_server_api is not installed", fix=extras.install("kfp")) from error
    return kfp_server_api
