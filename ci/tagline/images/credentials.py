"""Who we are to a registry: what `docker login` wrote, or a credential helper gives."""

import base64
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from tagline.errors import RegistryRefused
from tagline.images.reference import DOCKER_HUB

HELPER_LIMIT = 20.0
_HUB_KEY = "https://index.docker.io/v1/"


class Login(msgspec.Struct, frozen=True):
    """A user and a password, which no text form of it shows."""

    user: str
    password: str

    def __repr__(self) -> str:
        return f"Login({self.user!r}, ***)"

    @property
    def basic(self) -> str:
        """The value of an Authorization header."""
        pair = f"{self.user}:{self.password}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"


def login(host: str, environ: Mapping[str, str]) -> Login | None:
    """The login for a registry's host from Docker's configuration; None: nobody logged in there.

    Raises `RegistryRefused` where the configuration or a helper is broken.
    """
    folder = Path(environ.get("DOCKER_CONFIG") or Path(environ.get("HOME") or "/") / ".docker")
    file = folder / "config.json"
    if not file.is_file():
        return None
    try:
        config: dict[str, Any] = json.loads(file.read_text())
    except ValueError as error:
        raise RegistryRefused(
            "Docker's configuration is not JSON", where=str(file), fix="docker login"
        ) from error
    key = _HUB_KEY if host == DOCKER_HUB else host
    helper = config.get("credHelpers", {}).get(key) or config.get("credsStore")
    if helper:
        return _ask(str(helper), key, environ)
    auths = config.get("auths", {})
    entry = auths.get(key) or auths.get(f"https://{key}") or {}
    return _read(str(entry.get("auth", "")), str(file))


def _read(auth: str, where: str) -> Login | None:
    if not auth:
        return None
    try:
        user, _, password = base64.b64decode(auth, validate=True).decode().partition(":")
    except ValueError:
        broken = RegistryRefused(
            "a login in Docker's configuration cannot be read", where=where, fix="docker login"
        )
        raise broken from None
    return Login(user, password.rstrip("\0"))


def _ask(helper: str, key: str, environ: Mapping[str, str]) -> Login | None:
    """What `docker-credential-HELPER get` says; None where it knows nothing of this registry."""
    command = f"docker-credential-{helper}"
    try:
        said = subprocess.run(
            [command, "get"],
            input=key.encode(),
            capture_output=True,
            timeout=HELPER_LIMIT,
            check=False,
            env=dict(environ),
        )
    except (OSError, subprocess.TimeoutExpired):
        raise RegistryRefused(f"{command} does not answer", fix=f"install or mend {command}") from None
    if said.returncode != 0:
        return None
    try:
        answer = json.loads(said.stdout)
        return Login(str(answer["Username"]), str(answer["Secret"]))
    except (ValueError, KeyError, TypeError):
        raise RegistryRefused(f"{command} gave no login", fix=f"{command} get, by hand") from None
