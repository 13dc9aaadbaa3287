"""A session's cookie that a person took from a browser: the last resort, read again when it is refused."""

from collections.abc import Mapping

from tagline.errors import KfpNotLetIn
from tagline.kubeflow_keys import Cookie
from tagline.platforms.kubeflow.access import Header, Identity
from tagline.platforms.kubeflow.access.given import secret


def identity(said: Cookie, environ: Mapping[str, str]) -> Identity:
    """Whoever the cookie is of; `fetch` raises `KfpNotLetIn` for what is no cookie."""
    place = said.file or said.variable

    def fetch() -> Header:
        value = secret(said.variable, said.file, environ, "the session's cookie")
        if "=" not in value.open() or not (value.open().isascii() and value.open().isprintable()):
            raise KfpNotLetIn("this is no cookie: not sent", where=place, fix="name=value; name=value")
        return Header("Cookie", value)

    return Identity(f"the session whose cookie is in {place}", fetch)
