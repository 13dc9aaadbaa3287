"""The identity that a platform file's `access` means, with what the environment holds for it."""

from collections.abc import Mapping

from tagline_task.masking import Secret

from tagline.kubeflow_keys import Kubeflow, UserHeader
from tagline.platforms.kubeflow.access import NOBODY, Credentials, Header, Identity
from tagline.platforms.kubeflow.wire import Wire


def credentials(kubeflow: Kubeflow, environ: Mapping[str, str]) -> Credentials:
    """Who tagline is; nothing is read or asked yet."""
    return Credentials(_identity(kubeflow, environ))


def _identity(kubeflow: Kubeflow, environ: Mapping[str, str]) -> Identity:
    from tagline.platforms.kubeflow.access import cookie, dex, oidc, service_account

    said, url = kubeflow.access, kubeflow.endpoints.pipelines.rstrip("/")
    if said.service_account:
        return service_account.identity(said.service_account, environ)
    if said.oidc:
        return oidc.identity(said.oidc, environ, Wire(environ, kubeflow.ca))
    if said.dex:
        return dex.identity(said.dex, environ, Wire(environ, kubeflow.ca), url)
    if said.cookie:
        return cookie.identity(said.cookie, environ)
    return _by_header(said.user_header) if said.user_header else NOBODY


def _by_header(said: UserHeader) -> Identity:
    header = Header(said.name, Secret(said.user), who=f"the user {said.user}", public=True)
    return Identity(header.who, lambda: header)
