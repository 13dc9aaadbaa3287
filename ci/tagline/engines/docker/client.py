"""The Docker engine that answers: found by its address, spoken to through its API, its errors in our words."""

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tagline import extras
from tagline.errors import EngineError, EngineMissing

if TYPE_CHECKING:
    import docker

HOST_VARIABLES = ("TAGLINE_DOCKER_HOST", "DOCKER_HOST")
NETWORK_VARIABLE = "TAGLINE_DOCKER_NETWORK"
DEFAULT_HOST = "unix:///var/run/docker.sock"
TIMEOUT = 60
_ANSWER_LIMIT = 3.0


def host_of(environ: Mapping[str, str]) -> str:
    """The engine's address: TAGLINE_DOCKER_HOST, DOCKER_HOST, or Docker's own socket."""
    return next((environ[name] for name in HOST_VARIABLES if environ.get(name)), DEFAULT_HOST)


def answers(environ: Mapping[str, str]) -> bool:
    """Whether something listens at the engine's address, within 3 s; loads nothing."""
    host = urlsplit(host_of(environ))
    try:
        if host.scheme == "unix":
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(_ANSWER_LIMIT)
                connection.connect(host.path)
        else:
            place = (host.hostname or "localhost", host.port or 2375)
            socket.create_connection(place, _ANSWER_LIMIT).close()
    except (OSError, ValueError):
        return False
    return True


@contextmanager
def connected(environ: Mapping[str, str]) -> Iterator["docker.DockerClient"]:
    """The engine's API for a `with` block; the SDK's errors become `EngineError`.

    Raises `EngineMissing` where the SDK is not installed or nothing answers.
    """
    host = host_of(environ)
    try:
        import docker
        from docker.errors import DockerException
        from docker.tls import TLSConfig
    except ImportError as error:
        raise EngineMissing("engine docker needs the package docker", fix=extras.install("docker")) from error
    if not answers(environ):
        raise missing(environ)
    tls: Any = False
    if environ.get("DOCKER_TLS_VERIFY"):
        folder = environ.get("DOCKER_CERT_PATH") or os.path.expanduser("~/.docker")
        pair = (f"{folder}/cert.pem", f"{folder}/key.pem")
        tls = TLSConfig(client_cert=pair, ca_cert=f"{folder}/ca.pem", verify=True)
    try:
        client = docker.DockerClient(base_url=host, timeout=TIMEOUT, tls=tls, version="auto")
    except DockerException as error:
        raise missing(environ) from error
    try:
        yield client
    except DockerException as error:
        raise EngineError(f"the Docker engine says: {error}", where=host) from error
    finally:
        client.close()


def missing(environ: Mapping[str, str]) -> EngineMissing:
    """The error where no engine answers."""
    return EngineMissing(
        "no Docker engine answers",
        where=host_of(environ),
        fix=f"start it, or name its address in {HOST_VARIABLES[0]}; engine: process needs none",
    )
