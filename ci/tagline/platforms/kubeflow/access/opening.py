"""The identity that a platform file's `access` means, with what the environment holds for it."""

from collections.abc import Mapping

from tagline_task.masking import Secret

from tagline.kubeflow_keys import Kubeflow
from tagline.platforms.kubeflow.access import NOBODY, Credentials, Header, Identity


def credentials(kubeflow: Kubeflow, environ: Mapping[str, str]) -> Credentials:
    """Who tagline is; nothing is read or asked yet."""
    return Credentials(_identity(kubeflow, environ))


def _identity(kubeflow: Kubeflow, environ: Mapping[str, str]) -> Identity:
    access = kubeflow.access
    if access.user_header:
        header = Header(access.user_header.name, Secret(access.user_header.user))
        return Identity(f"the user {access.user_header.user}", lambda: header)
    return NOBODY
